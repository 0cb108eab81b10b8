//! The place where news are told: Centrifugo's protocol, version 2 (PLATFORMS 7).

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use centrifugo::{Command, Refusal, Request, Said, commands};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{interval_at, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::hub::{Connection, Hub, Out, is_open};

/// How long the answer to a ping may take.
const PONG_WITHIN: Duration = Duration::from_secs(8);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Leaves the hub when its connection ends, however it ends.
struct Guest<'a> {
    hub: &'a Hub,
    id: u64,
    connected: bool,
    /// Its token ends then.
    ends: Option<Instant>,
    pong_by: Option<Instant>,
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.hub.state().connections.remove(&self.id);
    }
}

pub(super) async fn serve(stream: TcpStream, hub: &Hub) -> io::Result<()> {
    let mut socket = accept_async(stream).await.map_err(io::Error::other)?;
    let (out, mut outgoing) = mpsc::unbounded_channel();
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    hub.state().connections.insert(id, Connection { out, sockets: std::collections::HashSet::new() });
    let mut guest = Guest { hub, id, connected: false, ends: None, pong_by: None };
    let every = hub.settings.ping_every;
    let mut ping = interval_at(tokio::time::Instant::now() + every, every);
    let far = Duration::from_secs(86_400);
    loop {
        let due = guest.ends.into_iter().chain(guest.pong_by).min().unwrap_or_else(|| Instant::now() + far);
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => match guest.hear(&text) {
                    Ok(answers) if answers.is_empty() => {}
                    // Several objects in one frame, as a server does that has more to say than one.
                    Ok(answers) => socket.send(Message::text(answers.join("\n"))).await.map_err(io::Error::other)?,
                    Err(code) => return hang_up(&mut socket, code).await,
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            out = outgoing.recv() => match out {
                Some(Out::Frame(frame)) => socket.send(Message::text(frame)).await.map_err(io::Error::other)?,
                Some(Out::Close(code)) => return hang_up(&mut socket, code).await,
                None => return Ok(()),
            },
            _ = ping.tick(), if guest.connected => {
                if !hub.state().silent {
                    guest.pong_by = Some(Instant::now() + PONG_WITHIN);
                    socket.send(Message::text("{}")).await.map_err(io::Error::other)?;
                }
            },
            () = sleep_until(due.into()) => {
                let code = if guest.ends.is_some_and(|ends| ends <= Instant::now()) { 3005 } else { 3012 };
                return hang_up(&mut socket, code).await;
            }
        }
    }
}

async fn hang_up(socket: &mut WebSocketStream<TcpStream>, code: u16) -> io::Result<()> {
    let reason = match code {
        3001 => "shutdown",
        3005 => "connection expired",
        3012 => "no pong",
        3500 => "invalid token",
        _ => "bad request",
    };
    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
    socket.close(Some(frame)).await.map_err(io::Error::other)
}

/// What is left out is nothing.
fn granted(ends: Option<Instant>) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(ends) = ends {
        body.insert("expires".to_owned(), json!(true));
        body.insert("ttl".to_owned(), json!(ends.saturating_duration_since(Instant::now()).as_secs().max(1)));
    }
    body
}

impl Guest<'_> {
    /// What it answers, or with which code it hangs up.
    fn hear(&mut self, frame: &str) -> Result<Vec<String>, u16> {
        let mut answers = Vec::new();
        for said in commands(frame) {
            match said.map_err(|_| 3501_u16)? {
                Said::Pong => self.pong_by = None,
                Said::Other(id) => answers.push(refused(id, 104, "method not found")),
                Said::Command(Command { id, request }) => {
                    if self.connected == matches!(request, Request::Connect { .. }) {
                        return Err(3501);
                    }
                    answers.push(self.answer(id, &request)?);
                }
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, id: u32, request: &Request) -> Result<String, u16> {
        let method = request.method();
        let said = match request {
            Request::Connect { token, .. } => match self.takes(token, None)? {
                Ok(ends) => {
                    (self.connected, self.ends) = (true, ends);
                    let mut body = granted(ends);
                    body.insert("client".to_owned(), json!(self.id.to_string()));
                    body.insert("version".to_owned(), json!("5.4.0"));
                    body.insert("ping".to_owned(), json!(self.hub.settings.ping_every.as_secs()));
                    body.insert("pong".to_owned(), json!(true));
                    Ok(body)
                }
                Err(refusal) => Err(refusal),
            },
            Request::Refresh { token } => match self.takes(token, None)? {
                Ok(ends) => {
                    self.ends = ends;
                    self.hub.state().refreshes += 1;
                    Ok(granted(ends))
                }
                Err(refusal) => Err(refusal),
            },
            Request::Subscribe { channel, token, from } => self.subscribe(channel, token.as_deref(), from.as_ref())?,
            Request::SubRefresh { channel, token } => self.takes(token, Some(channel))?.map(granted),
            Request::Unsubscribe { channel } => {
                if let Some(own) = self.hub.state().connections.get_mut(&self.id) {
                    own.sockets.remove(channel);
                }
                Ok(Map::new())
            }
        };
        Ok(match said {
            Ok(body) => json!({ "id": id, method: body }).to_string(),
            Err(refusal) => json!({ "id": id, "error": refusal }).to_string(),
        })
    }

    /// When a token ends, if it is one for this.
    fn takes(&self, token: &str, socket: Option<&str>) -> Result<Result<Option<Instant>, Refusal>, u16> {
        let known = self.hub.state().tokens.get(token).cloned();
        match known {
            Some((of, ends)) if of.as_deref() == socket => {
                let over = ends.is_some_and(|ends| ends <= Instant::now());
                let refusal =
                    Refusal { code: Refusal::TOKEN_EXPIRED, message: "token expired".to_owned(), temporary: false };
                Ok(if over { Err(refusal) } else { Ok(ends) })
            }
            _ if socket.is_some() => {
                Ok(Err(Refusal { code: 103, message: "permission denied".to_owned(), temporary: false }))
            }
            _ => Err(3500),
        }
    }

    fn subscribe(
        &self,
        channel: &str,
        token: Option<&str>,
        from: Option<&(String, u64)>,
    ) -> Result<Result<Map<String, Value>, Refusal>, u16> {
        let ends = match token {
            None if is_open(channel) => Ok(None),
            token => self.takes(token.unwrap_or_default(), Some(channel))?,
        };
        let ends = match ends {
            Ok(ends) => ends,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut state = self.hub.state();
        let history = state.histories.entry(channel.to_owned()).or_default().clone();
        let Some(own) = state.connections.get_mut(&self.id) else { return Err(3000) };
        if !own.sockets.insert(channel.to_owned()) {
            let refusal = Refusal {
                code: Refusal::ALREADY_SUBSCRIBED,
                message: "already subscribed".to_owned(),
                temporary: false,
            };
            return Ok(Err(refusal));
        }
        let mut body = granted(ends);
        body.insert("recoverable".to_owned(), json!(true));
        body.insert("positioned".to_owned(), json!(true));
        body.insert("epoch".to_owned(), json!(history.epoch));
        if history.offset > 0 {
            body.insert("offset".to_owned(), json!(history.offset));
        }
        if let Some((epoch, offset)) = from {
            body.insert("was_recovering".to_owned(), json!(true));
            let missed: Vec<_> = history.kept.iter().filter(|publication| publication.offset > *offset).collect();
            let whole = *epoch == history.epoch && history.offset.saturating_sub(*offset) == missed.len() as u64;
            if whole {
                body.insert("recovered".to_owned(), json!(true));
                body.insert("publications".to_owned(), json!(missed));
            }
        }
        Ok(Ok(body))
    }
}

fn refused(id: u32, code: u32, message: &str) -> String {
    json!({ "id": id, "error": { "code": code, "message": message } }).to_string()
}
