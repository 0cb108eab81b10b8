//! Realtime: what the event log says, told to everybody who listens.
//!
//! A stream (`channel:<slug>`, `user:<id>`) that somebody listens to has one [`feed::Feed`] in this process: a ring of
//! its last frames, each encoded once. One [`reader`] fills all rings. A [`subscriber::Subscriber`] is a place in a ring;
//! whoever writes to the client pulls from it, so a slow client costs a place, and one that falls 1 MiB or 30 s behind is
//! closed with a reason while nobody else notices.
//!
//! What is promised: history first, then live, each event once and in order. The client's place is the `id:` of the last
//! event it got; a place that means nothing (another epoch, ahead of the stream, trimmed) gets one `reset` and then the
//! present state. [`stream::EventStream`] tells it as server-sent events, [`Hub::poll`] as pages with the same ids.

mod feed;
mod frame;
mod poll;
mod reader;
mod replay;
mod ring;
mod stream;
mod subscriber;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::events::{self, Audience, Cursor};
use queue::{Database, Topic};
use tokio_util::sync::CancellationToken;

use self::{feed::Feed, subscriber::Subscriber};
pub(crate) use self::{
    frame::{Frame, Pass, Scope, made},
    replay::Resume,
    stream::{EventStream, Opening},
    subscriber::Closed,
};

/// The realtime hub of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Database,
    feeds: Mutex<HashMap<Arc<str>, Arc<Feed>>>,
    shutdown: CancellationToken,
}

/// What a subscriber asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The stream's key, e.g. `channel:demo`.
    pub(crate) stream: String,
    /// Events of any of these are for it.
    pub(crate) audience: Audience,
    /// By what it reads a channel, if it is one's.
    pub(crate) pass: Option<Pass>,
}

impl Hub {
    /// A hub with its reader; both stop, and all streams end, when `shutdown` is cancelled. Call it inside a runtime.
    #[must_use]
    pub(crate) fn new(db: Database, shutdown: CancellationToken) -> Self {
        stream::describe();
        let wakes = db.wakes().streams();
        let inner = Arc::new(Inner { db, feeds: Mutex::default(), shutdown });
        tokio::spawn(reader::run(inner.clone(), wakes));
        Self { inner }
    }

    /// The stream's events as server-sent events: what `opening` says first, then everything after its place.
    ///
    /// # Errors
    /// The database refused.
    pub(crate) async fn subscribe(&self, wish: Wish, opening: Opening) -> Result<EventStream, sqlx::Error> {
        let from = match opening.resume {
            Resume::From(cursor) => cursor,
            Resume::New | Resume::Lost => opening.head,
        };
        let subscriber = self.subscriber(wish, from).await?;
        Ok(EventStream::new(self.inner.db.clone(), subscriber, opening))
    }

    async fn subscriber(&self, wish: Wish, cursor: Cursor) -> Result<Subscriber, sqlx::Error> {
        let feed = self.feed(&wish.stream).await?;
        Ok(Subscriber::new(feed, wish.audience, wish.pass, cursor))
    }

    /// The stream's feed; a new one starts at the stream's present end.
    async fn feed(&self, stream: &str) -> Result<Arc<Feed>, sqlx::Error> {
        if let Some(feed) = self.feeds().get(stream) {
            return Ok(feed.clone());
        }
        let tail = {
            let mut conn = self.inner.db.pool().acquire().await?;
            events::head(&mut conn, stream).await?
        };
        let key: Arc<str> = stream.into();
        let feed = self.feeds().entry(key.clone()).or_insert_with(|| Arc::new(Feed::new(key.clone(), tail))).clone();
        if self.inner.shutdown.is_cancelled() {
            feed.close();
        }
        // What was recorded between reading the end and entering the map woke nobody here.
        self.inner.db.wakes().ring(&Topic::Stream(key));
        Ok(feed)
    }

    fn feeds(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Arc<Feed>>> {
        self.inner.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Ends all streams.
    fn close(&self) {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(|feed| feed.close());
    }
}
