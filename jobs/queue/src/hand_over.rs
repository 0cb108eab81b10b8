//! The short way of a job that is due at once where it is ordered: into a free slot of this process. Its row is born
//! claimed, and after the commit the job goes to the runner: no wake-up, no claim, no commit of a claim.
//!
//! The slot is kept before the row is written and belongs to the transaction until its end. Whoever claims holds all free
//! slots meanwhile and stands in line for the next one, so where jobs wait nothing is handed over past them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    Job,
    claim::{self, Row},
    pool::{Claimed, Pool},
};

/// A claim that may own rows of which nobody here knows.
#[derive(Debug)]
pub(crate) struct Stray {
    pub(crate) worker: i64,
    pub(crate) token: i64,
    /// The transaction that wrote it, as far as it is known: before its end there is nothing to be seen.
    pub(crate) transaction: Option<String>,
}

/// Where jobs are handed to one running pool of this process. Open until the pool drains; the fetcher waits for whoever
/// holds it.
#[derive(Debug)]
pub(crate) struct Desk {
    pool: Arc<Pool>,
    slots: Arc<Semaphore>,
    /// Weak: it is the fetcher that keeps the way to the runner open.
    jobs: mpsc::WeakUnboundedSender<Claimed>,
    strays: mpsc::UnboundedSender<Stray>,
}

impl Desk {
    pub(crate) fn new(
        pool: Arc<Pool>,
        slots: Arc<Semaphore>,
        jobs: mpsc::WeakUnboundedSender<Claimed>,
        strays: mpsc::UnboundedSender<Stray>,
    ) -> Self {
        Self { pool, slots, jobs, strays }
    }

    /// Keeps a free slot for a job of this kind; none if there is none, or if this process may not or cannot run it.
    pub(crate) fn reserve<J: Job>(self: Arc<Self>) -> Option<Reservation> {
        let (kind, _) = self.pool.workers.find(J::NAME)?;
        if kind.version < J::VERSION || self.pool.drain.is_cancelled() {
            return None;
        }
        let worker = self.pool.presence.current()?;
        let slot = self.slots.clone().try_acquire_owned().ok()?;
        let timeout_ms = claim::millis(kind.timeout);
        Some(Reservation { worker, token: rand::random(), timeout_ms, desk: self, slot })
    }
}

/// A free slot that is kept for a job about to be written; dropped, the slot is free again.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) worker: i64,
    pub(crate) token: i64,
    pub(crate) timeout_ms: i64,
    desk: Arc<Desk>,
    slot: OwnedSemaphorePermit,
}

impl Reservation {
    /// The row was written as ours, by this transaction.
    pub(crate) fn taken(self, row: Row, transaction: String) -> HandOver {
        let stray = Stray { worker: self.worker, token: self.token, transaction: Some(transaction) };
        HandOver { desk: self.desk, job: Some(Claimed::new(row, self.slot)), stray: Some(stray), committing: false }
    }
}

/// A job that was written as ours and waits for the commit.
#[derive(Debug)]
pub(crate) struct HandOver {
    desk: Arc<Desk>,
    job: Option<Claimed>,
    stray: Option<Stray>,
    committing: bool,
}

impl HandOver {
    /// From here on, whether the row is there is known only when the commit has answered.
    pub(crate) fn committing(&mut self) {
        self.committing = true;
    }

    /// The commit has answered: to the runner.
    pub(crate) fn complete(mut self) {
        let (Some(job), Some(jobs)) = (self.job.take(), self.desk.jobs.upgrade()) else { return };
        self.desk.pool.meters.handed_over();
        if jobs.send(job).is_ok() {
            self.stray = None;
        }
    }
}

impl Drop for HandOver {
    /// Rolled back, the row never was. Otherwise it may be there without a runner: the fetcher gives it back.
    fn drop(&mut self) {
        if self.committing
            && let Some(stray) = self.stray.take()
        {
            // A fetcher that is gone has waited until the end of the grace; the lease gives the job back.
            drop(self.desk.strays.send(stray));
            self.desk.pool.db.wakes().pool(self.desk.pool.name()).ring();
        }
    }
}
