//! What a handler knows about its run, and the fence before its effect.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use crate::{Database, JobError, JobId, settle};

/// Another worker owns the job (or it is finished already): roll back, write nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the job is no longer ours")]
pub struct Stale;

/// The run of one job, given to its handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ctx {
    pub(crate) db: Database,
    /// The job's number.
    pub job_id: JobId,
    /// The kind of the job.
    pub name: &'static str,
    /// 1 for the first run.
    pub attempt: i16,
    /// Fencing token of this claim.
    pub(crate) token: i64,
    /// The request or job that enqueued this one, for logs.
    pub trace: Option<Arc<str>>,
    /// Cancelled when the worker drains or the run's time is over: stop child processes, give up waits.
    pub cancelled: CancellationToken,
    pub(crate) finished: Arc<AtomicBool>,
}

impl Ctx {
    /// For the effect: a pool of connections that claims and acknowledgements do not share.
    #[must_use]
    pub fn db(&self) -> &Database {
        &self.db
    }

    /// The key under which an effect outside our database is idempotent.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("job-{}", self.job_id)
    }

    /// Finishes the job inside the effect's transaction, as its first statement: the row with this claim's token moves
    /// to `jobs_done`. After the commit the handler returns `Ok(Verdict::Done)`; if it fails before, the job is as it was.
    ///
    /// # Errors
    /// [`JobError::Stale`] when the claim is lost, a retry when the database refused.
    pub async fn finish(&self, tx: &mut PgConnection) -> Result<(), JobError> {
        fail::fail_point!("queue::finish::before");
        if settle::done(tx, &[self.claim()]).await?.is_empty() {
            return Err(JobError::Stale);
        }
        fail::fail_point!("queue::finish::after");
        self.finished.store(true, Ordering::Release);
        Ok(())
    }

    /// What the fence compares. A finished job does not go back to ready, so its wake-up key is of no interest.
    pub(crate) fn claim(&self) -> settle::Claim {
        settle::Claim { id: self.job_id, token: self.token, wake: false }
    }
}
