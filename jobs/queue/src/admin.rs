//! What people may ask of the queue and tell it: list, show, retry and discard jobs; list, pause and resume pools.
//!
//! Times are UTC and written as RFC 3339; durations are seconds.

use serde::Serialize;
use sqlx::PgConnection;
use time::{OffsetDateTime, serde::rfc3339};

use crate::{JobId, Kind, Topic, Tx};

/// Which jobs to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub pool: Option<String>,
    pub kind: Option<String>,
    /// `ready`, `scheduled`, `running`, `dead`, `done`, `cancelled`, `folded` or `discarded`; or `unfinished`, which are the
    /// first four.
    pub state: Option<String>,
    pub trace: Option<String>,
    /// Only jobs older than this one: the `next` of the page before.
    pub before: Option<JobId>,
    /// Rows of the page, 1 to 500; 0 means 50.
    pub limit: u16,
}

/// One job, finished or not.
#[derive(Debug, Clone, Serialize)]
pub struct JobView {
    pub id: JobId,
    pub kind: String,
    pub version: i16,
    pub pool: String,
    pub state: String,
    pub priority: i16,
    pub attempts: i16,
    pub crashes: i16,
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it is due; none once it is finished.
    #[serde(with = "rfc3339::option")]
    pub run_at: Option<OffsetDateTime>,
    /// When the last run began.
    #[serde(with = "rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    pub order_key: Option<String>,
    pub trace: Option<String>,
    /// Why it is dead, cancelled or discarded.
    pub reason: Option<String>,
    pub payload: serde_json::Value,
}

/// Newest first.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    pub jobs: Vec<JobView>,
    /// `before` of the next page; none on the last.
    pub next: Option<JobId>,
}

/// One run of a job.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// 1 for the first.
    pub attempt: i16,
    #[serde(with = "rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339")]
    pub ended_at: OffsetDateTime,
    /// `done`, `failed`, `timed_out`, `crashed`, `snoozed`, `cancelled` or `discarded`.
    pub verdict: String,
    pub error: Option<String>,
    /// The process incarnation that ran it.
    pub worker: Option<i64>,
    pub trace: Option<String>,
}

/// A job with all its runs, the first one first.
#[derive(Debug, Clone, Serialize)]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: JobView,
    pub runs: Vec<RunView>,
}

/// What came of an order about one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordered {
    /// As asked.
    Yes,
    /// There is no unfinished or dead job with this id.
    NotFound,
    /// It runs right now.
    Running,
    /// Another job with its dedupe key is unfinished and does the work.
    Covered,
}

/// One pool as it is now.
#[derive(Debug, Clone, Serialize)]
pub struct QueueView {
    pub pool: String,
    #[serde(with = "rfc3339::option")]
    pub paused_at: Option<OffsetDateTime>,
    pub paused_reason: Option<String>,
    /// Due and waiting.
    pub ready: i64,
    /// Waiting for their time, backoff included.
    pub scheduled: i64,
    pub running: i64,
    pub dead: i64,
    /// Seconds that the longest waiting due job has waited.
    pub oldest_due_seconds: Option<f64>,
    /// Processes that serve the pool.
    pub workers: i64,
    /// Processes that served it until they fell silent: dead in a moment, unless they beat again.
    pub silent: i64,
    /// The kinds that this program runs in the pool.
    pub kinds: Vec<KindView>,
}

/// A kind's policy.
#[derive(Debug, Clone, Serialize)]
pub struct KindView {
    pub name: &'static str,
    pub version: i16,
    pub attempts: i16,
    pub base_seconds: f64,
    pub cap_seconds: f64,
    pub jitter_percent: u8,
    pub timeout_seconds: f64,
    pub priority: i16,
}

impl From<&Kind> for KindView {
    fn from(kind: &Kind) -> Self {
        Self {
            name: kind.name,
            version: kind.version,
            attempts: kind.retry.attempts,
            base_seconds: kind.retry.base.as_secs_f64(),
            cap_seconds: kind.retry.cap.as_secs_f64(),
            jitter_percent: kind.retry.jitter,
            timeout_seconds: kind.timeout.as_secs_f64(),
            priority: kind.priority,
        }
    }
}

/// Lists jobs, newest first.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, filter: &Filter) -> Result<Page, sqlx::Error> {
    let limit = if filter.limit == 0 { 50 } else { i64::from(filter.limit.min(500)) };
    let mut jobs = find(conn, None, filter, limit + 1).await?;
    let more = i64::try_from(jobs.len()).unwrap_or(i64::MAX) > limit;
    if more {
        jobs.pop();
    }
    let next = if more { jobs.last().map(|job| job.id) } else { None };
    Ok(Page { jobs, next })
}

/// One job with its runs; none if it never was or its history is dropped.
///
/// # Errors
/// The database refused.
pub async fn show(conn: &mut PgConnection, id: JobId) -> Result<Option<JobDetail>, sqlx::Error> {
    let Some(job) = find(conn, Some(id), &Filter::default(), 1).await?.pop() else { return Ok(None) };
    let runs = sqlx::query_as!(
        RunView,
        r#"select attempt as "attempt!", started_at, ended_at as "ended_at!", verdict as "verdict!", error, worker, trace
         from job_runs where job_id = $1 order by ended_at"#,
        id
    )
    .fetch_all(conn)
    .await?;
    Ok(Some(JobDetail { job, runs }))
}

async fn find(
    conn: &mut PgConnection,
    id: Option<JobId>,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<JobView>, sqlx::Error> {
    // Both halves are limited before they meet, so that each is one walk down its index.
    sqlx::query_as!(
        JobView,
        r#"with open as (
            select id, kind, version, pool, case when state = 'ready' and run_at > app_now() then 'scheduled' else state end as state,
                priority, attempts, crashes, created_at, run_at, claimed_at, died_at as finished_at, order_key, trace, reason, payload
            from jobs
            where ($1::bigint is null or id = $1) and ($2::bigint is null or id < $2)
                and ($3::text is null or pool = $3) and ($4::text is null or kind = $4) and ($6::text is null or trace = $6)
                and ($5::text is null or $5 in ('unfinished', case when state = 'ready' and run_at > app_now() then 'scheduled' else state end))
            order by id desc limit $7
        ), finished as (
            select id, kind, version, pool, verdict as state, priority, attempts, crashes, created_at,
                null::timestamptz as run_at, claimed_at, finished_at, order_key, trace, reason, payload
            from jobs_done
            where ($1::bigint is null or id = $1) and ($2::bigint is null or id < $2)
                and ($3::text is null or pool = $3) and ($4::text is null or kind = $4) and ($6::text is null or trace = $6)
                and ($5::text is null or verdict = $5)
            order by id desc limit $7
        )
        select id as "id!", kind as "kind!", version as "version!", pool as "pool!", state as "state!", priority as "priority!",
            attempts as "attempts!", crashes as "crashes!", created_at as "created_at!", run_at, claimed_at, finished_at,
            order_key, trace, reason, payload as "payload!"
        from (select * from open union all select * from finished) found
        order by id desc limit $7"#,
        id,
        filter.before,
        filter.pool,
        filter.kind,
        filter.state,
        filter.trace,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Lets a dead or waiting job run now, with all its attempts before it.
///
/// # Errors
/// The database refused.
pub async fn retry(tx: &mut Tx, id: JobId) -> Result<Ordered, sqlx::Error> {
    let Some(job) = lock(tx, id).await? else { return Ok(Ordered::NotFound) };
    if job.state == "running" {
        return Ok(Ordered::Running);
    }
    let covered = sqlx::query_scalar!(
        r#"select exists (
            select 1 from jobs j join jobs other on other.kind = j.kind and other.id <> j.id
            where j.id = $1 and (
                (other.event_key = j.event_key and other.state in ('ready', 'running'))
                or (other.wake_key = j.wake_key and other.state = 'ready'))) as "covered!""#,
        id
    )
    .fetch_one(&mut **tx)
    .await?;
    if covered {
        return Ok(Ordered::Covered);
    }
    sqlx::query!(
        "update jobs set state = 'ready', attempts = 0, crashes = 0, run_at = app_now(), reason = null, died_at = null where id = $1",
        id
    )
    .execute(&mut **tx)
    .await?;
    tx.wake(Topic::Pool(job.pool.into()));
    Ok(Ordered::Yes)
}

/// Ends a dead or waiting job without a run. The last wish of a waiting one is ordered now; that of a dead one was, when it
/// died.
///
/// # Errors
/// The database refused.
pub async fn discard(tx: &mut Tx, id: JobId, reason: &str) -> Result<Ordered, sqlx::Error> {
    let Some(job) = lock(tx, id).await? else { return Ok(Ordered::NotFound) };
    if job.state == "running" {
        return Ok(Ordered::Running);
    }
    sqlx::query!(
        "with gone as (delete from jobs where id = $1 returning *
         ), wished as (
             insert into jobs (kind, version, pool, payload, priority, max_attempts, event_key, order_key, trace)
             select w.kind, w.version, w.pool, w.payload, w.priority, w.max_attempts, w.event_key, w.order_key,
                 coalesce(gone.trace, 'job-' || gone.id)
             from gone cross join lateral jsonb_to_record(gone.last_wish)
                 as w(kind text, version smallint, pool text, payload jsonb, priority smallint, max_attempts smallint, event_key text,
                      order_key text)
             where gone.state = 'ready' and gone.last_wish is not null
             on conflict (kind, event_key) where event_key is not null and state in ('ready', 'running') do nothing
         )
         insert into jobs_done (id, created_at, claimed_at, worker, version, priority, attempts, crashes, verdict, kind, pool,
             payload, order_key, trace, reason)
         select id, created_at, claimed_at, worker, version, priority, attempts, crashes, 'discarded', kind, pool,
             payload, order_key, trace, $2
         from gone",
        id,
        reason,
    )
    .execute(&mut **tx)
    .await?;
    // Its order key is free now.
    tx.wake(Topic::Pool(job.pool.into()));
    if let Some(pool) = job.wish_pool {
        tx.wake(Topic::Pool(pool.into()));
    }
    Ok(Ordered::Yes)
}

struct Locked {
    state: String,
    pool: String,
    wish_pool: Option<String>,
}

async fn lock(tx: &mut Tx, id: JobId) -> Result<Option<Locked>, sqlx::Error> {
    sqlx::query_as!(
        Locked,
        "select state, pool, last_wish ->> 'pool' as wish_pool from jobs where id = $1 for update",
        id
    )
    .fetch_optional(&mut **tx)
    .await
}

/// All pools that have jobs, a process, a pause, or a kind in `kinds`, by name.
///
/// # Errors
/// The database refused.
pub async fn queues(conn: &mut PgConnection, kinds: &[Kind]) -> Result<Vec<QueueView>, sqlx::Error> {
    let names: Vec<String> = kinds.iter().map(|kind| kind.pool.to_owned()).collect();
    let rows = sqlx::query!(
        r#"with counts as (
            select pool,
                count(*) filter (where state = 'ready' and run_at <= app_now()) as ready,
                count(*) filter (where state = 'ready' and run_at > app_now()) as scheduled,
                count(*) filter (where state = 'running') as running,
                count(*) filter (where state = 'dead') as dead,
                extract(epoch from app_now() - min(run_at) filter (where state = 'ready' and run_at <= app_now()))::float8 as oldest
            from jobs group by pool
        ), alive as (
            select pool, count(*) filter (where seen_at > machine_now() - interval '2 seconds') as workers,
                count(*) filter (where seen_at <= machine_now() - interval '2 seconds') as silent
            from job_workers cross join unnest(pools) as pool group by pool
        ), names as (
            select pool from counts union select pool from job_pauses union select pool from alive
            union select * from unnest($1::text[])
        )
        select n.pool as "pool!", p.paused_at as "paused_at?", p.reason as "paused_reason?",
            coalesce(c.ready, 0) as "ready!", coalesce(c.scheduled, 0) as "scheduled!", coalesce(c.running, 0) as "running!",
            coalesce(c.dead, 0) as "dead!", c.oldest as "oldest?", coalesce(a.workers, 0) as "workers!",
            coalesce(a.silent, 0) as "silent!"
        from names n left join counts c using (pool) left join job_pauses p using (pool) left join alive a using (pool)
        order by n.pool"#,
        &names,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| QueueView {
            kinds: kinds.iter().filter(|kind| kind.pool == row.pool).map(KindView::from).collect(),
            pool: row.pool,
            paused_at: row.paused_at,
            paused_reason: row.paused_reason,
            ready: row.ready,
            scheduled: row.scheduled,
            running: row.running,
            dead: row.dead,
            oldest_due_seconds: row.oldest,
            workers: row.workers,
            silent: row.silent,
        })
        .collect())
}

/// Stops claims of the pool in all processes; what runs goes on.
///
/// # Errors
/// The database refused.
pub async fn pause(conn: &mut PgConnection, pool: &str, reason: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into job_pauses (pool, reason) values ($1, $2) on conflict (pool) do nothing", pool, reason)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a pause; false if there was none.
///
/// # Errors
/// The database refused.
pub async fn resume(tx: &mut Tx, pool: &str) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query!("delete from job_pauses where pool = $1", pool).execute(&mut **tx).await?;
    tx.wake(Topic::Pool(pool.into()));
    Ok(gone.rows_affected() > 0)
}
