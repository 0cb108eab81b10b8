//! Words of the job queues.

use poem_openapi::Object;
use queue::admin;
use time::OffsetDateTime;

/// A pool's jobs as they are now, with the policies of their kinds.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobQueueView {
    pub(crate) pool: String,
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
    /// Set by hand, for all processes together.
    limit: Option<JobLimitView>,
    /// Processes that serve the pool.
    workers: i64,
    /// Processes that served it until they fell silent: dead in a moment, unless they speak again.
    silent: i64,
    /// Those processes one by one.
    processes: Vec<WorkerView>,
    kinds: Vec<JobKindView>,
}

/// One process that serves a pool.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct WorkerView {
    /// New with every start.
    id: i64,
    /// `host/boot/pid/random`.
    name: String,
    started_at: OffsetDateTime,
    /// It has not said for two seconds that it lives.
    silent: bool,
    /// Jobs of this pool that it runs at once.
    slots: Option<i32>,
    /// Jobs of this pool that it runs now.
    running: i64,
    /// It begins nothing of this pool.
    paused: bool,
    paused_at: Option<OffsetDateTime>,
    paused_reason: Option<String>,
}

/// Why a pool is paused.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct PauseQueue {
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
}

/// What one process is to begin nothing of, and why.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct PauseWorker {
    /// All its pools by default.
    pub(crate) pool: Option<String>,
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
}

/// What one process is to go on with.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct ResumeWorker {
    /// All its pools by default.
    pub(crate) pool: Option<String>,
}

/// What one process begins nothing of now.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct PausedPoolsView {
    pub(crate) id: i64,
    pub(crate) paused_pools: Vec<String>,
}

/// How much may go on at once, and how often something may begin, in all processes together.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobLimitView {
    /// Jobs that run at once.
    running: Option<u32>,
    /// Jobs that begin in any window of `perSeconds`.
    starts: Option<u32>,
    per_seconds: Option<f64>,
    /// Of a pool's limit.
    reason: Option<String>,
    /// When a pool's limit was set.
    set_at: Option<OffsetDateTime>,
}

/// A pool's new limit: `running`, or `starts` with `perSeconds`, or all of them.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct LimitQueue {
    /// Jobs that run at once in all processes together.
    #[oai(validator(minimum(value = "1"), maximum(value = "2147483647")))]
    pub(crate) running: Option<u32>,
    /// Jobs that begin in any window of `perSeconds`.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
    pub(crate) starts: Option<u32>,
    /// A millisecond to a year.
    #[oai(validator(minimum(value = "0.001"), maximum(value = "31536000")))]
    pub(crate) per_seconds: Option<f64>,
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
}

/// The policy of one kind of job.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobKindView {
    name: String,
    pool: String,
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
    /// What jobs with the same limit key share.
    limit: Option<JobLimitView>,
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
            limit: queue.limit.map(Into::into),
            workers: queue.workers,
            silent: queue.silent,
            processes: queue.processes.into_iter().map(Into::into).collect(),
            kinds: queue.kinds.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<admin::WorkerView> for WorkerView {
    fn from(worker: admin::WorkerView) -> Self {
        Self {
            id: worker.id,
            name: worker.name,
            started_at: worker.started_at,
            silent: worker.silent,
            slots: worker.slots,
            running: worker.running,
            paused: worker.paused,
            paused_at: worker.paused_at,
            paused_reason: worker.paused_reason,
        }
    }
}

impl From<admin::KindView> for JobKindView {
    fn from(kind: admin::KindView) -> Self {
        Self {
            name: kind.name.to_owned(),
            pool: kind.pool.to_owned(),
            version: kind.version,
            max_attempts: kind.attempts,
            backoff_base_seconds: kind.base_seconds,
            backoff_cap_seconds: kind.cap_seconds,
            jitter_percent: kind.jitter_percent,
            timeout_seconds: kind.timeout_seconds,
            priority: kind.priority,
            limit: kind.limit.map(Into::into),
        }
    }
}

impl From<admin::LimitView> for JobLimitView {
    fn from(limit: admin::LimitView) -> Self {
        Self {
            running: limit.running,
            starts: limit.starts,
            per_seconds: limit.per_seconds,
            reason: limit.reason,
            set_at: limit.set_at,
        }
    }
}
