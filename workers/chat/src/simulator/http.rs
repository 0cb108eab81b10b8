//! As much of HTTP as simulators need: one request a connection, small bodies. For stories and demos, not for the internet.

use std::{collections::HashMap, io, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use url::form_urlencoded;

const MAX_BODY: usize = 64 * 1024;
/// For the first bytes of a connection.
const FIRST_BYTES: Duration = Duration::from_secs(10);

/// What a client asks.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    /// Names in lower case.
    headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut stream = BufReader::new(stream);
        let mut first = String::new();
        stream.read_line(&mut first).await?;
        let mut words = first.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut headers = HashMap::new();
        loop {
            let mut header = String::new();
            if stream.read_line(&mut header).await? == 0 || header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':') {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
        }
        let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length.min(MAX_BODY)];
        stream.read_exact(&mut body).await?;
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Ok(Self { method, path: path.to_owned(), query, headers, body })
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query; empty where there is none.
    pub(super) fn given(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

pub(super) async fn answer(stream: &mut TcpStream, status: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// [`peek`], if it comes at all.
pub(super) async fn peek_in_time(stream: &TcpStream) -> io::Result<String> {
    timeout(FIRST_BYTES, peek(stream)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// The beginning of what the client says, in lower case, left in the socket: a line at least, all headers if it is HTTP.
async fn peek(stream: &TcpStream) -> io::Result<String> {
    let mut buffer = [0; 4096];
    let mut before = 0;
    loop {
        let length = stream.peek(&mut buffer).await?;
        let head = String::from_utf8_lossy(&buffer[..length]).to_lowercase();
        let whole = if is_http(&head) { head.contains("\r\n\r\n") } else { head.contains('\n') };
        if whole || length == 0 || length == buffer.len() {
            return Ok(head);
        }
        if length == before {
            // Nothing new: peeking does not wait for more than there is.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        before = length;
    }
}

pub(super) fn is_http(head: &str) -> bool {
    head.starts_with("get ") || head.starts_with("post ")
}

pub(super) fn is_websocket(head: &str) -> bool {
    is_http(head) && head.contains("\r\nupgrade: websocket")
}
