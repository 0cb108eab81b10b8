//! The one door into the queue.

use std::time::Duration;

use crate::{Dedupe, Job, JobId, Order, Tx, bounds, claim::Row, orders::limit_key, trace};

/// Overrides of one enqueue.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Not before this long from now.
    pub delay: Option<Duration>,
    /// Instead of the kind's own priority.
    pub priority: Option<i16>,
    /// The request or job that asks for it, for logs and the timeline. Default: the current one (see [`trace::scope`]).
    pub trace: Option<String>,
}

/// What came of an enqueue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// A new row.
    New(JobId),
    /// An order that was already waiting covers this one.
    Folded,
}

/// Why an order was not taken. Nothing of it is written.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// The payload of this kind is not JSON.
    #[error("payload of {0} cannot be written as JSON: {1}")]
    Payload(&'static str, serde_json::Error),
    /// The payload is larger than 1 MiB.
    #[error("payload of {kind} has {bytes} bytes, at most {most} are taken: a job holds ids, not copies")]
    TooLarge {
        /// The job's name.
        kind: &'static str,
        /// Bytes of the payload as JSON.
        bytes: usize,
        /// Bytes that are taken, at most.
        most: usize,
    },
    /// The delay is longer than 366 days.
    #[error("{kind} is ordered for {delay:?} from now, at most {most:?} are taken")]
    TooLate {
        /// The job's name.
        kind: &'static str,
        /// How long the job was to wait.
        delay: Duration,
        /// The longest wait that is taken.
        most: Duration,
    },
    /// The database refused; the transaction is aborted.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Adds the job in the caller's transaction and wakes its pool after the commit. A job that is due at once, has no order key
/// and finds a free slot in this process is claimed by its order and begins right after the commit.
///
/// # Errors
/// The payload is not JSON or too large, or the database refused; the caller's transaction is then aborted.
pub async fn enqueue<J: Job>(tx: &mut Tx, job: &J) -> Result<Enqueued, EnqueueError> {
    enqueue_with(tx, job, Options::default()).await
}

/// [`enqueue`] with a delay, another priority, or a trace.
///
/// # Errors
/// As [`enqueue`]; or the delay is longer than a year.
pub async fn enqueue_with<J: Job>(tx: &mut Tx, job: &J, options: Options) -> Result<Enqueued, EnqueueError> {
    let payload = serde_json::to_value(job).map_err(|error| EnqueueError::Payload(J::NAME, error))?;
    bounds::payload(J::NAME, &payload)?;
    let (event_key, wake_key) = match job.dedupe() {
        None => (None, None),
        Some(Dedupe::Event(key)) => (Some(key), None),
        Some(Dedupe::WakeUp(key)) => (None, Some(key)),
    };
    let last_wish = job.last_wish()?.map(Order::into_wish);
    let (order_key, limit_key) = (job.order_key(), limit_key(job));
    let delay = options.delay.unwrap_or_default();
    bounds::delay(J::NAME, delay)?;
    let priority = options.priority.unwrap_or(J::PRIORITY);
    let trace = options.trace.or_else(trace::current);
    // The turn of an order key and limits are the claim's business.
    let slot = if delay.is_zero() && order_key.is_none() && limit_key.is_none() { tx.reserve::<J>() } else { None };
    let (worker, token) = (slot.as_ref().map(|slot| slot.worker), slot.as_ref().map(|slot| slot.token));
    let timeout_ms = slot.as_ref().map(|slot| slot.timeout_ms);
    let wake = wake_key.is_some();
    // With a slot the row is born claimed, if a claim could have it now: the process counts as alive and the pool is not
    // paused, in it or everywhere. A statement names one conflict target, so wake-ups have a statement of their own.
    let new = if let Some(key) = wake_key {
        // The waiting row is locked until our commit, also where it needs no change and its condition spares it a new
        // version: a claim skips it, so the run that follows reads what this transaction wrote. A row that is born claimed
        // meets no waiting one, and a run more is no harm, for it follows our commit, too; but where one is seen to wait,
        // ours is to meet it.
        let row = sqlx::query!(
            r#"with slot as materialized (
                 select exists (select 1 from job_workers w where w.id = $12 and $3 <> all (w.paused))
                     and not exists (select 1 from job_pauses p where p.pool = $3)
                     and not exists (select 1 from job_limits l where l.pool = $3)
                     and not exists (select 1 from jobs j where j.kind = $1 and j.wake_key = $8 and j.state = 'ready') as free
             )
             insert into jobs (kind, version, pool, payload, priority, max_attempts, run_at, wake_key, order_key, trace, last_wish,
                 state, worker, token, attempts, claimed_at, deadline, limit_key)
             select $1, $2, $3, $4, $5, $6, app_now() + make_interval(secs => $7), $8, $9, $10, $11,
                 case when free then 'running' else 'ready' end, case when free then $12::bigint end,
                 case when free then $13::bigint end, free::int, case when free then app_now() end,
                 case when free then machine_now() + $14::bigint * interval '1 millisecond' end, $15
             from slot
             on conflict (kind, wake_key) where wake_key is not null and state = 'ready'
             do update set run_at = least(jobs.run_at, excluded.run_at), priority = greatest(jobs.priority, excluded.priority)
             where excluded.run_at < jobs.run_at or excluded.priority > jobs.priority
             returning id, (xmax = 0) as "inserted!",
                 case when state = 'running' then pg_current_xact_id()::text end as transaction"#,
            J::NAME,
            J::VERSION,
            J::POOL,
            payload,
            priority,
            J::RETRY.attempts,
            delay.as_secs_f64(),
            key,
            order_key,
            trace,
            last_wish,
            worker,
            token,
            timeout_ms,
            limit_key,
        )
        .fetch_optional(&mut **tx)
        .await?;
        row.filter(|row| row.inserted).map(|row| (row.id, row.transaction))
    } else {
        let row = sqlx::query!(
            "with slot as materialized (
                 select exists (select 1 from job_workers w where w.id = $12 and $3 <> all (w.paused))
                     and not exists (select 1 from job_pauses p where p.pool = $3)
                     and not exists (select 1 from job_limits l where l.pool = $3) as free
             )
             insert into jobs (kind, version, pool, payload, priority, max_attempts, run_at, event_key, order_key, trace, last_wish,
                 state, worker, token, attempts, claimed_at, deadline, limit_key)
             select $1, $2, $3, $4, $5, $6, app_now() + make_interval(secs => $7), $8, $9, $10, $11,
                 case when free then 'running' else 'ready' end, case when free then $12::bigint end,
                 case when free then $13::bigint end, free::int, case when free then app_now() end,
                 case when free then machine_now() + $14::bigint * interval '1 millisecond' end, $15
             from slot
             on conflict (kind, event_key) where event_key is not null and state in ('ready', 'running') do nothing
             returning id, case when state = 'running' then pg_current_xact_id()::text end as transaction",
            J::NAME,
            J::VERSION,
            J::POOL,
            payload,
            priority,
            J::RETRY.attempts,
            delay.as_secs_f64(),
            event_key,
            order_key,
            trace,
            last_wish,
            worker,
            token,
            timeout_ms,
            limit_key,
        )
        .fetch_optional(&mut **tx)
        .await?;
        row.map(|row| (row.id, row.transaction))
    };
    fail::fail_point!("queue::enqueue::after");
    let Some((id, transaction)) = new else {
        // What it folded into may be due now, or was passed over while we held it.
        tx.wake_after(J::POOL, delay);
        return Ok(Enqueued::Folded);
    };
    if let (Some(slot), Some(transaction)) = (slot, transaction) {
        let row = Row {
            id,
            token: slot.token,
            kind: J::NAME.to_owned(),
            version: J::VERSION,
            payload: payload.to_string(),
            attempt: 1,
            crashes: 0,
            trace: trace.map(Into::into),
            awaited: false,
            wake,
            waited: 0.0,
        };
        tx.hand_over(slot.taken(row, transaction));
    } else {
        tx.wake_after(J::POOL, delay);
    }
    Ok(Enqueued::New(id))
}
