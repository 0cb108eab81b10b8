//! Who is connected, who is where, and what was said.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use irc::{Line, Tags};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    Settings,
    happenings::{Happening, Speech},
};

pub(super) type ClientId = u64;

/// Frames kept for inspection; older ones are forgotten.
const KEPT_FRAMES: usize = 100_000;
const SEND_LIMIT: (usize, Duration) = (20, Duration::from_secs(30));
const JOIN_LIMIT: (usize, Duration) = (20, Duration::from_secs(10));
const DUPLICATE_WINDOW: Duration = Duration::from_secs(30);

/// A line that a client sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    pub seq: u64,
    pub connection: u64,
    /// `websocket` or `tcp`.
    pub transport: &'static str,
    pub nick: Option<String>,
    /// Without its end; the value of `PASS` is removed.
    pub line: String,
}

/// What shall go wrong with the next message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "lowercase")]
pub enum Fault {
    /// It appears in the chat, and the connection is cut before the confirmation.
    Lose,
    /// It goes nowhere and nobody says so; the connection stays open.
    Ignore,
    /// It is refused with this NOTICE.
    Refuse { code: String },
}

/// What goes to a client.
#[derive(Debug)]
pub(super) enum Out {
    /// One frame, which may hold several lines.
    Lines(Vec<u8>),
    Close,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) transport: &'static str,
    pub(super) out: mpsc::UnboundedSender<Out>,
    pub(super) pass: Option<String>,
    /// Logged in as.
    pub(super) nick: Option<String>,
    pub(super) tags: bool,
    pub(super) commands: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) rooms: HashMap<String, BTreeSet<ClientId>>,
    frames: VecDeque<Frame>,
    next_client: ClientId,
    next_frame: u64,
    faults: VecDeque<Fault>,
    /// By account: moments of messages and of joins within their windows.
    sends: HashMap<String, VecDeque<Instant>>,
    joins: HashMap<String, VecDeque<Instant>>,
    said: HashMap<(String, String), (String, Instant)>,
    /// Nobody is answered and nobody is told anything; connections stay open.
    pub(super) silent: bool,
}

#[derive(Debug)]
pub(super) struct Hub {
    pub(super) settings: Settings,
    state: Mutex<State>,
}

impl Hub {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arrive(&self, transport: &'static str, out: mpsc::UnboundedSender<Out>) -> ClientId {
        let mut state = self.state();
        state.next_client += 1;
        let id = state.next_client;
        let client = Client { transport, out, pass: None, nick: None, tags: false, commands: false };
        state.clients.insert(id, client);
        id
    }

    pub(super) fn leave(&self, id: ClientId) {
        let mut state = self.state();
        state.clients.remove(&id);
        for members in state.rooms.values_mut() {
            members.remove(&id);
        }
    }

    pub(super) fn ping(&self, id: ClientId) {
        self.state().send(id, &[Line::new("PING", ["tmi.twitch.tv"])]);
    }

    pub(super) fn frames(&self, after: u64) -> Vec<Frame> {
        self.state().frames.iter().filter(|frame| frame.seq > after).cloned().collect()
    }

    pub(super) fn members(&self, channel: &str) -> usize {
        self.state().rooms.get(channel).map_or(0, BTreeSet::len)
    }

    pub(super) fn say(&self, speech: &Speech) -> String {
        self.state().speak(None, speech, &Tags::new())
    }

    pub(super) fn happen(&self, channel: &str, happening: &Happening) {
        self.state().happen(channel, happening);
    }

    pub(super) fn silence(&self, silent: bool) {
        self.state().silent = silent;
    }

    pub(super) fn inject(&self, channel: &str, line: &[u8]) {
        let state = self.state();
        for id in state.rooms.get(channel).into_iter().flatten() {
            state.send_raw(*id, [line, b"\r\n"].concat());
        }
    }

    pub(super) fn push_fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    pub(super) fn reconnect(&self) {
        let state = self.state();
        for id in state.clients.keys() {
            state.send(*id, &[server("RECONNECT", [])]);
            state.close(*id);
        }
    }

    pub(super) fn drop_all(&self) {
        let state = self.state();
        for id in state.clients.keys() {
            state.close(*id);
        }
    }
}

impl State {
    pub(super) fn log(&mut self, id: ClientId, line: &str) {
        self.next_frame += 1;
        let Some(client) = self.clients.get(&id) else { return };
        let line = if line.to_ascii_uppercase().starts_with("PASS ") { "PASS ***".to_owned() } else { line.to_owned() };
        let frame = Frame {
            seq: self.next_frame,
            connection: id,
            transport: client.transport,
            nick: client.nick.clone(),
            line,
        };
        self.frames.push_back(frame);
        if self.frames.len() > KEPT_FRAMES {
            self.frames.pop_front();
        }
    }

    /// One frame of these lines, without tags for a client that did not ask for them.
    pub(super) fn send(&self, id: ClientId, lines: &[Line]) {
        let Some(client) = self.clients.get(&id) else { return };
        let mut frame = String::new();
        for line in lines {
            let mut line = line.clone();
            if !client.tags {
                line.tags = Tags::new();
            }
            frame.push_str(&line.to_string());
            frame.push_str("\r\n");
        }
        self.send_raw(id, frame.into_bytes());
    }

    fn send_raw(&self, id: ClientId, frame: Vec<u8>) {
        if self.silent {
            return;
        }
        if let Some(client) = self.clients.get(&id) {
            // A client that is gone takes nothing.
            drop(client.out.send(Out::Lines(frame)));
        }
    }

    pub(super) fn close(&self, id: ClientId) {
        if let Some(client) = self.clients.get(&id) {
            drop(client.out.send(Out::Close));
        }
    }

    pub(super) fn next_fault(&mut self) -> Option<Fault> {
        self.faults.pop_front()
    }

    pub(super) fn may_send(&mut self, account: &str) -> bool {
        within(self.sends.entry(account.to_owned()).or_default(), SEND_LIMIT)
    }

    pub(super) fn may_join(&mut self, account: &str) -> bool {
        within(self.joins.entry(account.to_owned()).or_default(), JOIN_LIMIT)
    }

    /// Whether the account said just this here a moment ago.
    pub(super) fn is_copy(&mut self, account: &str, channel: &str, text: &str) -> bool {
        let now = Instant::now();
        let before = self.said.insert((account.to_owned(), channel.to_owned()), (text.to_owned(), now));
        before.is_some_and(|(said, at)| said == text && now.duration_since(at) < DUPLICATE_WINDOW)
    }

    /// The message, to everybody in the channel but the connection that sent it. Returns the message's id.
    pub(super) fn speak(&self, from: Option<ClientId>, speech: &Speech, sent: &Tags) -> String {
        let (id, line) = speech.line(sent);
        for member in self.rooms.get(&speech.channel.to_lowercase()).into_iter().flatten() {
            if Some(*member) != from {
                self.send(*member, std::slice::from_ref(&line));
            }
        }
        id
    }
}

/// Counts this moment if the window has room for it.
fn within(moments: &mut VecDeque<Instant>, (count, window): (usize, Duration)) -> bool {
    let now = Instant::now();
    while moments.front().is_some_and(|at| now.duration_since(*at) >= window) {
        moments.pop_front();
    }
    let free = moments.len() < count;
    if free {
        moments.push_back(now);
    }
    free
}

/// A line of the server.
pub(super) fn server<'a>(command: &str, params: impl IntoIterator<Item = &'a str>) -> Line {
    Line::new(command, params).with_prefix("tmi.twitch.tv")
}

/// The prefix of somebody's line.
pub(super) fn person(nick: &str) -> String {
    format!("{nick}!{nick}@{nick}.tmi.twitch.tv")
}

/// The id of an account: always the same for a login, and that of the simulated platform that one logs in with.
pub(super) fn number(login: &str) -> String {
    let hash = format!("twitch/{login}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash % 900_000_000 + 100_000_000).to_string()
}
