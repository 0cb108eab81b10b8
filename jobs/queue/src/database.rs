//! The database as the house uses it: a pool, and transactions that wake whom they concern after commit.

use std::{
    any::Any,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{PgConnection, PgPool, Postgres, Transaction, postgres::PgConnectOptions};

use crate::{
    Job, Topic, Wakes,
    hand_over::{HandOver, Reservation},
};

/// How the house's connections plan: each statement once, along indexes. A queue's statistics are always out of date (empty
/// now, a million rows in a minute), and those of what hangs on it too; and a purchase is thirty small statements, which
/// cost less than planning them anew. Who reads whole tables says so in its transaction.
const PLANNING: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// The options with the house's way of planning.
#[must_use]
pub fn planning(options: PgConnectOptions) -> PgConnectOptions {
    options.options(PLANNING)
}

/// The connection pool with the wake-up exchange of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
    wakes: Wakes,
}

impl Database {
    /// Of a pool whose connections were made with [`planning`], and the exchange that [`run_exchange`](crate::run_exchange)
    /// carries to other processes.
    #[must_use]
    pub fn new(pool: PgPool, wakes: Wakes) -> Self {
        Self { pool, wakes }
    }

    /// For reading, and for writes after which nobody need be woken.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The exchange.
    #[must_use]
    pub fn wakes(&self) -> &Wakes {
        &self.wakes
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// No connection could be had in time, or the server refused.
    #[allow(clippy::disallowed_methods, reason = "this is the door that the lint points to")]
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        Ok(Tx {
            inner: self.pool.begin().await?,
            wakes: self.wakes.clone(),
            pending: Vec::new(),
            news: Vec::new(),
            handed: Vec::new(),
        })
    }
}

/// A transaction that remembers whom to wake, and the jobs that it hands to a free slot of this process; dropped without
/// [`Tx::commit`], it rolls back, wakes nobody and hands over nothing.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    wakes: Wakes,
    pending: Vec<Topic>,
    news: Vec<(Arc<str>, Arc<dyn Any + Send + Sync>)>,
    handed: Vec<HandOver>,
}

impl Tx {
    /// Wakes the topic's listeners once this transaction has committed.
    pub fn wake(&mut self, topic: Topic) {
        if !self.pending.contains(&topic) {
            self.pending.push(topic);
        }
    }

    /// Tells the stream's listeners in this process by what it has grown, once this transaction has committed, so that they
    /// need not read it again; those in other processes are woken.
    pub fn tell(&mut self, stream: Arc<str>, news: Arc<dyn Any + Send + Sync>) {
        self.news.push((stream, news));
    }

    /// Wakes the pool for a job that was just ordered for `delay` from now.
    pub(crate) fn wake_after(&mut self, pool: &'static str, delay: Duration) {
        if delay.is_zero() {
            return self.wake(Topic::Pool(pool.into()));
        }
        // Longer than any clock goes: nobody need be told.
        let Some(at) = Instant::now().checked_add(delay) else { return };
        for topic in &mut self.pending {
            if let Topic::Later(name, earliest) = topic
                && **name == *pool
            {
                *earliest = at.min(*earliest);
                return;
            }
        }
        self.wake(Topic::Later(pool.into(), at));
    }

    /// A slot of this process for a job of this kind, if one is free.
    pub(crate) fn reserve<J: Job>(&self) -> Option<Reservation> {
        self.wakes.desk(J::POOL)?.reserve::<J>()
    }

    /// Hands the job over once this transaction has committed.
    pub(crate) fn hand_over(&mut self, job: HandOver) {
        self.handed.push(job);
    }

    /// Commits, then hands over and wakes. A transaction in which a statement failed must not be committed: the server
    /// rolls it back and calls that a success.
    ///
    /// # Errors
    /// The commit failed, or its outcome is unknown because the connection was lost.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.handed.iter_mut().for_each(HandOver::committing);
        self.inner.commit().await?;
        for (stream, news) in self.news {
            self.wakes.tell(stream, news);
        }
        if !self.handed.is_empty() {
            fail::fail_point!("queue::hand_over::before");
        }
        self.handed.into_iter().for_each(HandOver::complete);
        for topic in self.pending {
            self.wakes.publish(topic);
        }
        Ok(())
    }

    /// Rolls back and wakes nobody.
    ///
    /// # Errors
    /// The connection was lost (the server rolls back by itself then).
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.inner.rollback().await
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
