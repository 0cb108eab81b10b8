//! The pools and the processes that serve them.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use time::{OffsetDateTime, serde::rfc3339};

use super::audit::{By, note};
use crate::{Kind, Limit, Rate, Topic, Tx};

/// One pool as it is now.
#[derive(Debug, Clone, Serialize)]
pub struct QueueView {
    /// Its name.
    pub pool: String,
    /// Since when it is paused; none if it is not.
    #[serde(with = "rfc3339::option")]
    pub paused_at: Option<OffsetDateTime>,
    /// Why, as far as somebody said.
    pub paused_reason: Option<String>,
    /// Due and waiting.
    pub ready: i64,
    /// Waiting for their time, backoff included.
    pub scheduled: i64,
    /// Under a process.
    pub running: i64,
    /// Waiting for somebody who looks.
    pub dead: i64,
    /// Seconds that the longest waiting due job has waited.
    pub oldest_due_seconds: Option<f64>,
    /// What its limit is, set by hand for all processes together.
    pub limit: Option<LimitView>,
    /// Processes that serve the pool.
    pub workers: i64,
    /// Processes that served it until they fell silent: dead in a moment, unless they beat again.
    pub silent: i64,
    /// Those processes one by one.
    pub processes: Vec<WorkerView>,
    /// The kinds that this program runs in the pool.
    pub kinds: Vec<KindView>,
}

/// One process that serves a pool.
#[derive(Debug, Clone, Serialize)]
pub struct WorkerView {
    /// New with every start.
    pub id: i64,
    /// host/boot/pid/random.
    pub name: String,
    /// When the process began, or began again under a new name.
    #[serde(with = "rfc3339")]
    pub started_at: OffsetDateTime,
    /// It has not said for two seconds that it lives.
    pub silent: bool,
    /// Jobs of this pool that it runs at once; none of a process that does not tell.
    pub slots: Option<i32>,
    /// Jobs of this pool that it runs now.
    pub running: i64,
    /// It begins nothing of this pool.
    pub paused: bool,
    /// Since when it is paused; none if it is not.
    #[serde(with = "rfc3339::option")]
    pub paused_at: Option<OffsetDateTime>,
    /// Why, as far as somebody said.
    pub paused_reason: Option<String>,
}

/// A kind's policy.
#[derive(Debug, Clone, Serialize)]
pub struct KindView {
    /// As [`Job::NAME`](crate::Job::NAME).
    pub name: &'static str,
    /// The pool that runs it.
    pub pool: &'static str,
    /// The newest payload that this program reads.
    pub version: i16,
    /// As [`Retry::attempts`](crate::Retry::attempts).
    pub attempts: i16,
    /// As [`Retry::base`](crate::Retry::base).
    pub base_seconds: f64,
    /// As [`Retry::cap`](crate::Retry::cap).
    pub cap_seconds: f64,
    /// As [`Retry::jitter`](crate::Retry::jitter).
    pub jitter_percent: u8,
    /// After which a run is stopped.
    pub timeout_seconds: f64,
    /// Larger runs first.
    pub priority: i16,
    /// What jobs of the kind with the same limit key share.
    pub limit: Option<LimitView>,
}

/// A limit.
#[derive(Debug, Clone, Serialize)]
pub struct LimitView {
    /// Runs at once.
    pub running: Option<u32>,
    /// Runs that begin within the window.
    pub starts: Option<u32>,
    /// Length of that window.
    pub per_seconds: Option<f64>,
    /// Why it was set, where it was set by hand.
    pub reason: Option<String>,
    /// When it was set by hand.
    #[serde(with = "rfc3339::option")]
    pub set_at: Option<OffsetDateTime>,
}

impl From<Limit> for LimitView {
    fn from(limit: Limit) -> Self {
        Self {
            running: limit.running,
            starts: limit.starts.map(|rate: Rate| rate.most),
            per_seconds: limit.starts.map(|rate| rate.per.as_secs_f64()),
            reason: None,
            set_at: None,
        }
    }
}

impl From<&Kind> for KindView {
    fn from(kind: &Kind) -> Self {
        Self {
            name: kind.name,
            pool: kind.pool,
            version: kind.version,
            attempts: kind.retry.attempts,
            base_seconds: kind.retry.base.as_secs_f64(),
            cap_seconds: kind.retry.cap.as_secs_f64(),
            jitter_percent: kind.retry.jitter,
            timeout_seconds: kind.timeout.as_secs_f64(),
            priority: kind.priority,
            limit: kind.limit.map(LimitView::from),
        }
    }
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
        ), names as (
            select pool from counts union select pool from job_pauses union select pool from job_limits
            union select pool from job_workers cross join unnest(pools) as pool
            union select * from unnest($1::text[])
        )
        select n.pool as "pool!", p.paused_at as "paused_at?", p.reason as "paused_reason?",
            coalesce(c.ready, 0) as "ready!", coalesce(c.scheduled, 0) as "scheduled!", coalesce(c.running, 0) as "running!",
            coalesce(c.dead, 0) as "dead!", c.oldest as "oldest?",
            l.most_running as "most_running?", l.most_starts as "most_starts?", l.per_ms as "per_ms?",
            l.reason as "limit_reason?", l.set_at as "limit_set_at?"
        from names n left join counts c using (pool) left join job_pauses p using (pool) left join job_limits l using (pool)
        order by n.pool"#,
        &names,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut workers = workers(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let processes: Vec<_> =
                workers.extract_if(.., |(pool, _)| *pool == row.pool).map(|(_, worker)| worker).collect();
            let count = |silent| {
                i64::try_from(processes.iter().filter(|worker| worker.silent == silent).count()).unwrap_or(i64::MAX)
            };
            QueueView {
                limit: row.limit_set_at.map(|set_at| LimitView {
                    running: row.most_running.and_then(|most| u32::try_from(most).ok()),
                    starts: row.most_starts.and_then(|most| u32::try_from(most).ok()),
                    per_seconds: row
                        .per_ms
                        .and_then(|ms| u64::try_from(ms).ok())
                        .map(|ms| Duration::from_millis(ms).as_secs_f64()),
                    reason: row.limit_reason,
                    set_at: Some(set_at),
                }),
                kinds: kinds.iter().filter(|kind| kind.pool == row.pool).map(KindView::from).collect(),
                workers: count(false),
                silent: count(true),
                processes,
                pool: row.pool,
                paused_at: row.paused_at,
                paused_reason: row.paused_reason,
                ready: row.ready,
                scheduled: row.scheduled,
                running: row.running,
                dead: row.dead,
                oldest_due_seconds: row.oldest,
            }
        })
        .collect())
}

/// Processes that serve the pool now, and have said so within two seconds.
///
/// # Errors
/// The database refused.
pub async fn serving(conn: &mut PgConnection, pool: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from job_workers
           where $1 = any(pools) and not $1 = any(paused) and seen_at > machine_now() - interval '2 seconds'"#,
        pool,
    )
    .fetch_one(conn)
    .await
}

/// Whether the pool is paused in all processes, and why.
///
/// # Errors
/// The database refused.
pub async fn paused(conn: &mut PgConnection, pool: &str) -> Result<Option<Option<String>>, sqlx::Error> {
    sqlx::query_scalar!("select reason from job_pauses where pool = $1", pool).fetch_optional(conn).await
}

/// Every process with each of its pools, oldest first.
async fn workers(conn: &mut PgConnection) -> Result<Vec<(String, WorkerView)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select served.pool as "pool!", w.id, w.name, w.started_at, w.seen_at <= machine_now() - interval '2 seconds' as "silent!",
            served.slots as "slots?", served.pool = any(w.paused) as "paused!", w.paused_at, w.paused_reason,
            (select count(*) from jobs j where j.worker = w.id and j.state = 'running' and j.pool = served.pool) as "running!"
         from job_workers w cross join lateral unnest(w.pools, w.slots) as served (pool, slots)
         order by w.id"#
    )
    .fetch_all(conn)
    .await?;
    let workers = rows.into_iter().map(|row| {
        let worker = WorkerView {
            id: row.id,
            name: row.name,
            started_at: row.started_at,
            silent: row.silent,
            slots: row.slots,
            running: row.running,
            paused: row.paused,
            paused_at: row.paused_at.filter(|_| row.paused),
            paused_reason: row.paused_reason.filter(|_| row.paused),
        };
        (row.pool, worker)
    });
    Ok(workers.collect())
}

/// Stops claims of the pool in all processes; what runs goes on. A pause that is there already keeps its time, and its
/// reason unless there is a new one. Tells whether anything changed.
///
/// # Errors
/// The database refused.
pub async fn pause(tx: &mut Tx, by: &By, pool: &str, reason: Option<&str>) -> Result<bool, sqlx::Error> {
    let before = sqlx::query_scalar!("select reason from job_pauses where pool = $1 for update", pool)
        .fetch_optional(&mut **tx)
        .await?;
    let new = sqlx::query!(
        "insert into job_pauses (pool, reason) values ($1, $2)
         on conflict (pool) do update set reason = excluded.reason
         where excluded.reason is not null and excluded.reason is distinct from job_pauses.reason",
        pool,
        reason
    )
    .execute(&mut **tx)
    .await?
    .rows_affected()
        > 0;
    if new {
        let before = json!({ "paused": before.is_some(), "reason": before.flatten() });
        note(tx, by, "pause", json!({ "pool": pool, "reason": reason, "before": before }), None).await?;
    }
    Ok(new)
}

/// Ends a pause; false if there was none.
///
/// # Errors
/// The database refused.
pub async fn resume(tx: &mut Tx, by: &By, pool: &str) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query_scalar!("delete from job_pauses where pool = $1 returning reason", pool)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(reason) = gone else { return Ok(false) };
    let before = json!({ "paused": true, "reason": reason });
    note(tx, by, "resume", json!({ "pool": pool, "before": before }), None).await?;
    tx.wake(Topic::Pool(pool.into()));
    Ok(true)
}

/// Limits the pool in all processes together, instead of what limit it had; none takes its limit away. What runs goes on,
/// also where it is more than a new limit, and so does a claim under way in a pool that had none. Tells whether anything
/// changed.
///
/// # Errors
/// The database refused, also a limit with a [`Limit::flaw`].
pub async fn limit(
    tx: &mut Tx,
    by: &By,
    pool: &str,
    limit: Option<Limit>,
    reason: Option<&str>,
) -> Result<bool, sqlx::Error> {
    // Who claims under the limit of now has the gate in hand; whoever comes after us goes by the new one.
    sqlx::query!("select 1 as held from job_gates where pool = $1 and key = '' for update", pool)
        .fetch_optional(&mut **tx)
        .await?;
    let before = sqlx::query!(
        r#"select jsonb_build_object('running', most_running, 'starts', most_starts, 'perSeconds', per_ms / 1000.0,
                                     'reason', reason) as "limit!"
           from job_limits where pool = $1"#,
        pool
    )
    .fetch_optional(&mut **tx)
    .await?;
    let changed = if let Some(limit) = limit {
        sqlx::query!(
            "insert into job_limits (pool, most_running, most_starts, per_ms, reason) values ($1, $2, $3, $4, $5)
             on conflict (pool) do update
             set most_running = excluded.most_running, most_starts = excluded.most_starts, per_ms = excluded.per_ms,
                 reason = excluded.reason, set_at = excluded.set_at
             where (job_limits.most_running, job_limits.most_starts, job_limits.per_ms, job_limits.reason)
                 is distinct from (excluded.most_running, excluded.most_starts, excluded.per_ms, excluded.reason)",
            pool,
            limit.most_running(),
            limit.most_starts(),
            limit.per_ms(),
            reason,
        )
        .execute(&mut **tx)
        .await?
    } else {
        sqlx::query!("delete from job_limits where pool = $1", pool).execute(&mut **tx).await?
    };
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    let target = json!({
        "pool": pool,
        "running": limit.and_then(|limit| limit.running),
        "starts": limit.and_then(|limit| limit.starts).map(|rate| rate.most),
        "perSeconds": limit.and_then(|limit| limit.starts).map(|rate| rate.per.as_secs_f64()),
        "reason": reason,
        "before": before.map(|before| before.limit),
    });
    note(tx, by, if limit.is_some() { "limit" } else { "unlimit" }, target, None).await?;
    tx.wake(Topic::Pool(pool.into()));
    Ok(true)
}

/// Stops claims of one pool, or of all, in one process; what runs goes on, and other processes take what comes. Ends with
/// the process. Gives the pools that it begins nothing of now; none if there is no such process, or it does not serve the
/// pool.
///
/// # Errors
/// The database refused.
pub async fn pause_worker(
    tx: &mut Tx,
    by: &By,
    worker: i64,
    pool: Option<&str>,
    reason: Option<&str>,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with old as materialized (select id, paused, paused_reason from job_workers where id = $1 for update)
         update job_workers w set paused_at = app_now(), paused_reason = $3,
             paused = case when $2::text is null then w.pools else array_append(array_remove(w.paused, $2), $2) end
         from old
         where w.id = old.id and ($2::text is null or $2 = any(w.pools))
         returning w.paused, old.paused as was, old.paused_reason as was_because"#,
        worker,
        pool,
        reason,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let before = json!({ "paused": row.was, "reason": row.was_because });
    let target = json!({ "worker": worker, "pool": pool, "reason": reason, "before": before, "paused": row.paused });
    note(tx, by, "pause_worker", target, None).await?;
    Ok(Some(row.paused))
}

/// Ends the pause of one pool, or of all, in one process. Gives the pools that remain paused in it; none as
/// [`pause_worker`].
///
/// # Errors
/// The database refused.
pub async fn resume_worker(
    tx: &mut Tx,
    by: &By,
    worker: i64,
    pool: Option<&str>,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    let row = sqlx::query!(
        r#"with old as materialized (select id, paused, paused_reason from job_workers where id = $1 for update)
         update job_workers w set paused = case when $2::text is null then '{}' else array_remove(w.paused, $2) end
         from old
         where w.id = old.id and ($2::text is null or $2 = any(w.pools))
         returning w.pools, w.paused, old.paused as was, old.paused_reason as was_because"#,
        worker,
        pool,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let before = json!({ "paused": row.was, "reason": row.was_because });
    let target = json!({ "worker": worker, "pool": pool, "before": before, "paused": row.paused });
    note(tx, by, "resume_worker", target, None).await?;
    for name in row.pools.iter().filter(|name| pool.is_none_or(|pool| pool == name.as_str())) {
        tx.wake(Topic::Pool(name.as_str().into()));
    }
    Ok(Some(row.paused))
}
