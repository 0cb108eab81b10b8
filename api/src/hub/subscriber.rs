//! A reader of one stream: a place in the ring, pulled by whoever writes to the client.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use domain::events::{Audience, Cursor};

use super::{
    feed::{Feed, Found, Seat},
    frame::{Frame, Pass},
};

/// Why a stream ends; the client reads it in the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The client fell too far behind: 1 MiB or 30 s.
    Slow,
    /// The log was restored or reset; connect again for a new beginning.
    Reset,
    /// The token is no longer good.
    Revoked,
    /// The token's time is over.
    Expired,
    /// The process is stopping; connect again.
    Shutdown,
    /// The database could not be read; connect again.
    Unavailable,
}

impl Closed {
    pub(crate) const ALL: [Self; 6] =
        [Self::Slow, Self::Reset, Self::Revoked, Self::Expired, Self::Shutdown, Self::Unavailable];

    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Reset => "reset",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Shutdown => "shutdown",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What a pull gives.
#[derive(Debug)]
pub(crate) enum Pulled {
    Frame(Frame),
    /// The place is older than the ring: read the database from there.
    History,
    Closed(Closed),
}

/// Leaves its feed when dropped.
#[derive(Debug)]
pub(crate) struct Subscriber {
    feed: Arc<Feed>,
    seat: Seat,
    audience: Audience,
    pass: Option<Pass>,
    cursor: Cursor,
    /// It has read from the ring, so falling out of it means being slow.
    live: bool,
}

impl Subscriber {
    /// A reader of everything after `cursor` that is for `audience`.
    #[must_use]
    pub(crate) fn new(feed: Arc<Feed>, audience: Audience, pass: Option<Pass>, cursor: Cursor) -> Self {
        let seat = feed.enter();
        Self { feed, seat, audience, pass, cursor, live: false }
    }

    /// The place up to which everything was pulled or passed over.
    #[must_use]
    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor
    }

    #[must_use]
    pub(crate) fn stream(&self) -> &Arc<str> {
        self.feed.key()
    }

    /// Whether the process is stopping.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.feed.is_closed()
    }

    /// The next frame for this audience.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Pulled> {
        loop {
            match self.feed.after(self.cursor, self.seat, cx.waker()) {
                Found::Frame(frame) => {
                    self.live = true;
                    if let Some(pulled) = self.pass_on(frame) {
                        return Poll::Ready(pulled);
                    }
                }
                Found::Nothing => {
                    self.live = true;
                    return Poll::Pending;
                }
                Found::Fallen if self.live => return Poll::Ready(Pulled::Closed(Closed::Slow)),
                Found::Fallen => return Poll::Ready(Pulled::History),
                Found::OtherEpoch => return Poll::Ready(Pulled::Closed(Closed::Reset)),
                Found::Closed => return Poll::Ready(Pulled::Closed(Closed::Shutdown)),
            }
        }
    }

    /// Moves over the frame (from the ring or from history); what the client gets of it, if anything.
    pub(crate) fn pass_on(&mut self, frame: Frame) -> Option<Pulled> {
        self.cursor = frame.cursor;
        if self.pass.is_some_and(|pass| frame.revokes(pass)) {
            return Some(Pulled::Closed(Closed::Revoked));
        }
        frame.is_for(self.audience).then_some(Pulled::Frame(frame))
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.feed.leave(self.seat);
    }
}
