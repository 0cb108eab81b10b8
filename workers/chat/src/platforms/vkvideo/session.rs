//! One connection to the place where VK Video tells its news.
//!
//! What the API is asked on the way (which sockets a channel has, tokens, what was missed) is asked beside reading, which it
//! never holds up.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    future::pending,
};

use ::vkvideo::{ApiError, Caller, Slug, VkVideo};
use centrifugo::{Client, Closed, Event, Recovery};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, Interval, interval_at},
};

use super::{Positions, Settings, wire};
use crate::platforms::{ConnectError, Heard, Lost};

/// A socket that we listen to.
#[derive(Debug, Clone)]
struct Socket {
    /// Whose it is, as we call the channel.
    login: String,
    /// Its id there.
    account: String,
    /// The one without which nothing is heard of the chat.
    is_chat: bool,
}

/// What the API has told.
enum Told {
    Sockets { login: String, found: Result<Found, String> },
    Token(Result<String, ApiError>),
    SocketToken { socket: String, token: Result<Option<String>, ApiError> },
    Missed { socket: Socket, messages: Result<Vec<Value>, ApiError> },
}

/// Sockets of a channel, each with its token where it is not open to all.
struct Found {
    account: String,
    sockets: Vec<(String, Option<String>, bool)>,
}

/// Logged in, ready to join.
pub struct Session {
    client: Client,
    api: VkVideo,
    positions: Positions,
    /// Channels that we are to listen to.
    wanted: BTreeSet<String>,
    sockets: HashMap<String, Socket>,
    asked: JoinSet<Told>,
    ready: VecDeque<Heard>,
    refresh: Interval,
}

impl Session {
    pub(super) async fn open(settings: &Settings, positions: Positions) -> Result<Self, ConnectError> {
        let token = settings.api.socket_token(Caller::App).await.map_err(|error| match error {
            ApiError::NotConfigured(_) | ApiError::Relink(_) | ApiError::Forbidden(_) | ApiError::Refused { .. } => {
                ConnectError::Refused(error.to_string())
            }
            ApiError::Limited(_) | ApiError::Unavailable(_) | ApiError::Doubtful(_) => {
                ConnectError::Unreachable(error.to_string())
            }
        })?;
        let client = Client::connect(&settings.url, &token).await.map_err(|error| match error {
            centrifugo::ConnectError::Refused(why) => ConnectError::Refused(why),
            // The next one is asked for anew.
            centrifugo::ConnectError::Token(why) | centrifugo::ConnectError::Unreachable(why) => {
                ConnectError::Unreachable(why)
            }
        })?;
        Ok(Self {
            client,
            api: settings.api.clone(),
            positions,
            wanted: BTreeSet::new(),
            sockets: HashMap::new(),
            asked: JoinSet::new(),
            ready: VecDeque::new(),
            refresh: interval_at(Instant::now() + settings.refresh_every, settings.refresh_every),
        })
    }

    /// Cancel safe: an event is taken whole or not at all, and so is what the API has told.
    pub(in crate::platforms) async fn next(&mut self) -> Result<Heard, Lost> {
        loop {
            if let Some(heard) = self.ready.pop_front() {
                return Ok(heard);
            }
            let asked = &mut self.asked;
            let told = async {
                match asked.join_next().await {
                    Some(told) => told,
                    None => pending().await,
                }
            };
            tokio::select! {
                event = self.client.next() => self.hear(event.map_err(lost)?),
                _ = self.refresh.tick() => self.ask_for_token(),
                told = told => match told {
                    Ok(told) => self.learn(told),
                    Err(error) => tracing::error!(%error, "asking VK Video ended badly"),
                },
            }
        }
    }

    pub(in crate::platforms) fn join(&mut self, login: &str) {
        self.wanted.insert(login.to_owned());
        let (api, login) = (self.api.clone(), login.to_owned());
        self.asked.spawn(async move {
            let found = find(&api, &login).await;
            Told::Sockets { login, found }
        });
    }

    pub(in crate::platforms) fn part(&mut self, login: &str) {
        self.wanted.remove(login);
        let gone = self.sockets.extract_if(|_, socket| socket.login == login);
        for (name, _) in gone {
            self.client.unsubscribe(&name);
            self.positions.keep(&name, None);
        }
        self.ready.push_back(Heard::Parted { login: login.to_owned() });
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Connected => self.ready.push_back(Heard::Other),
            Event::Subscribed { channel, recovery } => {
                let Some(socket) = self.sockets.get(&channel).cloned() else { return };
                self.positions.keep(&channel, self.client.position(&channel));
                if socket.is_chat {
                    self.ready.push_back(Heard::Joined { login: socket.login.clone() });
                    if recovery == Recovery::Gap {
                        self.ask_for_missed(socket);
                    }
                }
            }
            Event::Published { channel, data } => {
                let Some(socket) = self.sockets.get(&channel) else { return };
                self.positions.keep(&channel, self.client.position(&channel));
                self.ready.push_back(if wire::is_kept(&data) {
                    Heard::Line {
                        login: Some(socket.login.clone()),
                        bytes: wire::line(&socket.account, &socket.login, data),
                    }
                } else {
                    Heard::Other
                });
            }
            Event::Refused { channel, refusal } => self.silent(&channel, refusal.to_string()),
            Event::Unsubscribed { channel, code, reason } => self.silent(&channel, format!("{reason} ({code})")),
            Event::TokenEnds => self.ask_for_token(),
            Event::ChannelTokenEnds { channel } => {
                let (api, socket) = (self.api.clone(), channel);
                self.asked.spawn(async move {
                    let token = api.channel_tokens(Caller::App, &[&socket]).await.map(|mut all| all.remove(&socket));
                    Told::SocketToken { socket, token }
                });
            }
        }
    }

    fn ask_for_token(&mut self) {
        let api = self.api.clone();
        self.asked.spawn(async move { Told::Token(api.socket_token(Caller::App).await) });
    }

    /// Nothing more is heard of the socket. Where that is the chat, whoever wants it asks again later.
    fn silent(&mut self, name: &str, reason: String) {
        let Some(socket) = self.sockets.remove(name) else { return };
        if socket.is_chat {
            self.ready.push_back(Heard::NotJoined { login: socket.login, reason });
        } else {
            tracing::warn!(socket = name, login = socket.login, reason, "a socket of VK Video stays silent");
        }
    }

    /// The platform keeps the last messages: those that are known already are known by their ids.
    fn ask_for_missed(&mut self, socket: Socket) {
        let Some(slug) = Slug::parse(&socket.login) else { return };
        let api = self.api.clone();
        self.asked.spawn(async move {
            let messages = api.last_messages(Caller::App, &slug).await;
            Told::Missed { socket, messages }
        });
    }

    fn learn(&mut self, told: Told) {
        match told {
            // Left meanwhile.
            Told::Sockets { login, .. } if !self.wanted.contains(&login) => {}
            Told::Sockets { login, found: Err(reason) } => self.ready.push_back(Heard::NotJoined { login, reason }),
            Told::Sockets { login, found: Ok(Found { account, sockets }) } => {
                for (name, token, is_chat) in sockets {
                    self.client.subscribe(&name, token.as_deref(), self.positions.of(&name));
                    let socket = Socket { login: login.clone(), account: account.clone(), is_chat };
                    self.sockets.insert(name, socket);
                }
            }
            Told::Token(Ok(token)) => self.client.refresh(&token),
            // The connection ends with its token, and the next one begins with another.
            Told::Token(Err(error)) => tracing::warn!(%error, "VK Video gives no new token for the connection"),
            Told::SocketToken { socket, token: Ok(Some(token)) } => self.client.refresh_channel(&socket, &token),
            Told::SocketToken { socket, token } => {
                let error = token.err().map(|error| error.to_string());
                tracing::warn!(socket, error, "VK Video gives no new token for a socket");
            }
            Told::Missed { socket, messages: Ok(messages) } => {
                let line = |message: &Value| Heard::Line {
                    login: Some(socket.login.clone()),
                    bytes: wire::line_of_message(&socket.account, &socket.login, message),
                };
                self.ready.extend(messages.iter().map(line));
            }
            Told::Missed { socket, messages: Err(error) } => {
                tracing::warn!(login = socket.login, %error, "what was missed of a chat is lost");
            }
        }
    }
}

fn lost(closed: Closed) -> Lost {
    Lost(closed.to_string())
}

async fn find(api: &VkVideo, login: &str) -> Result<Found, String> {
    let slug = Slug::parse(login).ok_or("this is no name of a channel")?;
    let channel = api.channel(Caller::App, &slug).await.map_err(|error| error.to_string())?;
    let channel = channel.ok_or("there is no such channel")?;
    let chat = channel.sockets.chat.ok_or("the channel has no chat")?;
    let others = [channel.sockets.limited_chat, channel.sockets.info, channel.sockets.channel_points];
    let names: Vec<String> = std::iter::once(chat).chain(others.into_iter().flatten()).collect();
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut tokens = api.channel_tokens(Caller::App, &asked).await.map_err(|error| error.to_string())?;
    let sockets = names.into_iter().enumerate().map(|(place, name)| {
        let token = tokens.remove(&name);
        (name, token, place == 0)
    });
    Ok(Found { account: channel.id, sockets: sockets.collect() })
}
