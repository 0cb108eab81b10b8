//! The HTTP side: one request a connection, small bodies. For tests, demos and people with curl; not for the internet.

use std::io;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{
    happenings::{Happening, Speech},
    hub::{Fault, Hub},
};

const MAX_BODY: usize = 64 * 1024;

#[derive(Deserialize)]
struct Happens {
    channel: String,
    #[serde(flatten)]
    happening: Happening,
}

#[derive(Deserialize)]
struct Silence {
    on: bool,
}

pub(super) async fn answer(stream: TcpStream, hub: &Hub) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (method, target, body) = read(&mut stream).await?;
    let (status, body) = respond(hub, &method, &target, &body);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<(String, String, Vec<u8>)> {
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut length = 0;
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).await? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length.min(MAX_BODY)];
    stream.read_exact(&mut body).await?;
    Ok((method, target, body))
}

fn respond(hub: &Hub, method: &str, target: &str, body: &[u8]) -> (&'static str, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let bad = |error: serde_json::Error| ("400 Bad Request", json!({ "error": error.to_string() }));
    let done = ("200 OK", json!({ "ok": true }));
    match (method, path) {
        ("GET", "/frames") => {
            let after = query.strip_prefix("after=").and_then(|after| after.parse().ok()).unwrap_or(0);
            ("200 OK", json!(hub.frames(after)))
        }
        ("POST", "/say") => match serde_json::from_slice::<Speech>(body) {
            Ok(speech) if speech.channel.is_empty() || speech.nick.is_empty() || speech.text.is_empty() => {
                ("400 Bad Request", json!({ "error": "channel, nick and text" }))
            }
            Ok(speech) => ("200 OK", json!({ "ok": true, "id": hub.say(&speech) })),
            Err(error) => bad(error),
        },
        ("POST", "/happen") => match serde_json::from_slice::<Happens>(body) {
            Ok(it) => {
                hub.happen(&it.channel, &it.happening);
                done
            }
            Err(error) => bad(error),
        },
        ("POST", "/silence") => match serde_json::from_slice::<Silence>(body) {
            Ok(silence) => {
                hub.silence(silence.on);
                done
            }
            Err(error) => bad(error),
        },
        ("POST", "/faults") => match serde_json::from_slice::<Fault>(body) {
            Ok(fault) => {
                hub.push_fault(fault);
                done
            }
            Err(error) => bad(error),
        },
        ("POST", "/reconnect") => {
            hub.reconnect();
            done
        }
        ("POST", "/drop") => {
            hub.drop_all();
            done
        }
        _ => ("404 Not Found", json!({ "error": "unknown path" })),
    }
}
