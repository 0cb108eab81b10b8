//! What happens in a chat beside words of clients: what viewers say with badges, what moderators take away, and what people do for
//! the channel. The lines are those of Twitch (PLATFORMS 1.5).

use irc::{Line, Tags};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::hub::{State, number, person, server};

/// What a viewer says, and how they show.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Speech {
    pub channel: String,
    pub nick: String,
    pub text: String,
    /// `moderator`, `vip`, `subscriber`, `broadcaster`, or with a version: `subscriber/12`. The channel's own login has
    /// `broadcaster` without being told.
    pub badges: Vec<String>,
    /// Cheered with it; 0: nothing.
    pub bits: u32,
    /// The message's id; empty: a new one.
    pub id: String,
}

/// What happens beside words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Happening {
    /// A message is deleted.
    Delete {
        id: String,
        #[serde(default)]
        nick: String,
        #[serde(default)]
        text: String,
    },
    /// Somebody is banned; with seconds, for so long.
    Ban { nick: String, seconds: Option<u32> },
    /// All messages are taken away.
    Clear,
    /// Somebody subscribes: the first time, or for so many months.
    Sub {
        nick: String,
        #[serde(default = "one")]
        months: u32,
        #[serde(default)]
        text: String,
    },
    /// Somebody gives subscriptions: one to a person, or many to whoever is there.
    Gift {
        nick: String,
        to: Option<String>,
        #[serde(default = "one")]
        count: u32,
    },
    /// Somebody comes with their viewers.
    Raid { nick: String, viewers: u32 },
    /// The server says something, e.g. `msg_banned`.
    Notice {
        code: String,
        #[serde(default)]
        text: String,
    },
}

const fn one() -> u32 {
    1
}

impl Speech {
    /// The line, with the answers to the client's own tags.
    pub(super) fn line(&self, sent: &Tags) -> (String, Line) {
        let (channel, nick) = (self.channel.to_lowercase(), self.nick.to_lowercase());
        let id = if self.id.is_empty() { Uuid::new_v4().to_string() } else { self.id.clone() };
        let mut badges = self.badges.clone();
        if nick == channel && !self.has("broadcaster") {
            badges.insert(0, "broadcaster".to_owned());
        }
        if self.bits > 0 {
            badges.push(format!("bits/{}", self.bits));
        }
        let months = self.badges.iter().find_map(|badge| badge.strip_prefix("subscriber/"));
        let info = if self.has("subscriber") { format!("subscriber/{}", months.unwrap_or("1")) } else { String::new() };
        let badges: Vec<String> =
            badges.iter().map(|badge| if badge.contains('/') { badge.clone() } else { format!("{badge}/1") }).collect();
        let flag = |on: bool| if on { "1" } else { "0" };
        let moderates = self.has("moderator");
        let mut tags = Tags::new()
            .with("badge-info", info)
            .with("badges", badges.join(","))
            .with("client-nonce", sent.get("client-nonce").unwrap_or_default())
            .with("color", "#1E90FF")
            .with("display-name", self.nick.clone())
            .with("emotes", "")
            .with("first-msg", "0")
            .with("flags", "")
            .with("id", id.clone())
            .with("mod", flag(moderates));
        if self.bits > 0 {
            tags = tags.with("bits", self.bits.to_string());
        }
        if self.has("vip") {
            tags = tags.with("vip", "1");
        }
        if let Some(parent) = sent.get("reply-parent-msg-id") {
            tags = tags.with("reply-parent-msg-id", parent);
        }
        let tags = tags
            .with("returning-chatter", "0")
            .with("room-id", number(&channel))
            .with("subscriber", flag(self.has("subscriber")))
            .with("tmi-sent-ts", now())
            .with("turbo", "0")
            .with("user-id", number(&nick))
            .with("user-type", if moderates { "mod" } else { "" });
        (id, Line::privmsg(&channel, &self.text).with_prefix(person(&nick)).with_tags(tags))
    }

    fn has(&self, badge: &str) -> bool {
        self.badges.iter().any(|other| other.split('/').next() == Some(badge))
    }
}

impl State {
    /// It happens in the channel: everybody there reads it.
    pub(super) fn happen(&self, channel: &str, happening: &Happening) {
        let channel = channel.to_lowercase();
        let line = line(&channel, happening);
        for member in self.rooms.get(&channel).into_iter().flatten() {
            self.send(*member, std::slice::from_ref(&line));
        }
    }
}

fn line(channel: &str, happening: &Happening) -> Line {
    let room = format!("#{channel}");
    let base = Tags::new().with("room-id", number(channel)).with("tmi-sent-ts", now());
    match happening {
        Happening::Delete { id, nick, text } => server("CLEARMSG", [room.as_str(), text.as_str()])
            .with_tags(base.with("login", nick.to_lowercase()).with("target-msg-id", id.clone())),
        Happening::Ban { nick, seconds } => {
            let nick = nick.to_lowercase();
            let tags = base.with("target-user-id", number(&nick));
            let tags = match seconds {
                Some(seconds) => tags.with("ban-duration", seconds.to_string()),
                None => tags,
            };
            server("CLEARCHAT", [room.as_str(), nick.as_str()]).with_tags(tags)
        }
        Happening::Clear => server("CLEARCHAT", [room.as_str()]).with_tags(base),
        Happening::Sub { nick, months, text } => {
            let what = if *months > 1 { "resub" } else { "sub" };
            let tags = deed(base, nick, what, &format!("{nick} subscribed!"))
                .with("msg-param-cumulative-months", months.to_string())
                .with("msg-param-should-share-streak", "0")
                .with("msg-param-sub-plan", "1000")
                .with("msg-param-sub-plan-name", "Tier 1");
            let words = [room.as_str(), text.as_str()];
            server("USERNOTICE", words.into_iter().take(if text.is_empty() { 1 } else { 2 })).with_tags(tags)
        }
        Happening::Gift { nick, to: Some(to), .. } => {
            let tags = deed(base, nick, "subgift", &format!("{nick} gifted a Tier 1 sub to {to}!"))
                .with("msg-param-months", "1")
                .with("msg-param-recipient-display-name", to.clone())
                .with("msg-param-recipient-id", number(&to.to_lowercase()))
                .with("msg-param-recipient-user-name", to.to_lowercase())
                .with("msg-param-sub-plan", "1000");
            server("USERNOTICE", [room.as_str()]).with_tags(tags)
        }
        Happening::Gift { nick, to: None, count } => {
            let tags = deed(base, nick, "submysterygift", &format!("{nick} is gifting {count} Tier 1 Subs!"))
                .with("msg-param-mass-gift-count", count.to_string())
                .with("msg-param-sub-plan", "1000");
            server("USERNOTICE", [room.as_str()]).with_tags(tags)
        }
        Happening::Raid { nick, viewers } => {
            let tags = deed(base, nick, "raid", &format!("{viewers} raiders from {nick} have joined!"))
                .with("msg-param-displayName", nick.clone())
                .with("msg-param-login", nick.to_lowercase())
                .with("msg-param-viewerCount", viewers.to_string());
            server("USERNOTICE", [room.as_str()]).with_tags(tags)
        }
        Happening::Notice { code, text } => {
            server("NOTICE", [room.as_str(), text.as_str()]).with_tags(Tags::new().with("msg-id", code.clone()))
        }
    }
}

/// The tags of what somebody does for the channel.
fn deed(base: Tags, nick: &str, what: &str, words: &str) -> Tags {
    base.with("badge-info", "")
        .with("badges", "")
        .with("color", "#1E90FF")
        .with("display-name", nick)
        .with("emotes", "")
        .with("id", Uuid::new_v4().to_string())
        .with("login", nick.to_lowercase())
        .with("mod", "0")
        .with("msg-id", what)
        .with("subscriber", "0")
        .with("system-msg", words)
        .with("user-id", number(&nick.to_lowercase()))
        .with("user-type", "")
}

/// Of the platform's clock, in milliseconds.
fn now() -> String {
    (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).to_string()
}
