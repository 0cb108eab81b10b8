//! Orders about single jobs.

use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime, serde::rfc3339};

use super::audit::{By, note};
use crate::{JobId, Topic, Tx};

/// What is to become of jobs that are dead or wait; one that runs is left alone.
#[derive(Debug, Clone)]
pub enum Act {
    /// It is due now, with all its attempts before it.
    Retry,
    /// It ends without a run, for this reason. The last wish of a waiting one is ordered now; that of a dead one was, when
    /// it died.
    Discard(String),
    /// It is due then. A dead one lives again, with all its attempts before it.
    Reschedule(OffsetDateTime),
}

impl Act {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Discard(_) => "discard",
            Self::Reschedule(_) => "reschedule",
        }
    }

    /// What the audit log says beside whom it was done to.
    pub(super) fn describe(&self, target: &mut serde_json::Value) {
        match self {
            Self::Retry => {}
            Self::Discard(reason) => target["reason"] = json!(reason),
            Self::Reschedule(at) => {
                target["runAt"] = rfc3339::serialize(at, serde_json::value::Serializer).unwrap_or_default()
            }
        }
    }
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

/// A time for which nothing can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RunAtError {
    /// Past by more than a minute.
    #[error("the time is past")]
    Past,
    /// More than 366 days ahead.
    #[error("the time is more than a year away")]
    Far,
}

/// Refuses times that are past by more than a minute (clocks differ), or more than a year away.
///
/// # Errors
/// Which of the two.
pub fn run_at_within_reason(at: OffsetDateTime, now: OffsetDateTime) -> Result<(), RunAtError> {
    match at - now {
        ahead if ahead < -Duration::MINUTE => Err(RunAtError::Past),
        ahead if ahead > Duration::days(366) => Err(RunAtError::Far),
        _ => Ok(()),
    }
}

/// The time by which it is judged.
///
/// # Errors
/// The database refused.
pub async fn now(conn: &mut PgConnection) -> Result<OffsetDateTime, sqlx::Error> {
    sqlx::query_scalar!(r#"select app_now() as "now!""#).fetch_one(conn).await
}

/// Does it to one job.
///
/// # Errors
/// The database refused.
pub async fn one(tx: &mut Tx, by: &By, id: JobId, act: &Act) -> Result<Ordered, sqlx::Error> {
    let state =
        sqlx::query_scalar!("select state from jobs where id = $1 for update", id).fetch_optional(&mut **tx).await?;
    match state.as_deref() {
        None => return Ok(Ordered::NotFound),
        Some("running") => return Ok(Ordered::Running),
        Some(_) => {}
    }
    if apply(tx, &[id], act).await? == 0 {
        return Ok(Ordered::Covered);
    }
    let mut target = json!({ "job": id });
    act.describe(&mut target);
    note(tx, by, act.as_str(), target, Some(1)).await?;
    Ok(Ordered::Yes)
}

/// Does it to jobs that the transaction has locked and none of which runs; tells to how many.
pub(super) async fn apply(tx: &mut Tx, ids: &[JobId], act: &Act) -> Result<usize, sqlx::Error> {
    match act {
        Act::Retry => due(tx, ids, None).await,
        Act::Reschedule(at) => due(tx, ids, Some(*at)).await,
        Act::Discard(reason) => discard(tx, ids, reason).await,
    }
}

/// Of those that fold, one a key: the one that waits already, or else the oldest.
async fn due(tx: &mut Tx, ids: &[JobId], at: Option<OffsetDateTime>) -> Result<usize, sqlx::Error> {
    let pools = sqlx::query_scalar!(
        "with wanted as materialized (
             select id, kind, event_key, wake_key,
                 row_number() over (partition by kind, event_key order by state = 'dead', id) as of_event,
                 row_number() over (partition by kind, wake_key order by state = 'dead', id) as of_wake
             from jobs where id = any($1)
         ), free as materialized (
             select id from wanted w
             where (event_key is null or of_event = 1 and not exists (
                     select 1 from jobs o where o.kind = w.kind and o.event_key = w.event_key and o.state in ('ready', 'running')
                         and o.id <> w.id))
                 and (wake_key is null or of_wake = 1 and not exists (
                     select 1 from jobs o where o.kind = w.kind and o.wake_key = w.wake_key and o.state = 'ready' and o.id <> w.id))
         )
         update jobs set state = 'ready', waits_for = null, run_at = coalesce($2, app_now()), reason = null, died_at = null,
             attempts = case when state = 'dead' or $2::timestamptz is null then 0 else attempts end,
             crashes = case when state = 'dead' or $2::timestamptz is null then 0 else crashes end
         where id = any(array(select id from free))
         returning pool",
        ids,
        at,
    )
    .fetch_all(&mut **tx)
    .await?;
    for pool in &pools {
        tx.wake(Topic::Pool(pool.as_str().into()));
    }
    Ok(pools.len())
}

async fn discard(tx: &mut Tx, ids: &[JobId], reason: &str) -> Result<usize, sqlx::Error> {
    let gone = sqlx::query!(
        r#"with gone as (delete from jobs where id = any($1) returning *
         ), wished as (
             insert into jobs (kind, version, pool, payload, priority, max_attempts, event_key, order_key, limit_key, trace)
             select w.kind, w.version, w.pool, w.payload, w.priority, w.max_attempts, w.event_key, w.order_key, w.limit_key,
                 coalesce(gone.trace, 'job-' || gone.id)
             from gone cross join lateral jsonb_to_record(gone.last_wish)
                 as w(kind text, version smallint, pool text, payload jsonb, priority smallint, max_attempts smallint, event_key text,
                      order_key text, limit_key text)
             where gone.state = 'ready' and gone.last_wish is not null
             on conflict (kind, event_key) where event_key is not null and state in ('ready', 'running') do nothing
         ), kept as (
             insert into jobs_done (id, created_at, claimed_at, worker, version, priority, attempts, crashes, verdict, kind, pool,
                 payload, order_key, trace, reason)
             select id, created_at, claimed_at, worker, version, priority, attempts, crashes, 'discarded', kind, pool,
                 payload, order_key, trace, $2
             from gone
         )
         select pool as "pool!", last_wish ->> 'pool' as wish_pool from gone"#,
        ids,
        reason,
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in &gone {
        // Its order key is free now.
        tx.wake(Topic::Pool(row.pool.as_str().into()));
        if let Some(pool) = &row.wish_pool {
            tx.wake(Topic::Pool(pool.as_str().into()));
        }
    }
    Ok(gone.len())
}
