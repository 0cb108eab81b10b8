//! As much of HTTP as platforms need: one request a connection, small bodies. For stories and demos, not for the internet.

use std::{collections::HashMap, io};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use url::form_urlencoded;

const LONGEST_LINE: u64 = 32 * 1024;
const MOST_BODY: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    /// The same in order, with names that come several times.
    pub(super) pairs: Vec<(String, String)>,
    /// As it came.
    pub(super) query_text: String,
    /// Names in lower case.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut stream = BufReader::new(stream);
        let first = line(&mut stream).await?;
        let mut words = first.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            query_text: query.to_owned(),
            ..Self::default()
        };
        loop {
            let header = line(&mut stream).await?;
            let Some((name, value)) = header.split_once(':') else { break };
            request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = request.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        request.body = vec![0; MOST_BODY.min(length)];
        stream.read_exact(&mut request.body).await?;
        Ok(request)
    }

    /// The members of a form's body.
    pub(super) fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The members of a JSON body.
    pub(super) fn json(&self) -> HashMap<String, String> {
        let body: HashMap<String, Value> = serde_json::from_slice(&self.body).unwrap_or_default();
        body.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

async fn line(stream: &mut BufReader<&mut TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    (&mut *stream).take(LONGEST_LINE).read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}

#[derive(Debug)]
pub(super) struct Response {
    status: u16,
    kind: &'static str,
    location: Option<String>,
    /// Beside the usual ones, each with its line's end.
    headers: String,
    body: Vec<u8>,
}

impl Response {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            kind: "application/json",
            location: None,
            headers: String::new(),
            body: body.to_string().into_bytes(),
        }
    }

    pub(super) fn html(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/html; charset=utf-8",
            location: None,
            headers: String::new(),
            body: body.into().into_bytes(),
        }
    }

    pub(super) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, kind: "application/json", location: None, headers: String::new(), body }
    }

    pub(super) fn redirect(location: String) -> Self {
        Self { status: 302, kind: "text/plain", location: Some(location), headers: String::new(), body: Vec::new() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::bytes(status, Vec::new())
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) async fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        let location = self.location.as_ref().map(|to| format!("location: {to}\r\n")).unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {} Said\r\ncontent-type: {}\r\ncontent-length: {}\r\ncache-control: no-store\r\n{location}{}connection: close\r\n\r\n",
            self.status,
            self.kind,
            self.body.len(),
            self.headers
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&self.body).await?;
        stream.shutdown().await
    }
}
