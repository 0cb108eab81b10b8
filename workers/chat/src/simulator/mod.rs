//! A Twitch to talk to: IRC over WebSocket and over plain TCP, and HTTP to steer it, all on one port.
//!
//! Faithful where a client can tell the difference (PLATFORMS 1.4, 1.5, 10): capabilities, login and its two failures,
//! numerics, join and part with their state lines, several lines in one frame, PING both ways, tags for those who asked,
//! no echo of one's own messages on the same connection, USERSTATE as confirmation, the limits of an account, RECONNECT.
//! Beyond Twitch: everybody may speak under any name (`PASS oauth:anything`), except with one of the bad tokens.
//!
//! HTTP, JSON in and out:
//!
//! | request | does |
//! |---|---|
//! | `GET /frames?after=N` | what clients sent: `[{seq, connection, transport, nick, line}]`, secrets removed |
//! | `POST /say {"channel","nick","text"}` | a viewer speaks |
//! | `POST /reconnect` | tells everybody `RECONNECT` and hangs up |
//! | `POST /drop` | hangs up on everybody without a word |
//! | `POST /faults {"fault":"lose"}` | takes the next message into the chat and hangs up instead of confirming it |
//! | `POST /faults {"fault":"refuse","code":"msg_slowmode"}` | refuses the next message with this NOTICE |

mod control;
mod hub;
mod protocol;
mod transport;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use hub::Hub;
pub use hub::{Fault, Frame};

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Tokens (without `oauth:`) that are refused.
    pub bad_tokens: Vec<String>,
    /// An account may send 20 messages and join 20 chats in their windows; more is refused.
    pub enforce_limits: bool,
    /// The same text of the same account within 30 s is refused.
    pub refuse_duplicates: bool,
    /// The server asks for a sign of life this often.
    pub ping_every: Duration,
}

impl Settings {
    /// As strict as Twitch but for copies: people at a demo say the same thing twice.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            bad_tokens: vec!["bad".to_owned()],
            enforce_limits: true,
            refuse_duplicates: false,
            ping_every: Duration::from_secs(300),
        }
    }
}

/// A running simulator; clones steer the same one.
#[derive(Debug, Clone)]
pub struct Simulator {
    hub: Arc<Hub>,
    address: SocketAddr,
}

impl Simulator {
    /// Listens, and serves until stopped.
    ///
    /// # Errors
    /// The address cannot be taken.
    pub async fn start(settings: Settings, stop: CancellationToken) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address).await?;
        let address = listener.local_addr()?;
        let hub = Arc::new(Hub::new(settings));
        tokio::spawn(transport::serve(listener, hub.clone(), stop));
        Ok(Self { hub, address })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `TWITCH_IRC_URL`.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// For `TWITCH_IRC_SEND_URL`.
    #[must_use]
    pub fn plain_url(&self) -> String {
        format!("irc://{}", self.address)
    }

    /// What clients sent, in order.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        self.hub.frames(0)
    }

    /// Lines that clients sent with this command into this channel, e.g. `PRIVMSG`.
    #[must_use]
    pub fn received(&self, command: &str, channel: &str) -> Vec<Frame> {
        let begins = format!("{command} #{channel}");
        let is_it = |frame: &Frame| {
            let untagged = frame.line.strip_prefix('@').and_then(|line| line.split_once(' ')).map(|(_, rest)| rest);
            let rest = untagged.unwrap_or(&frame.line).strip_prefix(&begins);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        self.frames().into_iter().filter(is_it).collect()
    }

    /// Connections that are in the channel now.
    #[must_use]
    pub fn members(&self, channel: &str) -> usize {
        self.hub.members(channel)
    }

    /// A viewer speaks.
    pub fn say(&self, channel: &str, nick: &str, text: &str) {
        self.hub.say(channel, nick, text);
    }

    /// A line, as it is, to everybody in the channel.
    pub fn inject(&self, channel: &str, line: &[u8]) {
        self.hub.inject(channel, line);
    }

    /// For the next message that anybody sends.
    pub fn fault(&self, fault: Fault) {
        self.hub.push_fault(fault);
    }

    /// Tells everybody `RECONNECT` and hangs up.
    pub fn reconnect(&self) {
        self.hub.reconnect();
    }

    /// Hangs up on everybody without a word.
    pub fn drop_all(&self) {
        self.hub.drop_all();
    }
}
