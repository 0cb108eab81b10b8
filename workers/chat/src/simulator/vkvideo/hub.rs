//! What VK Video knows.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use centrifugo::Publication;
use domain::identities::Provider;
use identity::simulator::Simulator as Identity;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::{Fault, Settings, Speech};

/// Messages of a chat that can be asked for.
const KEPT_MESSAGES: usize = 200;

/// A question to the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    pub method: String,
    /// Without its query.
    pub path: String,
    /// Whose token it was: a nick, or `app`; empty for a token that is none.
    pub caller: String,
    pub status: u16,
}

/// A message that the API has put into a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    pub channel: String,
    pub sender: String,
    pub text: String,
}

/// What goes to a connection.
pub(super) enum Out {
    Frame(String),
    Close(u16),
}

pub(super) struct Connection {
    pub(super) out: UnboundedSender<Out>,
    pub(super) sockets: HashSet<String>,
}

#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) epoch: String,
    pub(super) offset: u64,
    pub(super) kept: VecDeque<Publication>,
}

impl Default for History {
    fn default() -> Self {
        Self { epoch: Uuid::new_v4().simple().to_string()[..4].to_owned(), offset: 0, kept: VecDeque::new() }
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) connections: HashMap<u64, Connection>,
    pub(super) histories: HashMap<String, History>,
    /// Tokens for connections (of no socket) and for sockets, and when they end.
    pub(super) tokens: HashMap<String, (Option<String>, Option<Instant>)>,
    /// Streams that go on: id and begin.
    pub(super) live: HashMap<String, (String, i64)>,
    pub(super) messages: HashMap<String, VecDeque<Value>>,
    pub(super) said: Vec<Said>,
    pub(super) calls: Vec<Call>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) refreshes: usize,
    pub(super) silent: bool,
    pub(super) quiet: bool,
    history: usize,
    last_id: u64,
}

pub(super) struct Hub {
    pub(super) settings: Settings,
    pub(super) identity: Identity,
    state: Mutex<State>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Hub {
    pub(super) fn new(settings: Settings, identity: Identity) -> Self {
        let state = State { history: settings.history, last_id: 1000, ..State::default() };
        Self { settings, identity, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new token, for a connection or for a socket.
    pub(super) fn token(&self, socket: Option<&str>) -> String {
        let token = Uuid::new_v4().to_string();
        let ends = self.settings.tokens_last.map(|last| Instant::now() + last);
        self.state().tokens.insert(token.clone(), (socket.map(str::to_owned), ends));
        token
    }
}

/// Of the account with this nick, the same as where it logs in.
pub(super) fn person_id(nick: &str) -> u64 {
    Identity::subject(Provider::VkVideo, &nick.to_lowercase()).parse().unwrap_or_default()
}

pub(super) fn channel_id(slug: &str) -> u64 {
    person_id(slug) % 1_000_000 + 4_000_000
}

/// The name under which a kind of the channel's news is told.
pub(super) fn socket(slug: &str, kind: &str) -> String {
    format!("api-channel-{}:{}", kind.replace('_', "-"), channel_id(slug))
}

/// Whether everybody may listen without a token.
pub(super) fn is_open(socket: &str) -> bool {
    socket.starts_with("api-channel-chat:") || socket.starts_with("api-channel-info:")
}

impl State {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn members(&self, socket: &str) -> usize {
        self.connections.values().filter(|connection| connection.sockets.contains(socket)).count()
    }

    pub(super) fn publish(&mut self, socket: &str, data: &Value) {
        let most = self.history;
        let history = self.histories.entry(socket.to_owned()).or_default();
        history.offset += 1;
        let publication = Publication { data: data.clone(), offset: history.offset };
        history.kept.push_back(publication.clone());
        while history.kept.len() > most {
            history.kept.pop_front();
        }
        if self.silent {
            return;
        }
        let frame = json!({ "push": { "channel": socket, "pub": publication } }).to_string();
        for connection in self.connections.values().filter(|connection| connection.sockets.contains(socket)) {
            // One that is gone hears nothing.
            drop(connection.out.send(Out::Frame(frame.clone())));
        }
    }

    pub(super) fn speak(&mut self, speech: &Speech) -> u64 {
        let id = if speech.id == 0 { self.next_id() } else { speech.id };
        let channel = speech.channel.to_lowercase();
        let roles: Vec<Value> =
            speech.roles.iter().map(|id| json!({ "id": id, "name": id, "small_url": "" })).collect();
        let message = json!({
            "id": id, "created_at": OffsetDateTime::now_utc().unix_timestamp(), "is_private": false,
            "author": {
                "id": person_id(&speech.nick), "nick": speech.nick, "nick_color": 3, "avatar_url": "",
                "is_owner": speech.nick.to_lowercase() == channel, "is_moderator": speech.moderator,
                "badges": [], "roles": roles
            },
            "parts": [{ "text": { "content": speech.text } }]
        });
        let kept = self.messages.entry(channel.clone()).or_default();
        kept.push_back(message.clone());
        while kept.len() > KEPT_MESSAGES {
            kept.pop_front();
        }
        let kind = if speech.limited { "limited_chat" } else { "chat" };
        let told = json!({ "type": "channel_chat_message_send", "data": { "chat_message": message } });
        self.publish(&socket(&channel, kind), &told);
        id
    }

    pub(super) fn delete(&mut self, channel: &str, id: u64) {
        if let Some(kept) = self.messages.get_mut(channel) {
            kept.retain(|message| message["id"] != id);
        }
        let told = json!({ "type": "channel_chat_message_delete", "data": { "chat_message": { "id": id } } });
        self.publish(&socket(channel, "chat"), &told);
    }

    pub(super) fn set_live(&mut self, channel: &str, live: bool) {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let told = if live {
            let id = Uuid::new_v4().to_string();
            self.live.insert(channel.to_owned(), (id.clone(), now));
            json!({ "type": "channel_stream_start", "data": { "stream": { "id": id, "title": "A stream", "started_at": now } } })
        } else {
            let id = self.live.remove(channel).map(|(id, _)| id);
            json!({ "type": "channel_stream_stop", "data": { "stream": { "id": id, "ended_at": now } } })
        };
        if !self.quiet {
            self.publish(&socket(channel, "info"), &told);
        }
    }

    pub(super) fn redeem(&mut self, channel: &str, nick: &str, reward: &str, id: &str) {
        let demand = json!({
            "id": id, "created_at": OffsetDateTime::now_utc().unix_timestamp(), "status": "pending",
            "user": { "id": person_id(nick), "nick": nick, "nick_color": 0 }, "reward": { "id": reward, "name": reward, "price": 100 },
            "message_parts": []
        });
        let told = json!({ "type": "channel_points_reward_demand_create", "data": { "demand": demand } });
        self.publish(&socket(channel, "channel_points"), &told);
    }

    pub(super) fn drop_all(&mut self, code: u16) {
        for (_, connection) in self.connections.drain() {
            drop(connection.out.send(Out::Close(code)));
        }
    }
}
