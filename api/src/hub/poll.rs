//! The same events for clients that poll: a page after a cursor, waited for if need be.

use std::time::Duration;

use domain::events::Cursor;
use futures_util::{FutureExt, future::poll_fn};
use tokio::time::Instant;

use super::{
    Hub, Wish,
    frame::Frame,
    replay::{self, PageError},
    subscriber::{Closed, Pulled, Subscriber},
};

/// Events in one answer.
const LIMIT: usize = 200;

/// What a poll found.
#[derive(Debug)]
pub(crate) struct Polled {
    /// In order, each with its id.
    pub(crate) frames: Vec<Frame>,
    /// Where the next poll goes on. May be past the last frame: events between were not for this audience.
    pub(crate) cursor: Cursor,
    /// Why there will be no more after this place.
    pub(crate) closed: Option<Closed>,
}

impl Hub {
    /// The events after `cursor`, which must be one that [`Resume::judge`](super::Resume::judge) found good. With none
    /// there yet, waits up to `wait` for the first.
    ///
    /// # Errors
    /// The database refused.
    pub(crate) async fn poll(&self, wish: Wish, cursor: Cursor, wait: Duration) -> Result<Polled, sqlx::Error> {
        let deadline = Instant::now() + wait;
        let mut subscriber = self.subscriber(wish, cursor).await?;
        let mut frames = Vec::new();
        let mut closed = None;
        while frames.len() < LIMIT && closed.is_none() {
            let pulled = if frames.is_empty() {
                tokio::time::timeout_at(deadline, next(&mut subscriber)).await.ok()
            } else {
                next(&mut subscriber).now_or_never()
            };
            match pulled {
                None => break,
                Some(Pulled::Frame(frame)) => frames.push(frame),
                Some(Pulled::Closed(reason)) => closed = Some(reason),
                Some(Pulled::History) => {
                    closed = self.page_of_history(&mut subscriber, &mut frames).await?;
                }
            }
        }
        Ok(Polled { frames, cursor: subscriber.cursor(), closed })
    }

    async fn page_of_history(
        &self,
        subscriber: &mut Subscriber,
        frames: &mut Vec<Frame>,
    ) -> Result<Option<Closed>, sqlx::Error> {
        let page = match replay::page(&self.inner.db, subscriber.stream(), subscriber.cursor()).await {
            Ok(page) if page.is_empty() => return Ok(Some(Closed::Reset)),
            Ok(page) => page,
            Err(PageError::Trimmed) => return Ok(Some(Closed::Reset)),
            Err(PageError::Database(error)) => return Err(error),
        };
        for frame in page {
            match subscriber.pass_on(frame) {
                Some(Pulled::Frame(frame)) => frames.push(frame),
                Some(Pulled::Closed(reason)) => return Ok(Some(reason)),
                Some(Pulled::History) | None => {}
            }
        }
        Ok(None)
    }
}

async fn next(subscriber: &mut Subscriber) -> Pulled {
    poll_fn(|cx| subscriber.poll_next(cx)).await
}
