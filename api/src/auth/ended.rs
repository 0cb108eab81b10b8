//! The sessions that have ended while a token of theirs may still live, and the tokens of docks, programs and sources that
//! were revoked or are over: what makes an end count at once, without a question to the database per request.
//!
//! A process reads who was ended when it starts, before it serves anybody; again whenever a process says that there is news;
//! and each second anyway, because a wake-up is a hint only.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use domain::{sessions, tokens};
use queue::Database;
use time::OffsetDateTime;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::hub::Closed;

/// Longer than an access token lives.
const KEEP: Duration = Duration::from_mins(20);
/// Read at least this often.
const POLL: Duration = Duration::from_secs(1);
/// What was ended before the newest that is known may have been committed after it.
const OVERLAP: time::Duration = time::Duration::seconds(10);
/// So often everything is read, for commits that took longer.
const WHOLE: Duration = Duration::from_secs(30);

/// The ended sessions and tokens that this process knows. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Database,
    known: RwLock<HashMap<Uuid, Known>>,
    read: Mutex<Read>,
    /// True once they have been read; marked as changed when there are more.
    told: watch::Sender<bool>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// It is worth knowing until then.
    until: Instant,
    why: Closed,
}

#[derive(Debug, Default)]
struct Read {
    newest: Option<OffsetDateTime>,
    whole: Option<Instant>,
}

impl Ended {
    /// Knows nothing yet; reads until `shutdown`.
    pub(crate) fn new(db: Database, shutdown: CancellationToken) -> Self {
        let inner = Inner { db, known: RwLock::default(), read: Mutex::default(), told: watch::Sender::new(false) };
        let ended = Self { inner: Arc::new(inner) };
        tokio::spawn(ended.clone().keep_reading(shutdown));
        ended
    }

    /// Whether the session, or the token, has ended.
    pub(crate) fn contains(&self, session: Uuid) -> bool {
        self.why(session).is_some()
    }

    fn why(&self, session: Uuid) -> Option<Closed> {
        let known = self.inner.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&session).map(|known| known.why)
    }

    /// Comes when the process knows what it must before it serves anybody.
    pub(crate) async fn is_read(&self) {
        // The sender is ours: it cannot be gone.
        drop(self.inner.told.subscribe().wait_for(|read| *read).await);
    }

    /// Comes when the session, or the token, has ended, and says why.
    pub(crate) async fn when(self, session: Uuid) -> Closed {
        let mut told = self.inner.told.subscribe();
        loop {
            if let Some(why) = self.why(session) {
                return why;
            }
            if told.changed().await.is_err() {
                return Closed::Shutdown;
            }
        }
    }

    /// Reads what this process itself has just committed, so that it counts before the answer says so. What cannot be read
    /// now is read later.
    pub(crate) async fn catch_up(&self) {
        if let Err(error) = self.read().await {
            tracing::warn!(cause = %error, "ended sessions could not be read; trying again");
        }
    }

    async fn keep_reading(self, shutdown: CancellationToken) {
        let bell = self.inner.db.wakes().matter(sessions::MATTER);
        loop {
            self.catch_up().await;
            tokio::select! {
                _ = bell.heard() => {}
                () = tokio::time::sleep(POLL) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    async fn read(&self) -> Result<(), sqlx::Error> {
        let mut read = self.inner.read.lock().await;
        let whole = read.whole.is_none_or(|at| at.elapsed() >= WHOLE);
        let since = read.newest.filter(|_| !whole).map(|newest| newest - OVERLAP);
        let mut conn = self.inner.db.pool().acquire().await?;
        let mut ended = sessions::ended_since(&mut conn, since).await?;
        ended.extend(tokens::ended_since(&mut conn, since).await?);
        drop(conn);
        let now = Instant::now();
        read.newest = read.newest.max(ended.iter().map(|ended| ended.at).max());
        let mut known = self.inner.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.len();
        for ended in ended {
            let why = if ended.expired { Closed::Expired } else { Closed::Revoked };
            known.entry(ended.id).or_insert(Known { until: now + KEEP, why });
        }
        let news = known.len() > before;
        if whole {
            known.retain(|_, known| known.until > now);
            read.whole = Some(now);
        }
        drop(known);
        self.inner.told.send_if_modified(|told| !std::mem::replace(told, true) || news);
        Ok(())
    }
}
