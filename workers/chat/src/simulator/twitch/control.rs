//! The HTTP side: one request a connection, small bodies. For tests, demos and people with curl; not for the internet.

use std::io;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{
    super::http::{self, Request},
    happenings::{Happening, Speech},
    hub::{Fault, Hub},
};

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

pub(super) async fn answer(mut stream: TcpStream, hub: &Hub) -> io::Result<()> {
    let request = Request::read(&mut stream).await?;
    let (status, body) = respond(hub, &request);
    http::answer(&mut stream, status, &body).await
}

fn respond(hub: &Hub, request: &Request) -> (u16, Value) {
    let body = &request.body;
    let bad = |error: serde_json::Error| (400, json!({ "error": error.to_string() }));
    let done = (200, json!({ "ok": true }));
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/frames") => {
            let after = request.given("after").parse().unwrap_or(0);
            (200, json!(hub.frames(after)))
        }
        ("POST", "/say") => match serde_json::from_slice::<Speech>(body) {
            Ok(speech) if speech.channel.is_empty() || speech.nick.is_empty() || speech.text.is_empty() => {
                (400, json!({ "error": "channel, nick and text" }))
            }
            Ok(speech) => (200, json!({ "ok": true, "id": hub.say(&speech) })),
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
        _ => (404, json!({ "error": "unknown path" })),
    }
}
