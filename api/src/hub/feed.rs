//! One stream as this process knows it: its ring, and the subscribers that wait at the ring's end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

use domain::events::Cursor;

use super::{
    frame::Frame,
    ring::{Next, Ring},
};

/// A feed without subscribers is kept this long: an overlay that refreshes finds it warm.
const KEPT_IDLE: Duration = Duration::from_secs(60);

/// The feed of one stream.
#[derive(Debug)]
pub(crate) struct Feed {
    key: Arc<str>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    /// One place a subscriber; `Some` while it waits.
    waiting: Vec<Option<Waker>>,
    free: Vec<usize>,
    /// Raised when the log turned out to be another one: subscribers of before are at places that mean nothing.
    generation: u32,
    /// The process is stopping.
    closed: bool,
    /// Since when nobody reads.
    idle_since: Option<Instant>,
}

/// A subscriber's seat: where its waker is kept, and since which restart it reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    slot: usize,
    generation: u32,
}

/// What a subscriber finds at its place.
#[derive(Debug)]
pub(crate) enum Found {
    Frame(Frame),
    /// Nothing yet; the waker was kept.
    Nothing,
    Fallen,
    OtherEpoch,
    /// The process is stopping.
    Closed,
}

impl Feed {
    #[must_use]
    pub(crate) fn new(key: Arc<str>, tail: Cursor) -> Self {
        let state = State {
            ring: Ring::new(tail),
            waiting: Vec::new(),
            free: Vec::new(),
            generation: 0,
            closed: false,
            idle_since: Some(Instant::now()),
        };
        Self { key, state: Mutex::new(state) }
    }

    #[must_use]
    pub(crate) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// The place up to which the feed has read.
    #[must_use]
    pub(crate) fn tail(&self) -> Cursor {
        self.lock().ring.tail()
    }

    /// Takes a place among the subscribers.
    pub(crate) fn enter(&self) -> Seat {
        let mut state = self.lock();
        state.idle_since = None;
        let slot = state.free.pop().unwrap_or_else(|| {
            state.waiting.push(None);
            state.waiting.len() - 1
        });
        Seat { slot, generation: state.generation }
    }

    /// Gives the place back.
    pub(crate) fn leave(&self, seat: Seat) {
        let mut state = self.lock();
        state.waiting[seat.slot] = None;
        state.free.push(seat.slot);
        if state.free.len() == state.waiting.len() {
            state.waiting = Vec::new();
            state.free = Vec::new();
            state.idle_since = Some(Instant::now());
        }
    }

    /// What comes after the place; when nothing does, the waker is called once something might.
    pub(crate) fn after(&self, cursor: Cursor, seat: Seat, waker: &Waker) -> Found {
        let mut state = self.lock();
        if state.closed {
            return Found::Closed;
        }
        if state.generation != seat.generation {
            return Found::OtherEpoch;
        }
        match state.ring.after(cursor) {
            Next::Frame(frame) => Found::Frame(frame.clone()),
            Next::Fallen => Found::Fallen,
            Next::OtherEpoch => Found::OtherEpoch,
            Next::End => {
                match &mut state.waiting[seat.slot] {
                    Some(kept) => kept.clone_from(waker),
                    empty => *empty = Some(waker.clone()),
                }
                Found::Nothing
            }
        }
    }

    /// Appends events in their order and wakes who waits.
    pub(crate) fn push(&self, frames: Vec<Frame>) {
        let now = Instant::now();
        self.change(|state| frames.into_iter().for_each(|frame| state.ring.push(frame, now)));
    }

    /// The stream ends elsewhere than its events lead (another epoch, or a database set back): start over from there.
    pub(crate) fn restart(&self, tail: Cursor) {
        self.change(|state| {
            state.ring = Ring::new(tail);
            state.generation = state.generation.wrapping_add(1);
        });
    }

    /// Ends all its subscribers.
    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Whether its subscribers' streams have ended for good.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Forgets what is too old. True when nobody has read for so long that the feed itself may go.
    pub(crate) fn expire(&self, now: Instant) -> bool {
        let mut state = self.lock();
        state.ring.expire(now);
        state.idle_since.is_some_and(|since| now.duration_since(since) > KEPT_IDLE)
    }

    /// Wakes outside the lock: a woken subscriber asks for it at once.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers: Vec<Waker> = {
            let mut state = self.lock();
            change(&mut state);
            state.waiting.iter_mut().filter_map(Option::take).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
