//! One connection to Twitch's IRC.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use irc::Line;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{
    Settings,
    wire::{self, Meaning},
};
use crate::platforms::{ConnectError, Heard, Lost};

/// Logged in, ready to join.
pub struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// One frame may hold several lines: those not yet handed out.
    lines: VecDeque<Vec<u8>>,
    login: String,
}

impl Session {
    pub(super) async fn open(settings: &Settings, nick: &str) -> Result<Self, ConnectError> {
        let (socket, _) =
            connect_async(settings.url.as_str()).await.map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        let mut session = Self { socket, lines: VecDeque::new(), login: nick.to_owned() };
        session.log_in(settings).await?;
        Ok(session)
    }

    async fn log_in(&mut self, settings: &Settings) -> Result<(), ConnectError> {
        let lost = |Lost(reason)| ConnectError::Unreachable(reason);
        let pass = settings.account.as_ref().map(|account| Line::new("PASS", [account.token.pass().as_str()]));
        let hello = [
            Some(Line::new("CAP", ["REQ", "twitch.tv/tags twitch.tv/commands"])),
            pass,
            Some(Line::new("NICK", [self.login.as_str()])),
        ];
        for line in hello.into_iter().flatten() {
            self.send(&line).await.map_err(lost)?;
        }
        loop {
            let bytes = self.line().await.map_err(lost)?;
            let Ok(line) = Line::parse_bytes(&bytes) else { continue };
            match line.command.as_str() {
                // End of the greeting.
                "376" => return Ok(()),
                "NOTICE" => {
                    let reason = line.params.last().cloned().unwrap_or_default();
                    return Err(ConnectError::Refused(reason));
                }
                "PING" => self.pong(line.params.last().map_or("", String::as_str)).await.map_err(lost)?,
                _ => {}
            }
        }
    }

    pub(in crate::platforms) async fn next(&mut self) -> Result<Heard, Lost> {
        let bytes = self.line().await?;
        Ok(match wire::meaning(&bytes, &self.login) {
            Meaning::Joined(login) => Heard::Joined { login },
            Meaning::NotJoined(login, reason) => Heard::NotJoined { login, reason },
            Meaning::Parted(login) => Heard::Parted { login },
            Meaning::Content(login) => Heard::Line { login, bytes },
            Meaning::Ping(token) => Heard::Ping(token),
            Meaning::Reconnect => Heard::Reconnect,
            Meaning::Other => Heard::Other,
        })
    }

    pub(in crate::platforms) async fn join(&mut self, login: &str) -> Result<(), Lost> {
        self.send(&Line::new("JOIN", [format!("#{login}").as_str()])).await
    }

    pub(in crate::platforms) async fn part(&mut self, login: &str) -> Result<(), Lost> {
        self.send(&Line::new("PART", [format!("#{login}").as_str()])).await
    }

    pub(in crate::platforms) async fn ping(&mut self) -> Result<(), Lost> {
        self.send(&Line::new("PING", ["memalerts"])).await
    }

    pub(in crate::platforms) async fn pong(&mut self, token: &str) -> Result<(), Lost> {
        self.send(&Line::new("PONG", [token])).await
    }

    async fn send(&mut self, line: &Line) -> Result<(), Lost> {
        let frame = Message::text(format!("{line}\r\n"));
        self.socket.send(frame).await.map_err(|error| Lost(error.to_string()))
    }

    /// The next line without its end. Cancel safe: a frame is taken whole or not at all.
    async fn line(&mut self) -> Result<Vec<u8>, Lost> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(line);
            }
            let frame = match self.socket.next().await {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Err(Lost(error.to_string())),
                None => return Err(Lost("the other side hung up".to_owned())),
            };
            let bytes = match &frame {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes.as_ref(),
                // The library answers control frames; a close ends the stream.
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => continue,
            };
            let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            self.lines.extend(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
        }
    }
}
