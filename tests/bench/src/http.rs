//! HTTP/1.1 as cheaply as it can be spoken: the load shares the cores with what it measures.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A kept connection; one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The head of an answer.
#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    /// Bytes of the head with its empty line.
    length: usize,
    body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Bytes(usize),
    Chunked,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a whole request and reads the whole answer: status and body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = self.read_head().await?;
        let Body::Bytes(length) = head.body else { bail!("an answer without a length") };
        let end = head.length + length;
        while self.buffer.len() < end {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection ended within an answer");
        }
        Ok((head.status, &self.buffer[head.length..end]))
    }

    /// Sends a request whose answer does not end, and gives its events.
    pub(crate) async fn stream(mut self, request: &[u8]) -> anyhow::Result<EventStream> {
        self.stream.write_all(request).await?;
        let head = self.read_head().await?;
        ensure!(head.status == 200, "the event stream was refused with {}", head.status);
        ensure!(head.body == Body::Chunked, "an event stream with a length");
        self.buffer.drain(..head.length);
        Ok(EventStream { stream: self.stream, raw: self.buffer, text: Vec::new() })
    }

    async fn read_head(&mut self) -> anyhow::Result<Head> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return parse_head(&self.buffer[..end + 4]);
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection ended before the answer");
        }
    }
}

fn parse_head(head: &[u8]) -> anyhow::Result<Head> {
    let text = std::str::from_utf8(head).context("the head is not text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("a status line")?.parse()?;
    let mut body = Body::Bytes(0);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            body = Body::Bytes(value.trim().parse()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            body = Body::Chunked;
        }
    }
    Ok(Head { status, length: head.len(), body })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Server-sent events, unpacked from chunks.
pub(crate) struct EventStream {
    stream: TcpStream,
    /// As it came.
    raw: Vec<u8>,
    /// Without the chunks' frames.
    text: Vec<u8>,
}

impl EventStream {
    /// The socket, and what was read from it already.
    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.raw)
    }

    /// The next event: its name and its data (empty for a comment). Waits for ever.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(String, String)> {
        loop {
            if let Some(end) = find(&self.text, b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                return Ok(parse_event(std::str::from_utf8(&block)?));
            }
            while self.unpack()? {}
            if find(&self.text, b"\n\n").is_none() {
                ensure!(self.stream.read_buf(&mut self.raw).await? > 0, "the event stream ended");
            }
        }
    }

    /// Takes one whole chunk out of its frame; false when there is none.
    fn unpack(&mut self) -> anyhow::Result<bool> {
        let Some(line) = find(&self.raw, b"\r\n") else { return Ok(false) };
        let size =
            usize::from_str_radix(std::str::from_utf8(&self.raw[..line])?.trim(), 16).context("a chunk's size")?;
        let (begin, end) = (line + 2, line + 2 + size);
        if self.raw.len() < end + 2 {
            return Ok(false);
        }
        self.text.extend_from_slice(&self.raw[begin..end]);
        self.raw.drain(..end + 2);
        Ok(true)
    }
}

fn parse_event(block: &str) -> (String, String) {
    let field = |name| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start).unwrap_or_default();
    (field("event:").to_owned(), field("data:").to_owned())
}
