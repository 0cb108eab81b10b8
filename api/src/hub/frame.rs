//! One event as the bytes that every subscriber gets: encoded once, shared by reference.

use std::ops::Range;

use bytes::Bytes;
use domain::events::{Audience, Cursor, Event, MANY};
use serde::Deserialize;

/// Which token a revocation speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Overlay,
    Credits,
    /// Whoever reads the channel's events by its name: everybody, its team, its docks and programs.
    Channel,
}

/// By what a subscriber reads a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) scope: Scope,
    /// A rotation to a later one ends the stream; none for a token that is not rotated.
    pub(crate) version: Option<i32>,
    /// Where the stream of events ended when the token was found good: whom an earlier event shut out is back since then.
    pub(crate) since: Cursor,
}

/// Which streams an event ends. Nobody's audience: only the hub reads such events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Those of tokens of this door before this version.
    Older(Scope, i32),
    /// All: the channel is closed.
    All,
}

impl Ends {
    fn of(event: &Event) -> Option<Self> {
        let older = |scope| {
            let Revoked { version } = serde_json::from_str(&event.data).ok()?;
            Some(Self::Older(scope, version))
        };
        match event.name.as_str() {
            "overlay:revoked" => older(Scope::Overlay),
            "credits:revoked" => older(Scope::Credits),
            "channel:shut" => Some(Self::All),
            _ => None,
        }
    }
}

/// Body of a revocation event: the oldest version that still counts.
#[derive(Deserialize)]
struct Revoked {
    version: i32,
}

/// An encoded event. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) cursor: Cursor,
    audience: Audience,
    ends: Option<Ends>,
    bytes: Bytes,
    name: Range<usize>,
    data: Range<usize>,
}

impl Frame {
    /// Encodes an event of the log.
    #[must_use]
    pub(crate) fn encode(event: &Event) -> Self {
        let cursor = Cursor { epoch: event.epoch, seq: event.seq };
        let (bytes, name, data) = match event.name.strip_suffix(MANY) {
            Some(name) => encode_many(cursor, name, &event.data),
            None => encode(Some(cursor), &event.name, &event.data),
        };
        Self { cursor, audience: Audience(event.audience), ends: Ends::of(event), bytes, name, data }
    }

    #[must_use]
    pub(crate) fn is_for(&self, audience: Audience) -> bool {
        self.audience.overlaps(audience)
    }

    /// Whether this event ends the streams that were opened with `pass`.
    #[must_use]
    pub(crate) fn revokes(&self, pass: Pass) -> bool {
        match self.ends {
            Some(Ends::Older(scope, version)) => scope == pass.scope && pass.version.is_some_and(|held| held < version),
            Some(Ends::All) => self.cursor.seq > pass.since.seq,
            None => false,
        }
    }

    /// The whole server-sent event.
    #[must_use]
    pub(crate) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Size of the server-sent event in bytes.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The event's name, e.g. `activation:new`.
    #[must_use]
    pub(crate) fn name(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.name.clone()]).unwrap_or_default()
    }

    /// The event's JSON, on one line.
    #[must_use]
    pub(crate) fn data(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.data.clone()]).unwrap_or_default()
    }
}

/// An event that is not in the log: made for one subscriber when it connects or leaves. Without a cursor it leaves the
/// client's place as it is.
#[must_use]
pub(crate) fn made(cursor: Option<Cursor>, name: &str, data: &str) -> Bytes {
    encode(cursor, name, data).0
}

/// Sets the client's place without telling it anything, and how long it waits before it connects again.
#[must_use]
pub(crate) fn greeting(cursor: Option<Cursor>) -> Bytes {
    match cursor {
        Some(cursor) => format!("retry: 2000\nid: {cursor}\n\n").into(),
        None => Bytes::from_static(b"retry: 2000\n\n"),
    }
}

/// Keeps proxies from closing a silent stream, and shows us who is gone.
pub(crate) const HEARTBEAT: Bytes = Bytes::from_static(b": still here\n\n");

/// `id`, `event` and `data`, and where the last two stand.
fn encode(cursor: Option<Cursor>, name: &str, data: &str) -> (Bytes, Range<usize>, Range<usize>) {
    let mut out = Vec::with_capacity(name.len() + data.len() + 64);
    if let Some(cursor) = cursor {
        out.extend_from_slice(format!("id: {cursor}\n").as_bytes());
    }
    out.extend_from_slice(b"event: ");
    let name_range = push_line(&mut out, name);
    out.extend_from_slice(b"\ndata: ");
    let data_range = push_line(&mut out, data);
    out.extend_from_slice(b"\n\n");
    (out.into(), name_range, data_range)
}

/// An event for each line, the place with the last: whoever loses the connection in between gets all of them again.
fn encode_many(cursor: Cursor, name: &str, lines: &str) -> (Bytes, Range<usize>, Range<usize>) {
    let mut out = Vec::with_capacity(lines.len() + lines.len() / 4 + 64);
    let (before, last) = lines.rsplit_once('\n').unwrap_or(("", lines));
    for line in before.split('\n').filter(|line| !line.is_empty()) {
        out.extend_from_slice(&encode(None, name, line).0);
    }
    let start = out.len();
    let (end, name, data) = encode(Some(cursor), name, last);
    out.extend_from_slice(&end);
    (out.into(), start + name.start..start + name.end, start + data.start..start + data.end)
}

/// A line break would end the field and let data speak as fields of its own. In JSON it can only be white space.
fn push_line(out: &mut Vec<u8>, text: &str) -> Range<usize> {
    let start = out.len();
    out.extend(text.bytes().map(|byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }));
    start..out.len()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event {
            epoch: 3,
            seq: 41,
            audience: Audience::OVERLAY.and(Audience::PANEL).0,
            name: name.to_owned(),
            data: data.to_owned(),
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_frame_is_a_server_sent_event_with_its_place() {
        let frame = Frame::encode(&event("activation:new", r#"{"id":1}"#));
        assert_eq!(&frame.bytes()[..], b"id: 3-41\nevent: activation:new\ndata: {\"id\":1}\n\n");
        assert_eq!((frame.name(), frame.data()), ("activation:new", r#"{"id":1}"#));
        assert!(frame.is_for(Audience::PANEL) && !frame.is_for(Audience::PUBLIC));
    }

    #[test]
    fn many_that_were_recorded_together_are_an_event_each_with_one_place() {
        let frame = Frame::encode(&event("new_message[]", "{\"id\":1}\n{\"id\":2}"));
        let text = "event: new_message\ndata: {\"id\":1}\n\nid: 3-41\nevent: new_message\ndata: {\"id\":2}\n\n";
        assert_eq!(frame.bytes(), text);
        assert_eq!((frame.name(), frame.data()), ("new_message", r#"{"id":2}"#));
        let one = Frame::encode(&event("new_message[]", "{\"id\":1}"));
        assert_eq!(one.bytes(), "id: 3-41\nevent: new_message\ndata: {\"id\":1}\n\n");
    }

    #[test]
    fn data_cannot_break_out_of_its_line() {
        let frame = Frame::encode(&event("a\nid: 9-9", "{\r\n\"x\":\n1}"));
        assert_eq!(frame.bytes().iter().filter(|byte| **byte == b'\n').count(), 4);
        assert_eq!(frame.data(), "{  \"x\": 1}");
    }

    #[test]
    fn a_revocation_ends_older_passes_of_its_scope_only() {
        let frame = Frame::encode(&event("overlay:revoked", r#"{"version":2}"#));
        let pass = |scope, version| Pass { scope, version, since: Cursor::START };
        assert!(frame.revokes(pass(Scope::Overlay, Some(1))));
        assert!(!frame.revokes(pass(Scope::Overlay, Some(2))));
        assert!(!frame.revokes(pass(Scope::Overlay, None)), "a token that is not rotated");
        assert!(!frame.revokes(pass(Scope::Credits, Some(1))));
    }

    #[test]
    fn whoever_is_shut_out_takes_all_tokens_along_that_were_good_before() {
        let frame = Frame::encode(&event("channel:shut", "{}"));
        let pass = |scope, seq| Pass { scope, version: None, since: Cursor { epoch: 3, seq } };
        for scope in [Scope::Overlay, Scope::Credits, Scope::Channel] {
            assert!(frame.revokes(pass(scope, 40)));
            assert!(!frame.revokes(pass(scope, 41)), "it was let in again since");
        }
    }

    #[test]
    fn a_greeting_carries_the_place_and_no_data() {
        assert_eq!(&greeting(Some(Cursor::START))[..], b"retry: 2000\nid: 1-0\n\n");
    }
}
