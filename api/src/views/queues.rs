//! Words of the job queues.

use poem_openapi::Object;
use queue::admin;
use time::OffsetDateTime;

/// A pool's jobs as they are now, with the policies of their kinds.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobQueueView {
    pool: String,
    paused_at: Option<OffsetDateTime>,
    paused_reason: Option<String>,
    /// Due and waiting.
    ready: i64,
    /// Waiting for their time, backoff included.
    scheduled: i64,
    running: i64,
    /// Given up; somebody must look.
    dead: i64,
    /// Seconds that the longest waiting due job has waited.
    oldest_due_seconds: Option<f64>,
    /// Processes that serve the pool.
    workers: i64,
    kinds: Vec<JobKindView>,
}

/// The policy of one kind of job.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct JobKindView {
    name: String,
    /// Of the payload's shape.
    version: i16,
    /// Runs in all, the first included.
    max_attempts: i16,
    /// Wait after the first failure; doubles with each further one.
    backoff_base_seconds: f64,
    /// No wait is longer.
    backoff_cap_seconds: f64,
    /// Per cent of the wait that are drawn by chance.
    jitter_percent: u8,
    /// A run that takes longer is stopped.
    timeout_seconds: f64,
    /// Larger runs first.
    priority: i16,
}

impl From<admin::QueueView> for JobQueueView {
    fn from(queue: admin::QueueView) -> Self {
        Self {
            pool: queue.pool,
            paused_at: queue.paused_at,
            paused_reason: queue.paused_reason,
            ready: queue.ready,
            scheduled: queue.scheduled,
            running: queue.running,
            dead: queue.dead,
            oldest_due_seconds: queue.oldest_due_seconds,
            workers: queue.workers,
            kinds: queue.kinds.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<admin::KindView> for JobKindView {
    fn from(kind: admin::KindView) -> Self {
        Self {
            name: kind.name.to_owned(),
            version: kind.version,
            max_attempts: kind.attempts,
            backoff_base_seconds: kind.base_seconds,
            backoff_cap_seconds: kind.cap_seconds,
            jitter_percent: kind.jitter_percent,
            timeout_seconds: kind.timeout_seconds,
            priority: kind.priority,
        }
    }
}
