//! What a job is: a named order with its policy as data.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::{EnqueueError, Limit, Order};

/// A row of `jobs`; ascending, never reused.
pub type JobId = i64;

/// A typed order. Holds ids, not copies: a handler starts by loading the record and asking "is this still to be done?".
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Stable name in kebab-case, never reused for another payload.
    const NAME: &'static str;
    /// Raised when the payload changes shape; a worker that does not know the version releases the job untouched.
    const VERSION: i16 = 1;
    /// The pool that runs it, e.g. `dispatch`.
    const POOL: &'static str;
    /// When and how often a failed run is tried again.
    const RETRY: Retry;
    /// A run that takes longer is stopped and judged a failure.
    const TIMEOUT: Duration;
    /// Larger runs first within the pool.
    const PRIORITY: i16 = 0;
    /// What jobs of the kind share that have the same [`limit_key`](Job::limit_key), over the whole fleet. Kinds of a pool
    /// whose keys can be the same have the same limit.
    const LIMIT: Option<Limit> = None;

    /// Folds this order into one that is already waiting.
    fn dedupe(&self) -> Option<Dedupe> {
        None
    }

    /// What is ordered by the statement that gives this job up: makes it dead, or discards it by hand while it waits. That
    /// is how its business hears of it, at once and for certain; the order's run asks what is still to be done. A wake-up
    /// is ordered without its key, so it may run once more than needed.
    ///
    /// # Errors
    /// The order's payload is not JSON.
    fn last_wish(&self) -> Result<Option<Order>, EnqueueError> {
        Ok(None)
    }

    /// Whose share of [`LIMIT`](Job::LIMIT) a run takes, e.g. a bot account; without a key the job has no limit. Jobs with
    /// a limit and those without take turns in a pool, whatever their priorities.
    fn limit_key(&self) -> Option<String> {
        None
    }

    /// Jobs with the same key run strictly one after another, in the order in which they were committed.
    fn order_key(&self) -> Option<String> {
        None
    }
}

/// How an order with the same key as a waiting one is treated. Keys are scoped by the job's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dedupe {
    /// The order names one single event: while an unfinished job with the key exists, a second is dropped.
    Event(String),
    /// The order means "look again": an order that waits takes this one in (its row is locked until our commit, so the
    /// run that follows sees what we wrote); one that already runs does not count.
    WakeUp(String),
}

/// The retry policy of one kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Runs in all, the first included, until the job is dead.
    pub attempts: i16,
    /// Wait after the first failure; doubles with each further one.
    pub base: Duration,
    /// No wait is longer than this.
    pub cap: Duration,
    /// Per cent of the wait that are drawn by chance (20: the wait is 80 % to 120 % of the plan).
    pub jitter: u8,
}

impl Retry {
    /// A policy with the house's usual jitter of 20 %.
    #[must_use]
    pub const fn new(attempts: i16, base: Duration, cap: Duration) -> Self {
        Self { attempts, base, cap, jitter: 20 }
    }
}
