//! Words of jobs, as admins see them.

use std::collections::BTreeMap;

use poem_openapi::{Enum, Object, types::Any};
use queue::admin;
use serde_json::Value;
use time::OffsetDateTime;

/// Where a job stands: `unfinished` are the first four, `scheduled` wait for their time, backoff included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum JobState {
    Ready,
    Scheduled,
    Running,
    Dead,
    Done,
    Cancelled,
    Folded,
    Discarded,
    Unfinished,
}

impl JobState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Dead => "dead",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Folded => "folded",
            Self::Discarded => "discarded",
            Self::Unfinished => "unfinished",
        }
    }
}

/// Which end of the list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum JobOrder {
    Newest,
    Oldest,
}

/// Which jobs: those that meet all conditions. At least one is named.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct JobFilter {
    pub(crate) pool: Option<String>,
    pub(crate) kind: Option<String>,
    // Described at the enum: a description here becomes an `allOf`, which generators of clients cannot read.
    pub(crate) state: Option<JobState>,
    /// Order key, limit key or dedupe key.
    pub(crate) key: Option<String>,
    /// The request or job that asked for it.
    pub(crate) trace: Option<String>,
    /// Enqueued then or later.
    pub(crate) since: Option<OffsetDateTime>,
    /// Enqueued before.
    pub(crate) until: Option<OffsetDateTime>,
    // No default: `{}` for what may also be null is more than generators of clients can read.
    /// What the payload has at each path (names and indexes with dots between them), as text.
    pub(crate) payload: Option<BTreeMap<String, String>>,
}

impl From<JobFilter> for admin::Filter {
    fn from(filter: JobFilter) -> Self {
        Self {
            pool: filter.pool,
            kind: filter.kind,
            state: filter.state.map(|state| state.as_str().to_owned()),
            key: filter.key,
            trace: filter.trace,
            since: filter.since,
            until: filter.until,
            payload: filter.payload.unwrap_or_default(),
        }
    }
}

/// Why a job is given up.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct DiscardJob {
    /// Stays with the job and in the audit log; by default `discarded by hand`.
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
}

/// When a job is to run: not past, and at most a year away.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RescheduleJob {
    pub(crate) run_at: OffsetDateTime,
}

/// Jobs that are to run now.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RetryJobs {
    pub(crate) filter: JobFilter,
    /// Count only.
    #[oai(default)]
    pub(crate) dry_run: bool,
}

/// Jobs that are given up.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none, deny_unknown_fields)]
pub(crate) struct DiscardJobs {
    pub(crate) filter: JobFilter,
    /// Stays with the jobs and in the audit log; by default `discarded by hand`.
    #[oai(validator(max_length = 500))]
    pub(crate) reason: Option<String>,
    /// Count only.
    #[oai(default)]
    pub(crate) dry_run: bool,
}

/// Jobs that are to run then.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RescheduleJobs {
    pub(crate) filter: JobFilter,
    /// Not past, and at most a year away.
    pub(crate) run_at: OffsetDateTime,
    /// Count only.
    #[oai(default)]
    pub(crate) dry_run: bool,
}

/// What came of an order about all jobs that match.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct BulkView {
    /// Dead and waiting jobs that matched when it began.
    matched: i64,
    /// Jobs that it was done to. Fewer, where a job began to run meanwhile, or another one with its dedupe key does the
    /// work.
    done: i64,
}

impl From<admin::Bulk> for BulkView {
    fn from(bulk: admin::Bulk) -> Self {
        Self { matched: bulk.matched, done: bulk.done }
    }
}

/// One job, finished or not.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobView {
    id: i64,
    kind: String,
    /// Of the payload's shape.
    version: i16,
    pool: String,
    /// `ready`, `scheduled`, `running`, `dead`, `done`, `cancelled`, `folded` or `discarded`.
    state: String,
    priority: i16,
    /// Runs begun and not given back.
    attempts: i16,
    /// Times that its process died under it.
    crashes: i16,
    created_at: OffsetDateTime,
    /// When it is due; absent once it is finished.
    run_at: Option<OffsetDateTime>,
    /// When the last run began.
    claimed_at: Option<OffsetDateTime>,
    finished_at: Option<OffsetDateTime>,
    /// Jobs of a pool with the same key run one after another.
    order_key: Option<String>,
    /// Whose share of a limit it takes; forgotten when it is finished.
    limit_key: Option<String>,
    /// What it was met waiting for when it was due: `line`, the job before it with the same order key, or `limit`.
    waits_for: Option<String>,
    /// What it folds by; forgotten when it is finished.
    dedupe_key: Option<String>,
    /// The request or job that asked for it.
    trace: Option<String>,
    /// Why it is dead, cancelled or discarded.
    reason: Option<String>,
    payload: Any<Value>,
}

impl From<admin::JobView> for JobView {
    fn from(job: admin::JobView) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            version: job.version,
            pool: job.pool,
            state: job.state,
            priority: job.priority,
            attempts: job.attempts,
            crashes: job.crashes,
            created_at: job.created_at,
            run_at: job.run_at,
            claimed_at: job.claimed_at,
            finished_at: job.finished_at,
            order_key: job.order_key,
            limit_key: job.limit_key,
            waits_for: job.waits_for,
            dedupe_key: job.dedupe_key,
            trace: job.trace,
            reason: job.reason,
            payload: Any(job.payload),
        }
    }
}

/// A part of what was found.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobPageView {
    jobs: Vec<JobView>,
    /// `after` of the next page; absent on the last.
    next: Option<i64>,
    counts: JobCountsView,
}

impl JobPageView {
    pub(crate) fn new(page: admin::Page, counts: admin::Counts) -> Self {
        let admin::Counts { ready, scheduled, running, dead } = counts;
        Self {
            jobs: page.jobs.into_iter().map(Into::into).collect(),
            next: page.next,
            counts: JobCountsView { ready, scheduled, running, dead },
        }
    }
}

/// How many unfinished jobs match, by state, whatever state was asked for.
#[derive(Debug, Object)]
pub(crate) struct JobCountsView {
    ready: i64,
    scheduled: i64,
    running: i64,
    dead: i64,
}

/// One run of a job.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobRunView {
    /// 1 for the first.
    attempt: i16,
    started_at: Option<OffsetDateTime>,
    ended_at: OffsetDateTime,
    /// `done`, `failed`, `timed_out`, `crashed`, `snoozed`, `cancelled` or `discarded`.
    verdict: String,
    error: Option<String>,
    /// The process that ran it.
    worker: Option<i64>,
}

impl From<admin::RunView> for JobRunView {
    fn from(run: admin::RunView) -> Self {
        Self {
            attempt: run.attempt,
            started_at: run.started_at,
            ended_at: run.ended_at,
            verdict: run.verdict,
            error: run.error,
            worker: run.worker,
        }
    }
}

/// A job with what was before it, all its runs, and what came after it.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct JobDetailView {
    job: JobView,
    /// The first one first.
    runs: Vec<JobRunView>,
    /// The request at whose beginning it stands, perhaps with other jobs between: its `requestId`.
    requested_by: Option<String>,
    /// The job at whose beginning it stands, where no request does: a periodic one.
    ordered_by_job: Option<i64>,
    /// Later jobs of the same origin, or that this one asked for: at most fifty, among the 10,000 that came next.
    follows: Vec<JobView>,
}

impl From<admin::JobDetail> for JobDetailView {
    fn from(detail: admin::JobDetail) -> Self {
        Self {
            job: detail.job.into(),
            runs: detail.runs.into_iter().map(Into::into).collect(),
            requested_by: detail.enqueued_by.request,
            ordered_by_job: detail.enqueued_by.job,
            follows: detail.follows.into_iter().map(Into::into).collect(),
        }
    }
}

/// What somebody did by hand.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ActView {
    id: i64,
    at: OffsetDateTime,
    /// `user:<login>`, or `os:<name>` of a command line.
    actor: String,
    /// `retry`, `discard`, `reschedule`, `pause`, `resume`, `pause_worker`, `resume_worker`, `limit` or `rotate_keys`; acts
    /// on people are at `/owner/audit`.
    act: String,
    /// One job's id, the conditions of many, or a pool and a worker; and why. Of a person what was before and after.
    target: Any<Value>,
    /// Jobs that it changed; absent where it was not about jobs.
    jobs: Option<i64>,
    request_id: Option<String>,
}

/// A part of the audit log, the newest act first.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ActPageView {
    acts: Vec<ActView>,
    /// `before` of the next page; absent on the last.
    next: Option<i64>,
}

impl From<admin::ActPage> for ActPageView {
    fn from(page: admin::ActPage) -> Self {
        let act = |act: admin::ActView| ActView {
            id: act.id,
            at: act.at,
            actor: act.actor,
            act: act.act,
            target: Any(act.target),
            jobs: act.jobs,
            request_id: act.request,
        };
        Self { acts: page.acts.into_iter().map(act).collect(), next: page.next }
    }
}
