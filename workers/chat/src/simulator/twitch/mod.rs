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
//! | `POST /say {"channel","nick","text","badges":["moderator","subscriber/12"],"bits":100,"id"}` | a viewer speaks; answers the message's id. All but the first three may be left out |
//! | `POST /happen {"channel","event":"delete","id"}` | a message is deleted |
//! | `POST /happen {"channel","event":"ban","nick","seconds":60}` | somebody is timed out; without `seconds` banned |
//! | `POST /happen {"channel","event":"clear"}` | all messages are taken away |
//! | `POST /happen {"channel","event":"sub","nick","months":6,"text"}` | somebody subscribes, or does so again |
//! | `POST /happen {"channel","event":"gift","nick","to"}` | somebody gives a subscription; `"count":5` instead of `to` to whoever is there |
//! | `POST /happen {"channel","event":"raid","nick","viewers":15}` | somebody comes with their viewers |
//! | `POST /happen {"channel","event":"notice","code":"msg_banned","text"}` | the server says something |
//! | `POST /reconnect` | tells everybody `RECONNECT` and hangs up |
//! | `POST /drop` | hangs up on everybody without a word |
//! | `POST /faults {"fault":"lose"}` | takes the next message into the chat and hangs up instead of confirming it |
//! | `POST /silence {"on":true}` | nobody is answered or told anything, and connections stay open, until `false` |
//! | `POST /faults {"fault":"ignore"}` | the next message goes nowhere, and nobody says so |
//! | `POST /faults {"fault":"refuse","code":"msg_slowmode"}` | refuses the next message with this NOTICE |

mod control;
mod happenings;
mod hub;
mod protocol;
mod transport;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use happenings::{Happening, Speech};
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
        let (channel, nick, text) = (channel.to_owned(), nick.to_lowercase(), text.to_owned());
        self.speak(&Speech { channel, nick, text, ..Speech::default() });
    }

    /// A viewer speaks, with badges, bits, an id; the message's id.
    pub fn speak(&self, speech: &Speech) -> String {
        self.hub.say(speech)
    }

    /// Something happens in the channel beside words.
    pub fn happen(&self, channel: &str, happening: &Happening) {
        self.hub.happen(channel, happening);
    }

    /// Nobody is answered or told anything, and connections stay open; or no longer.
    pub fn silence(&self, silent: bool) {
        self.hub.silence(silent);
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
