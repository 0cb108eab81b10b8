//! What a client does about what it hears. No socket, and the time is told to it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;

use crate::frame::{Command, Publication, Push, Refusal, Request, Saying, sayings};

/// A command without an answer for this long, and the connection is as good as lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much later than it said a ping may come.
const PING_SLACK: Duration = Duration::from_secs(10);

/// How far we have heard a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Of the channel's history: with another one, offsets begin anew.
    pub epoch: String,
    /// Of the last publication that was handed on.
    pub offset: u64,
}

/// Whether something was missed between two subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing was to be recovered.
    Fresh,
    /// What was missed follows.
    Whole,
    /// Something is lost here: ask elsewhere what has happened.
    Gap,
}

/// What is worth knowing.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// We are connected.
    Connected,
    Subscribed {
        channel: String,
        recovery: Recovery,
    },
    /// The channel stays silent.
    Refused {
        channel: String,
        refusal: Refusal,
    },
    Published {
        channel: String,
        data: Value,
    },
    /// The server has ended it.
    Unsubscribed {
        channel: String,
        code: u32,
        reason: String,
    },
    /// The connection's token ends soon: [`crate::Client::refresh`].
    TokenEnds,
    /// The channel's token ends soon: [`crate::Client::refresh_channel`].
    ChannelTokenEnds {
        channel: String,
    },
}

/// When to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// With backoff.
    Later,
    /// With a new token, and backoff.
    WithAnotherToken,
    /// Never with these settings.
    Never,
}

/// The connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} ({code})")]
pub struct Closed {
    /// 0: nobody said one.
    pub code: u16,
    pub reason: String,
    pub again: Again,
}

impl Closed {
    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        Self { code: 0, reason: reason.into(), again: Again::Later }
    }

    /// What a close code means.
    pub(crate) fn with_code(code: u16, reason: impl Into<String>) -> Self {
        let again = match code {
            // Its token, or the token of a channel, has ended; 3500 is said of one that has ended long ago.
            3005 | 3006 | 3500 => Again::WithAnotherToken,
            3501..=3999 | 4500..=4999 => Again::Never,
            _ => Again::Later,
        };
        Self { code, reason: reason.into(), again }
    }
}

/// What a command was about.
#[derive(Debug)]
enum Asked {
    Connect,
    Subscribe { channel: String, recovers: bool },
    Refresh,
    SubRefresh { channel: String },
    Unsubscribe,
}

#[derive(Debug, Default)]
struct Channel {
    position: Option<Position>,
    /// Its token ends then.
    ends: Option<Instant>,
}

/// Answers: what is left out is nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Granted {
    expires: bool,
    ttl: u64,
    ping: u64,
    pong: bool,
    recoverable: bool,
    positioned: bool,
    recovered: bool,
    epoch: String,
    offset: u64,
    publications: Vec<Publication>,
}

impl Granted {
    /// When to ask for a new token: a while before this one ends.
    fn renewal(&self, now: Instant) -> Option<Instant> {
        // A token of no time is renewed at once; one of a year and more is as good as one without end.
        (self.expires && self.ttl < 365 * 86_400).then(|| now + Duration::from_secs(self.ttl).mul_f64(0.8))
    }
}

/// One connection's state.
#[derive(Debug)]
pub(crate) struct Machine {
    last_id: u32,
    asked: HashMap<u32, (Asked, Instant)>,
    channels: BTreeMap<String, Channel>,
    /// To be sent, in this order.
    pub(crate) out: VecDeque<String>,
    events: VecDeque<Event>,
    /// Without a ping by then, nobody is there; none until the server has said how often it pings.
    ping_by: Option<Instant>,
    ping_every: Duration,
    pongs: bool,
    ends: Option<Instant>,
}

impl Machine {
    pub(crate) fn new(token: &str, name: &str, now: Instant) -> Self {
        let mut machine = Self {
            last_id: 0,
            asked: HashMap::new(),
            channels: BTreeMap::new(),
            out: VecDeque::new(),
            events: VecDeque::new(),
            ping_by: None,
            ping_every: Duration::ZERO,
            pongs: false,
            ends: None,
        };
        machine.ask(Request::Connect { token: token.to_owned(), name: name.to_owned() }, Asked::Connect, now);
        machine
    }

    fn ask(&mut self, request: Request, asked: Asked, now: Instant) {
        self.last_id += 1;
        self.out.push_back(Command { id: self.last_id, request }.to_string());
        self.asked.insert(self.last_id, (asked, now + PATIENCE));
    }

    pub(crate) fn subscribe(&mut self, channel: &str, token: Option<&str>, from: Option<Position>, now: Instant) {
        let request = Request::Subscribe {
            channel: channel.to_owned(),
            token: token.map(str::to_owned),
            from: from.as_ref().map(|from| (from.epoch.clone(), from.offset)),
        };
        let recovers = from.is_some();
        self.channels.insert(channel.to_owned(), Channel { position: from, ends: None });
        self.ask(request, Asked::Subscribe { channel: channel.to_owned(), recovers }, now);
    }

    pub(crate) fn unsubscribe(&mut self, channel: &str, now: Instant) {
        if self.channels.remove(channel).is_some() {
            self.ask(Request::Unsubscribe { channel: channel.to_owned() }, Asked::Unsubscribe, now);
        }
    }

    pub(crate) fn refresh(&mut self, token: &str, now: Instant) {
        self.ask(Request::Refresh { token: token.to_owned() }, Asked::Refresh, now);
    }

    pub(crate) fn refresh_channel(&mut self, channel: &str, token: &str, now: Instant) {
        let request = Request::SubRefresh { channel: channel.to_owned(), token: token.to_owned() };
        self.ask(request, Asked::SubRefresh { channel: channel.to_owned() }, now);
    }

    pub(crate) fn position(&self, channel: &str) -> Option<&Position> {
        self.channels.get(channel)?.position.as_ref()
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When something is to be done though nothing is heard; see [`Self::wake`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let answers = self.asked.values().map(|(_, until)| *until);
        let tokens = self.channels.values().filter_map(|channel| channel.ends);
        answers.chain(tokens).chain(self.ping_by).chain(self.ends).min()
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The other side is not there any more.
    pub(crate) fn wake(&mut self, now: Instant) -> Result<(), Closed> {
        if self.asked.values().any(|(_, until)| *until <= now) {
            return Err(Closed::lost("a command was not answered in time"));
        }
        if self.ping_by.is_some_and(|by| by <= now) {
            return Err(Closed::lost("no ping in time"));
        }
        if self.ends.take_if(|ends| *ends <= now).is_some() {
            self.events.push_back(Event::TokenEnds);
        }
        for (name, channel) in &mut self.channels {
            if channel.ends.take_if(|ends| *ends <= now).is_some() {
                self.events.push_back(Event::ChannelTokenEnds { channel: name.clone() });
            }
        }
        Ok(())
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// The connection is over, or the other side speaks another language.
    pub(crate) fn hear(&mut self, frame: &str, now: Instant) -> Result<(), Closed> {
        for saying in sayings(frame) {
            match saying.map_err(|malformed| Closed::lost(malformed.to_string()))? {
                Saying::Ping => {
                    self.ping_by = (!self.ping_every.is_zero()).then(|| now + self.ping_every + PING_SLACK);
                    if self.pongs {
                        self.out.push_back("{}".to_owned());
                    }
                }
                Saying::Reply { id, result } => self.answered(id, result, now)?,
                Saying::Push(push) => self.pushed(push)?,
            }
        }
        Ok(())
    }

    fn answered(&mut self, id: u32, result: Result<Value, Refusal>, now: Instant) -> Result<(), Closed> {
        // An answer to nothing that was asked says nothing.
        let Some((asked, _)) = self.asked.remove(&id) else { return Ok(()) };
        match (asked, result) {
            (Asked::Connect, Err(refusal)) => Err(refused(&refusal)),
            (Asked::Connect, Ok(answer)) => {
                let granted = granted(&answer, "connect")?;
                self.ends = granted.renewal(now);
                self.pongs = granted.pong;
                self.ping_every = Duration::from_secs(granted.ping.min(86_400));
                self.ping_by = (granted.ping > 0).then(|| now + self.ping_every + PING_SLACK);
                self.events.push_back(Event::Connected);
                Ok(())
            }
            (Asked::Refresh, Err(refusal)) => Err(refused(&refusal)),
            (Asked::Refresh, Ok(answer)) => {
                self.ends = granted(&answer, "refresh")?.renewal(now);
                Ok(())
            }
            (Asked::Subscribe { channel, .. } | Asked::SubRefresh { channel }, Err(refusal)) => {
                if refusal.code != Refusal::ALREADY_SUBSCRIBED && self.channels.remove(&channel).is_some() {
                    self.events.push_back(Event::Refused { channel, refusal });
                }
                Ok(())
            }
            (Asked::Subscribe { channel, recovers }, Ok(answer)) => {
                let granted = granted(&answer, "subscribe")?;
                self.subscribed(channel, recovers, granted, now);
                Ok(())
            }
            (Asked::SubRefresh { channel }, Ok(answer)) => {
                let ends = granted(&answer, "sub_refresh")?.renewal(now);
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.ends = ends;
                }
                Ok(())
            }
            (Asked::Unsubscribe, _) => Ok(()),
        }
    }

    fn subscribed(&mut self, name: String, recovers: bool, granted: Granted, now: Instant) {
        // We may have left it meanwhile.
        let Some(channel) = self.channels.get_mut(&name) else { return };
        channel.ends = granted.renewal(now);
        let recovery = match (recovers, granted.recovered) {
            (false, _) => Recovery::Fresh,
            (true, true) => Recovery::Whole,
            (true, false) => Recovery::Gap,
        };
        if recovery != Recovery::Whole {
            channel.position = (granted.recoverable || granted.positioned)
                .then(|| Position { epoch: granted.epoch.clone(), offset: granted.offset });
        }
        self.events.push_back(Event::Subscribed { channel: name.clone(), recovery });
        if recovery == Recovery::Whole {
            for publication in granted.publications {
                self.published(&name, publication);
            }
        }
    }

    fn published(&mut self, name: &str, publication: Publication) {
        let Some(channel) = self.channels.get_mut(name) else { return };
        if let Some(position) = &mut channel.position
            && publication.offset > 0
        {
            // What was recovered may be said once more as it arrives.
            if publication.offset <= position.offset {
                return;
            }
            position.offset = publication.offset;
        }
        self.events.push_back(Event::Published { channel: name.to_owned(), data: publication.data });
    }

    fn pushed(&mut self, push: Push) -> Result<(), Closed> {
        match push {
            Push::Publication { channel, publication } => self.published(&channel, publication),
            Push::Unsubscribe { channel, code, reason } => {
                if self.channels.remove(&channel).is_some() {
                    self.events.push_back(Event::Unsubscribed { channel, code, reason });
                }
            }
            Push::Disconnect { code, reason } => return Err(Closed::with_code(code, reason)),
            Push::Other => {}
        }
        Ok(())
    }
}

fn granted(answer: &Value, method: &str) -> Result<Granted, Closed> {
    let result = answer.get(method).cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    serde_json::from_value(result).map_err(|error| Closed::lost(format!("{method}: {error}")))
}

fn refused(refusal: &Refusal) -> Closed {
    let again = match refusal.code {
        Refusal::TOKEN_EXPIRED | 110 | 101 => Again::WithAnotherToken,
        _ if refusal.temporary => Again::Later,
        103 | 104 | 107 | 108 => Again::Never,
        _ => Again::Later,
    };
    Closed { code: u16::try_from(refusal.code).unwrap_or_default(), reason: refusal.message.clone(), again }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn connected(answer: &Value) -> (Machine, Instant) {
        let now = Instant::now();
        let mut machine = Machine::new("jwt", "memalerts", now);
        assert_eq!(machine.out.pop_front().unwrap(), r#"{"connect":{"name":"memalerts","token":"jwt"},"id":1}"#);
        machine.hear(&json!({ "id": 1, "connect": answer }).to_string(), now).unwrap();
        assert_eq!(machine.event(), Some(Event::Connected));
        (machine, now)
    }

    fn publish(machine: &mut Machine, offset: u64, now: Instant) -> Option<Event> {
        let push = json!({ "push": { "channel": "c", "pub": { "data": offset, "offset": offset } } });
        machine.hear(&push.to_string(), now).unwrap();
        machine.event()
    }

    fn published(data: u64) -> Option<Event> {
        Some(Event::Published { channel: "c".to_owned(), data: json!(data) })
    }

    #[test]
    fn pings_are_answered_where_the_server_wants_it_and_missed_where_they_stay_away() {
        let (mut machine, now) = connected(&json!({ "client": "x", "ping": 25, "pong": true }));
        assert_eq!(machine.deadline(), Some(now + Duration::from_secs(35)));
        let later = now + Duration::from_secs(25);
        machine.hear("{}", later).unwrap();
        assert_eq!(machine.out.pop_front().unwrap(), "{}");
        assert!(machine.wake(later + Duration::from_secs(34)).is_ok());
        assert_eq!(machine.wake(later + Duration::from_secs(35)).unwrap_err().again, Again::Later);

        let (mut machine, now) = connected(&json!({ "client": "x" }));
        machine.hear("{}", now).unwrap();
        assert_eq!((machine.out.pop_front(), machine.deadline()), (None, None));
    }

    #[test]
    fn what_was_missed_comes_first_and_nothing_comes_twice() {
        let (mut machine, now) = connected(&json!({}));
        machine.subscribe("c", Some("t"), Some(Position { epoch: "e".to_owned(), offset: 3 }), now);
        let asked = machine.out.pop_front().unwrap();
        assert!(asked.contains(r#""recover":true"#) && asked.contains(r#""offset":3"#), "{asked}");
        let missed = [json!({ "data": 4, "offset": 4 }), json!({ "data": 5, "offset": 5 })];
        let answer = json!({ "id": 2, "subscribe": { "recoverable": true, "epoch": "e", "offset": 5, "was_recovering": true,
                             "recovered": true, "publications": missed } });
        machine.hear(&answer.to_string(), now).unwrap();
        assert_eq!(machine.event(), Some(Event::Subscribed { channel: "c".to_owned(), recovery: Recovery::Whole }));
        assert_eq!((machine.event(), machine.event(), machine.event()), (published(4), published(5), None));
        assert_eq!(publish(&mut machine, 5, now), None);
        assert_eq!(publish(&mut machine, 6, now), published(6));
        assert_eq!(machine.position("c"), Some(&Position { epoch: "e".to_owned(), offset: 6 }));
    }

    #[test]
    fn a_history_that_is_another_one_is_a_gap_and_counts_from_where_it_stands() {
        let (mut machine, now) = connected(&json!({}));
        machine.subscribe("c", None, Some(Position { epoch: "e".to_owned(), offset: 300 }), now);
        let answer =
            json!({ "id": 2, "subscribe": { "recoverable": true, "epoch": "f", "offset": 2, "was_recovering": true } });
        machine.hear(&answer.to_string(), now).unwrap();
        assert_eq!(machine.event(), Some(Event::Subscribed { channel: "c".to_owned(), recovery: Recovery::Gap }));
        assert_eq!(publish(&mut machine, 3, now), published(3));
    }

    #[test]
    fn tokens_are_asked_for_before_they_end() {
        let (mut machine, now) = connected(&json!({ "expires": true, "ttl": 100 }));
        machine.subscribe("c", Some("t"), None, now);
        machine.hear(&json!({ "id": 2, "subscribe": { "expires": true, "ttl": 50 } }).to_string(), now).unwrap();
        machine.event();
        assert_eq!(machine.deadline(), Some(now + Duration::from_secs(40)));
        machine.wake(now + Duration::from_secs(40)).unwrap();
        assert_eq!(machine.event(), Some(Event::ChannelTokenEnds { channel: "c".to_owned() }));
        machine.refresh_channel("c", "t2", now);
        machine.wake(now + Duration::from_secs(1)).unwrap();
        machine.hear(&json!({ "id": 3, "sub_refresh": { "expires": true, "ttl": 500 } }).to_string(), now).unwrap();
        machine.wake(now + Duration::from_secs(80)).unwrap();
        assert_eq!((machine.event(), machine.event()), (Some(Event::TokenEnds), None));
        machine.refresh("jwt2", now);
        machine.hear(&json!({ "id": 4, "refresh": { "expires": true, "ttl": 1000 } }).to_string(), now).unwrap();
        assert_eq!(machine.deadline(), Some(now + Duration::from_secs(400)));
    }

    #[test]
    fn a_command_without_an_answer_ends_the_connection() {
        let now = Instant::now();
        let mut machine = Machine::new("jwt", "memalerts", now);
        assert!(machine.wake(now + Duration::from_millis(4_999)).is_ok());
        assert!(machine.wake(now + Duration::from_secs(5)).is_err());
    }

    #[test]
    fn a_code_says_when_to_come_again() {
        let again = |code| Closed::with_code(code, "").again;
        for code in [3000, 3001, 3004, 3008, 3011, 3012, 3013, 4000, 1006] {
            assert_eq!(again(code), Again::Later, "{code}");
        }
        for code in [3005, 3006, 3500] {
            assert_eq!(again(code), Again::WithAnotherToken, "{code}");
        }
        for code in [3501, 3503, 3507, 3999, 4500] {
            assert_eq!(again(code), Again::Never, "{code}");
        }
        let now = Instant::now();
        let refuse = |code: u32| {
            let mut machine = Machine::new("jwt", "memalerts", now);
            machine
                .hear(&json!({ "id": 1, "error": { "code": code, "message": "no" } }).to_string(), now)
                .unwrap_err()
                .again
        };
        assert_eq!((refuse(109), refuse(100), refuse(103)), (Again::WithAnotherToken, Again::Later, Again::Never));
    }

    #[test]
    fn a_channel_that_is_refused_or_ended_says_nothing_more() {
        let (mut machine, now) = connected(&json!({}));
        machine.subscribe("c", None, None, now);
        machine.hear(r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#, now).unwrap();
        assert!(matches!(machine.event(), Some(Event::Refused { refusal: Refusal { code: 103, .. }, .. })));
        assert_eq!(publish(&mut machine, 1, now), None);
        machine.subscribe("c", None, None, now);
        machine.hear(r#"{"id":3,"subscribe":{}}"#, now).unwrap();
        machine.event();
        assert_eq!(publish(&mut machine, 0, now), published(0));
        machine
            .hear(r#"{"push":{"channel":"c","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#, now)
            .unwrap();
        assert!(matches!(machine.event(), Some(Event::Unsubscribed { code: 2500, .. })));
        assert_eq!(publish(&mut machine, 2, now), None);
    }

    proptest! {
        #[test]
        fn whatever_is_heard_offsets_only_grow(offsets in proptest::collection::vec(0_u64..20, 0..50)) {
            let (mut machine, now) = connected(&json!({}));
            machine.subscribe("c", None, None, now);
            machine.hear(r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e"}}"#, now).unwrap();
            machine.event();
            let mut last = 0;
            for offset in offsets {
                if let Some(Event::Published { data, .. }) = publish(&mut machine, offset, now) {
                    let heard = data.as_u64().unwrap();
                    prop_assert!(heard == 0 || heard > last);
                    last = last.max(heard);
                }
            }
        }

        #[test]
        fn no_answer_makes_it_panic(id in 0_u32..4, ttl in any::<u64>(), method in "connect|subscribe|refresh|push", text in ".{0,30}") {
            let now = Instant::now();
            let mut machine = Machine::new("jwt", "memalerts", now);
            machine.subscribe("c", None, None, now);
            for body in [json!({ "expires": true, "ttl": ttl, "ping": ttl, "offset": ttl }), json!(text), json!([ttl]), json!({ "publications": text })] {
                drop(machine.hear(&json!({ "id": id, &method: body }).to_string(), now));
            }
            drop(machine.wake(now));
        }
    }
}
