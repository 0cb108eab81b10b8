//! What an event is and who may see it.

use std::{fmt, str::FromStr};

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// A log of its own: everything about one channel, or about one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// By the channel's slug, lower case.
    Channel(String),
    /// What is said in the channel's chats, by the same: so much that nothing else is to wait behind it.
    Chat(String),
    /// By the user's id.
    User(Uuid),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(slug) => write!(f, "channel:{slug}"),
            Self::Chat(slug) => write!(f, "chat:{slug}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

/// Who may see an event: a set, stored as a sum of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience(pub i16);

impl Audience {
    /// Read by the hub alone.
    pub const NOBODY: Self = Self(0);
    pub const OVERLAY: Self = Self(1);
    pub const PANEL: Self = Self(2);
    pub const PUBLIC: Self = Self(4);
    pub const USER: Self = Self(8);
    pub const CREDITS: Self = Self(16);
    /// The channel's owner in person.
    pub const OWNER: Self = Self(32);

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// An event about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub stream: Stream,
    pub audience: Audience,
    /// The wire's event name, e.g. `activation:new`.
    pub name: &'static str,
    /// JSON on one line.
    pub data: String,
}

impl NewEvent {
    /// An event with `data` as its JSON body. The types we record always serialise; one that would not becomes `null`.
    pub fn new(stream: Stream, audience: Audience, name: &'static str, data: &impl Serialize) -> Self {
        let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
        Self { stream, audience, name, data }
    }

    /// Many of one kind that were recorded together: one event in the log, whose data has a line for each and whose name ends
    /// with [`MANY`]. Whoever reads them gets each by itself, with one place behind the last.
    pub(crate) fn many(stream: Stream, audience: Audience, name: &'static str, all: &[impl Serialize]) -> Self {
        let lines: Vec<String> = all.iter().filter_map(|one| serde_json::to_string(one).ok()).collect();
        Self { stream, audience, name, data: lines.join("\n") }
    }

    /// `channel:shut`: whatever reads the channel with this slug, or its chats, ends, and nobody else hears of it.
    pub(crate) fn shut(slug: &str) -> [Self; 2] {
        [Stream::Channel(slug.to_owned()), Stream::Chat(slug.to_owned())]
            .map(|stream| Self::new(stream, Audience::NOBODY, "channel:shut", &serde_json::Map::new()))
    }
}

/// How the name ends of what stands for many.
pub const MANY: &str = "[]";

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub epoch: i64,
    pub seq: i64,
    pub audience: i16,
    pub name: String,
    pub data: String,
    pub created_at: OffsetDateTime,
}

/// What one transaction recorded on one stream, in order: the news that [`record`](super::record) has told in this process
/// after the commit. Transactions may be heard of in another order than that of their numbers.
#[derive(Debug)]
pub struct Recorded(pub Vec<Event>);

/// A place in a stream: everything up to and including `seq` has been seen. Written `<epoch>-<seq>` in decimals, which
/// is the `id:` of a server-sent event and the `cursor` of a poll.
///
/// Sequences of one epoch ascend without gaps. The epoch changes when the log was restored or reset, never on restart;
/// places of different epochs cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub epoch: i64,
    pub seq: i64,
}

impl Cursor {
    /// The place before the first event of a stream that nothing has been recorded on.
    pub const START: Self = Self { epoch: 1, seq: 0 };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

/// The text is not `<epoch>-<seq>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is written <epoch>-<seq>, two decimal numbers")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        // Digits only: `i64::from_str` would also take a sign.
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse::<i64>().map_err(|_| BadCursor),
            false => Err(BadCursor),
        };
        let (epoch, seq) = text.split_once('-').ok_or(BadCursor)?;
        Ok(Self { epoch: number(epoch)?, seq: number(seq)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes() {
        for cursor in [Cursor::START, Cursor { epoch: 7, seq: i64::MAX }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn anything_but_two_decimals_is_no_cursor() {
        for text in ["", "1", "1-", "-1", "1--1", "+1-2", "1-2-3", "a-b", " 1-2", "1-9223372036854775808"] {
            assert_eq!(text.parse::<Cursor>(), Err(BadCursor), "{text:?}");
        }
    }
}
