//! A subscriber's events as the bytes of a server-sent event stream: opening, history, state, live.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use domain::events::Cursor;
use futures_util::{FutureExt, Stream, future::BoxFuture};
use queue::Database;
use tokio::time::{Instant, Sleep};

use super::{
    frame::{self, Frame},
    replay::{self, PageError, Resume},
    subscriber::{Closed, Pulled, Subscriber},
};

/// Something is sent at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How a stream begins. Read head, resume and state in one snapshot: then the state contains everything up to `head`.
#[derive(Debug)]
pub(crate) struct Opening {
    /// Where the stream ended in the snapshot.
    pub(crate) head: Cursor,
    /// What the client's cursor was worth.
    pub(crate) resume: Resume,
    /// Sent before anything else, e.g. `overlay:config`.
    pub(crate) before: Vec<Bytes>,
    /// Sent once history is through, e.g. `overlay:state`.
    pub(crate) state: Vec<Bytes>,
}

/// Each series exists from the start, at zero.
pub(super) fn describe() {
    metrics::describe_gauge!("realtime_subscribers", "Clients that read a stream of events from this process");
    metrics::describe_counter!("realtime_closed_total", "Streams that this process closed, by reason");
    metrics::gauge!("realtime_subscribers").set(0.0);
    for reason in Closed::ALL {
        metrics::counter!("realtime_closed_total", "reason" => reason.as_str()).increment(0);
    }
}

/// Ends by itself when the client is too slow, its token is revoked, the log was reset or the process stops; the last
/// event is then `closed` with the reason.
pub(crate) struct EventStream {
    db: Database,
    subscriber: Subscriber,
    /// Ready to be sent.
    ready: VecDeque<Bytes>,
    /// History is told up to here; then comes the state.
    until: Option<(Cursor, Vec<Bytes>)>,
    /// A page of history on its way.
    page: Option<BoxFuture<'static, Result<Vec<Frame>, PageError>>>,
    heartbeat: Pin<Box<Sleep>>,
    closed: bool,
}

impl EventStream {
    pub(super) fn new(db: Database, subscriber: Subscriber, opening: Opening) -> Self {
        metrics::gauge!("realtime_subscribers").increment(1);
        let mut ready: VecDeque<Bytes> = opening.before.into();
        let until = match opening.resume {
            Resume::From(_) => {
                ready.push_back(frame::greeting(None));
                Some((opening.head, opening.state))
            }
            Resume::New => {
                ready.push_back(frame::greeting(Some(opening.head)));
                ready.extend(opening.state);
                None
            }
            Resume::Lost => {
                ready.push_back(frame::made(Some(opening.head), "reset", r#"{"reason":"unknown_cursor"}"#));
                ready.extend(opening.state);
                None
            }
        };
        Self {
            db,
            subscriber,
            ready,
            until,
            page: None,
            heartbeat: Box::pin(tokio::time::sleep(HEARTBEAT)),
            closed: false,
        }
    }

    /// Once everything up to the snapshot is told, the state follows.
    fn state_if_due(&mut self) {
        if let Some((head, state)) = self.until.take_if(|(head, _)| self.subscriber.cursor().seq >= head.seq) {
            tracing::trace!(stream = %self.subscriber.stream(), %head, "history told");
            self.ready.extend(state);
        }
    }

    /// Whoever reads it may not any more: what is not told yet is not told.
    pub(crate) fn end(&mut self, why: Closed) {
        if !self.closed {
            self.ready.clear();
            self.close(why);
        }
    }

    fn close(&mut self, reason: Closed) {
        metrics::counter!("realtime_closed_total", "reason" => reason.as_str()).increment(1);
        self.ready.push_back(frame::made(None, "closed", &format!(r#"{{"reason":"{}"}}"#, reason.as_str())));
        self.page = None;
        self.closed = true;
    }

    /// Takes the next step of the subscriber; pending when there is nothing to tell.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(page) = &mut self.page {
            let Poll::Ready(page) = page.poll_unpin(cx) else { return Poll::Pending };
            self.page = None;
            self.tell_page(page);
            return Poll::Ready(());
        }
        // Up to the snapshot only history is told: the ring may be past it, and the state must come in between.
        let pulled = if self.until.is_none() {
            let Poll::Ready(pulled) = self.subscriber.poll_next(cx) else { return Poll::Pending };
            pulled
        } else if self.subscriber.is_closed() {
            Pulled::Closed(Closed::Shutdown)
        } else {
            Pulled::History
        };
        match pulled {
            Pulled::Frame(frame) => self.ready.push_back(frame.bytes()),
            Pulled::Closed(reason) => self.close(reason),
            Pulled::History => {
                let (db, stream, cursor) =
                    (self.db.clone(), self.subscriber.stream().clone(), self.subscriber.cursor());
                self.page = Some(async move { replay::page(&db, &stream, cursor).await }.boxed());
            }
        }
        Poll::Ready(())
    }

    fn tell_page(&mut self, page: Result<Vec<Frame>, PageError>) {
        match page {
            Err(PageError::Trimmed) => self.close(Closed::Reset),
            Err(PageError::Database(error)) => {
                tracing::warn!(cause = %error, "history could not be read");
                self.close(Closed::Unavailable);
            }
            // There was something after our place when the page was asked for.
            Ok(frames) if frames.is_empty() => self.close(Closed::Reset),
            Ok(frames) => {
                for frame in frames {
                    match self.subscriber.pass_on(frame) {
                        None => {}
                        Some(Pulled::Frame(frame)) => self.ready.push_back(frame.bytes()),
                        Some(Pulled::Closed(reason)) => return self.close(reason),
                        Some(Pulled::History) => {}
                    }
                    self.state_if_due();
                }
            }
        }
    }
}

/// The shape that a response body takes.
impl Stream for EventStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                this.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
                return Poll::Ready(Some(Ok(bytes)));
            }
            if this.closed {
                return Poll::Ready(None);
            }
            this.state_if_due();
            if !this.ready.is_empty() {
                continue;
            }
            if this.poll_step(cx).is_pending() {
                if this.heartbeat.as_mut().poll(cx).is_ready() {
                    this.ready.push_back(frame::HEARTBEAT);
                    continue;
                }
                return Poll::Pending;
            }
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        metrics::gauge!("realtime_subscribers").decrement(1);
    }
}
