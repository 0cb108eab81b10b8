//! A VK Video Live to talk to: its API and the place where news are told, both on one port.
//!
//! Faithful where a client can tell the difference (PLATFORMS 3, 7): answers in `data`, refusals by code, a message is taken
//! only for the stream that goes on, tokens for a connection and for those sockets that are not open to all, both of which
//! end; several objects in one frame, pings from the server and a connection that ends without their answer, positions and
//! what was missed since, its close codes. Who asks is known by the token that the simulator of logins
//! ([`identity::simulator`]) has given. Beyond VK Video: every name is a channel.
//!
//! HTTP to steer it, JSON in and out:
//!
//! | request | does |
//! |---|---|
//! | `GET /calls` | what the API was asked: `[{method, path, caller, status}]` |
//! | `GET /said` | messages that the API has put into chats: `[{channel, sender, text}]` |
//! | `POST /say {"channel","nick","text","roles":["r1"],"moderator":true,"limited":true,"id":7}` | a viewer speaks; answers the message's id. All but the first three may be left out |
//! | `POST /live {"channel","on":true}` | the channel's stream begins, or is over |
//! | `POST /redeem {"channel","nick","reward","id":"..."}` | somebody redeems a reward for channel points |
//! | `POST /tell {"channel","socket":"info","data":{...}}` | anything, on one of the channel's sockets: `chat`, `limited_chat`, `info`, `channel_points` |
//! | `POST /drop {"code":3001}` | hangs up on everybody, with this close code |
//! | `POST /faults {"path":"/v1/channel","status":500,"code":"internal"}` | the next such question is refused |

mod api;
mod hub;
mod pubsub;

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use identity::simulator::Simulator as Identity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::http;
use hub::Hub;
pub use hub::{Call, Said};

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The server asks for a sign of life this often, in whole seconds.
    pub ping_every: Duration,
    /// How long tokens are good; none: for ever.
    pub tokens_last: Option<Duration>,
    /// Publications that a socket keeps for those who come back.
    pub history: usize,
}

impl Settings {
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { address, ping_every: Duration::from_secs(25), tokens_last: None, history: 100 }
    }
}

/// What a viewer says, and how they show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Speech {
    pub channel: String,
    pub nick: String,
    pub text: String,
    /// Ids of the channel's roles.
    pub roles: Vec<String>,
    pub moderator: bool,
    /// In the chat of those who may write while it is limited.
    pub limited: bool,
    /// The message's id; 0: a new one.
    pub id: u64,
}

/// A question that is refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    pub path: String,
    pub status: u16,
    #[serde(default)]
    pub code: String,
}

/// A running simulator; clones steer the same one.
#[derive(Debug, Clone)]
pub struct Simulator {
    hub: Arc<Hub>,
    address: SocketAddr,
}

impl Simulator {
    /// Listens, and serves until stopped; `identity` knows whose a token is.
    ///
    /// # Errors
    /// The address cannot be taken.
    pub async fn start(settings: Settings, identity: Identity, stop: CancellationToken) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address).await?;
        let address = listener.local_addr()?;
        let hub = Arc::new(Hub::new(settings, identity));
        tokio::spawn(serve(listener, hub.clone(), stop));
        Ok(Self { hub, address })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `VKVIDEO_API_BASE_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// For `VKVIDEO_PUBSUB_WS_URL`.
    #[must_use]
    pub fn pubsub_url(&self) -> String {
        format!("ws://{}/connection/websocket?format=json&cf_protocol_version=v2", self.address)
    }

    /// The id of the channel with this name; its owner's is another one.
    #[must_use]
    pub fn channel_id(slug: &str) -> String {
        hub::channel_id(slug).to_string()
    }

    /// A viewer speaks; the message's id.
    pub fn speak(&self, speech: &Speech) -> u64 {
        self.hub.state().speak(speech)
    }

    /// A viewer says something.
    pub fn say(&self, channel: &str, nick: &str, text: &str) -> u64 {
        let (channel, nick, text) = (channel.to_owned(), nick.to_owned(), text.to_owned());
        self.speak(&Speech { channel, nick, text, ..Speech::default() })
    }

    /// A message is taken out of the chat.
    pub fn delete(&self, channel: &str, id: u64) {
        self.hub.state().delete(channel, id);
    }

    /// The channel's stream begins, or is over.
    pub fn set_live(&self, channel: &str, live: bool) {
        self.hub.state().set_live(channel, live);
    }

    /// Whether its stream goes on is told by nobody any more: only who asks hears of it.
    pub fn keep_quiet_about_streams(&self) {
        self.hub.state().quiet = true;
    }

    /// Somebody redeems a reward for channel points, under an id of the redemption.
    pub fn redeem(&self, channel: &str, nick: &str, reward: &str, id: &str) {
        self.hub.state().redeem(channel, nick, reward, id);
    }

    /// Anything, on a socket of the channel.
    pub fn tell(&self, channel: &str, socket: &str, data: &Value) {
        self.hub.state().publish(&hub::socket(channel, socket), data);
    }

    /// Connections that listen to the channel's chat.
    #[must_use]
    pub fn members(&self, channel: &str) -> usize {
        self.hub.state().members(&hub::socket(channel, "chat"))
    }

    /// Messages that the API has put into chats, in order.
    #[must_use]
    pub fn said(&self) -> Vec<Said> {
        self.hub.state().said.clone()
    }

    /// What the API was asked, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.hub.state().calls.clone()
    }

    /// The next question that it fits is refused.
    pub fn fault(&self, path: &str, status: u16, code: &str) {
        let (path, code) = (path.to_owned(), code.to_owned());
        self.hub.state().faults.push_back(Fault { path, status, code });
    }

    /// Hangs up on everybody, with this close code.
    pub fn drop_all(&self, code: u16) {
        self.hub.state().drop_all(code);
    }

    /// What sockets have kept is gone, as after a restart of the server.
    pub fn forget_histories(&self) {
        self.hub.state().histories.clear();
    }

    /// Nobody is told anything, and connections stay open; or no longer.
    pub fn silence(&self, silent: bool) {
        self.hub.state().silent = silent;
    }

    /// Tokens that have been shown instead of older ones.
    #[must_use]
    pub fn refreshes(&self) -> usize {
        self.hub.state().refreshes
    }
}

async fn serve(listener: TcpListener, hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (hub, stop) = (hub.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        result = welcome(stream, &hub) => {
                            if let Err(error) = result {
                                tracing::debug!(%error, "a client of the simulator is gone");
                            }
                        }
                    }
                });
            }
        }
    }
}

async fn welcome(mut stream: TcpStream, hub: &Hub) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = http::peek_in_time(&stream).await?;
    if http::is_websocket(&head) {
        return pubsub::serve(stream, hub).await;
    }
    let request = http::Request::read(&mut stream).await?;
    let (status, body) = api::respond(&request, hub);
    http::answer(&mut stream, status, &body).await
}

/// The oldest fault that fits.
fn taken(faults: &mut VecDeque<Fault>, path: &str) -> Option<Fault> {
    let at = faults.iter().position(|fault| fault.path == path)?;
    faults.remove(at)
}
