//! Finding jobs.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{Connection as _, PgConnection};
use time::{OffsetDateTime, serde::rfc3339};

use crate::JobId;

/// Which jobs; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Its pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Its kind ([`Job::NAME`](crate::Job::NAME)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `ready`, `scheduled`, `running`, `dead`, `done`, `cancelled`, `folded` or `discarded`; or `unfinished`, which are the
    /// first four.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Order key, limit key or dedupe key; finished jobs know their order key only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The request or job that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Enqueued then or later.
    #[serde(skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Enqueued before.
    #[serde(skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    pub until: Option<OffsetDateTime>,
    /// What the payload has at each path (names and indexes with dots between them), as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub payload: BTreeMap<String, String>,
}

impl Filter {
    /// Whether it names anything: without, all jobs are meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn paths(&self) -> (Vec<String>, Vec<String>) {
        self.payload.iter().map(|(path, value)| (path.clone(), value.clone())).unzip()
    }
}

/// Which part of what was found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Paging {
    /// The `next` of the page before.
    pub after: Option<JobId>,
    /// The oldest first, instead of the newest.
    pub oldest_first: bool,
    /// Rows of the page, 1 to 500; 0 means 50.
    pub limit: u16,
}

/// One job, finished or not.
#[derive(Debug, Clone, Serialize)]
pub struct JobView {
    /// Its number.
    pub id: JobId,
    /// Its kind ([`Job::NAME`](crate::Job::NAME)).
    pub kind: String,
    /// Of its payload.
    pub version: i16,
    /// Its pool.
    pub pool: String,
    /// As [`Filter::state`], but never `unfinished`.
    pub state: String,
    /// Larger runs first.
    pub priority: i16,
    /// Runs that count.
    pub attempts: i16,
    /// Times that its process died under it.
    pub crashes: i16,
    /// When it was enqueued.
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it is due; none once it is finished.
    #[serde(with = "rfc3339::option")]
    pub run_at: Option<OffsetDateTime>,
    /// When the last run began.
    #[serde(with = "rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    /// When it ended or died; none while it may still run.
    #[serde(with = "rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    /// The key under which it stands in line.
    pub order_key: Option<String>,
    /// Whose share of a limit it takes; forgotten when it is finished.
    pub limit_key: Option<String>,
    /// What a claim has met it waiting for: `line`, the job before it with the same order key, or `limit`.
    pub waits_for: Option<String>,
    /// What it folds by; forgotten when it is finished.
    pub dedupe_key: Option<String>,
    /// The request or job that asked for it.
    pub trace: Option<String>,
    /// Why it is dead, cancelled or discarded.
    pub reason: Option<String>,
    /// The order itself.
    pub payload: serde_json::Value,
}

/// A part of what was found.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The jobs, in the order asked for.
    pub jobs: Vec<JobView>,
    /// `after` of the next page; none on the last.
    pub next: Option<JobId>,
}

/// One run of a job.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// 1 for the first.
    pub attempt: i16,
    /// When the run began.
    #[serde(with = "rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When its end was written.
    #[serde(with = "rfc3339")]
    pub ended_at: OffsetDateTime,
    /// `done`, `failed`, `timed_out`, `crashed`, `snoozed`, `cancelled` or `discarded`.
    pub verdict: String,
    /// Why it did not end well.
    pub error: Option<String>,
    /// The process incarnation that ran it.
    pub worker: Option<i64>,
    /// The request or job that asked for it.
    pub trace: Option<String>,
}

/// What asked for a job, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The request at whose beginning it stands, perhaps with other jobs between.
    pub request: Option<String>,
    /// The job that nobody's request stands behind: a periodic one.
    pub job: Option<JobId>,
}

impl Origin {
    fn of(trace: Option<&str>) -> Self {
        let job = trace.and_then(|trace| trace.strip_prefix("job-")?.parse().ok());
        Self { request: trace.filter(|_| job.is_none()).map(str::to_owned), job }
    }
}

/// A job with all its runs, the first one first.
#[derive(Debug, Clone, Serialize)]
pub struct JobDetail {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Its runs that are over.
    pub runs: Vec<RunView>,
    /// What asked for it.
    pub enqueued_by: Origin,
    /// Later jobs of the same origin, or that this one asked for: at most fifty, among the 10,000 that came next.
    pub follows: Vec<JobView>,
}

/// Unfinished jobs by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Due.
    pub ready: i64,
    /// Waiting for their time.
    pub scheduled: i64,
    /// Under a process.
    pub running: i64,
    /// Waiting for somebody who looks.
    pub dead: i64,
}

/// A query of `job_list` with the conditions of a filter ($1 to $9), between a head and a tail of its own.
macro_rules! matching {
    ($row:ty, $head:tt, $filter:expr, $tail:tt $(, $argument:expr)*) => {{
        let filter: &$crate::admin::Filter = $filter;
        let (paths, values) = filter.paths();
        sqlx::query_as!(
            $row,
            $head
                + r#" from job_list
            where ($1::text is null or pool = $1) and ($2::text is null or kind = $2)
                and ($3::text is null or state = $3 or ($3 = 'unfinished' and unfinished))
                and ($4::text is null or order_key = $4 or dedupe_key = $4 or limit_key = $4) and ($5::text is null or trace = $5)
                and ($6::timestamptz is null or created_at >= $6) and ($7::timestamptz is null or created_at < $7)
                and not exists (
                    select 1 from unnest($8::text[], $9::text[]) as c (path, value)
                    where payload #>> string_to_array(c.path, '.') is distinct from c.value) "#
                + $tail,
            filter.pool,
            filter.kind,
            filter.state,
            filter.key,
            filter.trace,
            filter.since,
            filter.until,
            &paths,
            &values
            $(, $argument)*
        )
    }};
}
pub(super) use matching;

/// [`matching!`] for whole jobs.
macro_rules! jobs {
    ($filter:expr, $tail:tt $(, $argument:expr)*) => {
        matching!(
            JobView,
            r#"select id as "id!", kind as "kind!", version as "version!", pool as "pool!", state as "state!",
                priority as "priority!", attempts as "attempts!", crashes as "crashes!", created_at as "created_at!", run_at,
                claimed_at, finished_at, order_key, limit_key, waits_for, dedupe_key, trace, reason, payload as "payload!" "#,
            $filter,
            $tail
            $(, $argument)*
        )
    };
}

/// Finds jobs.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, filter: &Filter, paging: Paging) -> Result<Page, sqlx::Error> {
    let limit = if paging.limit == 0 { 50 } else { usize::from(paging.limit.min(500)) };
    let rows = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut tx = conn.begin().await?;
    // A walk along the ids that ends with the page; sorting, alone or with helpers, would read all there is first.
    sqlx::query!(
        "select set_config('enable_sort', 'off', true) as sort, set_config('max_parallel_workers_per_gather', '0', true) as parallel"
    )
    .fetch_one(&mut *tx)
    .await?;
    let mut jobs = if paging.oldest_first {
        let after = paging.after.unwrap_or(JobId::MIN);
        jobs!(filter, "and id > $10 order by id limit $11", after, rows).fetch_all(&mut *tx).await?
    } else {
        let before = paging.after.unwrap_or(JobId::MAX);
        jobs!(filter, "and id < $10 order by id desc limit $11", before, rows).fetch_all(&mut *tx).await?
    };
    tx.commit().await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = if more { jobs.last().map(|job| job.id) } else { None };
    Ok(Page { jobs, next })
}

struct Counted {
    state: String,
    count: i64,
}

/// How many unfinished jobs match, by state, whatever state the filter names. Reads all unfinished jobs once.
///
/// # Errors
/// The database refused.
pub async fn counts(conn: &mut PgConnection, filter: &Filter) -> Result<Counts, sqlx::Error> {
    let filter = Filter { state: None, ..filter.clone() };
    let rows = matching!(
        Counted,
        r#"select state as "state!", count(*) as "count!""#,
        &filter,
        "and unfinished group by state"
    )
    .fetch_all(conn)
    .await?;
    let count = |state: &str| rows.iter().find(|row| row.state == state).map_or(0, |row| row.count);
    Ok(Counts { ready: count("ready"), scheduled: count("scheduled"), running: count("running"), dead: count("dead") })
}

/// One job with its runs and what stands around it; none if it never was or its history is dropped.
///
/// # Errors
/// The database refused.
pub async fn show(conn: &mut PgConnection, id: JobId) -> Result<Option<JobDetail>, sqlx::Error> {
    let any = Filter::default();
    let job = jobs!(&any, "and id = $10 order by unfinished desc limit 1", id).fetch_optional(&mut *conn).await?;
    let Some(job) = job else { return Ok(None) };
    let runs = sqlx::query_as!(
        RunView,
        r#"select attempt as "attempt!", started_at, ended_at as "ended_at!", verdict as "verdict!", error, worker, trace
         from job_runs where job_id = $1 order by ended_at"#,
        id
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut traces = vec![format!("job-{id}")];
    traces.extend(job.trace.clone());
    let follows =
        jobs!(&any, "and trace = any($10) and id > $11 and id <= $11 + 10000 order by id limit 50", &traces, id)
            .fetch_all(conn)
            .await?;
    Ok(Some(JobDetail { runs, enqueued_by: Origin::of(job.trace.as_deref()), follows, job }))
}
