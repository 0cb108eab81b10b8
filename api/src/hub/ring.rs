//! The last frames of one stream, bounded in bytes and in age.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use domain::events::Cursor;

use super::frame::Frame;

/// A subscriber further behind than this is closed; so more need not be kept.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
pub(crate) const MAX_AGE: Duration = Duration::from_secs(30);

/// Consecutive frames that end at [`Ring::tail`].
#[derive(Debug)]
pub(crate) struct Ring {
    tail: Cursor,
    frames: VecDeque<(Instant, Frame)>,
    bytes: usize,
}

/// What lies after a place.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    Frame(&'a Frame),
    /// Nothing yet.
    End,
    /// The next frame is no longer here.
    Fallen,
    /// The log was restored or reset: the place means nothing any more.
    OtherEpoch,
}

impl Ring {
    /// Empty, for a stream that ends at `tail`.
    #[must_use]
    pub(crate) fn new(tail: Cursor) -> Self {
        Self { tail, frames: VecDeque::new(), bytes: 0 }
    }

    /// The place of the newest event.
    #[must_use]
    pub(crate) fn tail(&self) -> Cursor {
        self.tail
    }

    /// What comes after the place.
    #[must_use]
    pub(crate) fn after(&self, cursor: Cursor) -> Next<'_> {
        if cursor.epoch != self.tail.epoch {
            return Next::OtherEpoch;
        }
        let behind = self.tail.seq - cursor.seq;
        if behind <= 0 {
            // A place ahead of us is one that its reader saw in the database before we did.
            return Next::End;
        }
        let index = usize::try_from(behind).ok().and_then(|behind| self.frames.len().checked_sub(behind));
        match index.and_then(|index| self.frames.get(index)) {
            Some((_, frame)) => Next::Frame(frame),
            None => Next::Fallen,
        }
    }

    /// Appends the next frame. One we have is ignored; one that is not the very next (the events between were trimmed,
    /// or the epoch is new) empties the ring first, for its frames must be consecutive.
    pub(crate) fn push(&mut self, frame: Frame, now: Instant) {
        let Cursor { epoch, seq } = frame.cursor;
        if epoch == self.tail.epoch && seq <= self.tail.seq {
            return;
        }
        if epoch != self.tail.epoch || seq != self.tail.seq + 1 {
            *self = Self::new(frame.cursor);
        }
        self.tail = frame.cursor;
        self.bytes += frame.len();
        self.frames.push_back((now, frame));
        while self.bytes > MAX_BYTES {
            self.drop_first();
        }
        self.expire(now);
    }

    /// Forgets frames that are too old.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.frames.front().is_some_and(|(at, _)| now.duration_since(*at) > MAX_AGE) {
            self.drop_first();
        }
        if self.frames.is_empty() {
            // A quiet stream must not keep the room of its busiest minute.
            self.frames.shrink_to_fit();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, frame)) = self.frames.pop_front() {
            self.bytes -= frame.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::events::{Audience, Event};
    use time::OffsetDateTime;

    use super::*;

    fn frame(epoch: i64, seq: i64, size: usize) -> Frame {
        Frame::encode(&Event {
            epoch,
            seq,
            audience: Audience::PUBLIC.0,
            name: "x".to_owned(),
            data: "0".repeat(size),
            created_at: OffsetDateTime::UNIX_EPOCH,
        })
    }

    fn at(seq: i64) -> Cursor {
        Cursor { epoch: 1, seq }
    }

    fn next_seq(ring: &Ring, cursor: Cursor) -> Option<i64> {
        match ring.after(cursor) {
            Next::Frame(frame) => Some(frame.cursor.seq),
            _ => None,
        }
    }

    #[test]
    fn a_cursor_walks_the_frames_in_order() {
        let now = Instant::now();
        let mut ring = Ring::new(at(4));
        for seq in [5, 6, 6, 5, 7] {
            ring.push(frame(1, seq, 1), now);
        }
        assert_eq!([4, 5, 6].map(|seq| next_seq(&ring, at(seq))), [Some(5), Some(6), Some(7)]);
        assert!(matches!(ring.after(at(7)), Next::End));
        assert!(matches!(ring.after(at(9)), Next::End), "seen in the database before the ring had it");
        assert!(matches!(ring.after(at(3)), Next::Fallen));
        assert!(matches!(ring.after(Cursor { epoch: 2, seq: 7 }), Next::OtherEpoch));
    }

    #[test]
    fn it_keeps_a_mebibyte_and_no_more() {
        let now = Instant::now();
        let mut ring = Ring::new(at(0));
        for seq in 1..=40 {
            ring.push(frame(1, seq, 64 * 1024), now);
        }
        assert!(matches!(ring.after(at(20)), Next::Fallen));
        assert_eq!(next_seq(&ring, at(25)), Some(26));
        assert!(ring.bytes <= MAX_BYTES);
    }

    #[test]
    fn old_frames_go() {
        let now = Instant::now();
        let mut ring = Ring::new(at(0));
        ring.push(frame(1, 1, 1), now);
        ring.push(frame(1, 2, 1), now + Duration::from_secs(20));
        ring.expire(now + Duration::from_secs(31));
        assert!(matches!(ring.after(at(0)), Next::Fallen));
        assert_eq!(next_seq(&ring, at(1)), Some(2));
    }

    #[test]
    fn a_gap_or_a_new_epoch_starts_over() {
        let now = Instant::now();
        let mut ring = Ring::new(at(0));
        ring.push(frame(1, 1, 1), now);
        ring.push(frame(1, 5, 1), now);
        assert!(matches!(ring.after(at(1)), Next::Fallen), "2 to 4 are not here");
        assert_eq!(next_seq(&ring, at(4)), Some(5));
        ring.push(frame(2, 1, 1), now);
        assert!(matches!(ring.after(at(5)), Next::OtherEpoch));
        assert_eq!(ring.tail(), Cursor { epoch: 2, seq: 1 });
    }
}
