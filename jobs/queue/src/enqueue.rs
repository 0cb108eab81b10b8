//! The one door into the queue.

use std::time::Duration;

use crate::{Dedupe, Job, JobId, Order, Tx, trace};

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

#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    #[error("payload of {0} cannot be written as JSON: {1}")]
    Payload(&'static str, serde_json::Error),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Adds the job in the caller's transaction and wakes its pool after the commit.
///
/// # Errors
/// The payload is not JSON, or the database refused; the caller's transaction is then aborted.
pub async fn enqueue<J: Job>(tx: &mut Tx, job: &J) -> Result<Enqueued, EnqueueError> {
    enqueue_with(tx, job, Options::default()).await
}

/// [`enqueue`] with a delay, another priority, or a trace.
///
/// # Errors
/// As [`enqueue`].
pub async fn enqueue_with<J: Job>(tx: &mut Tx, job: &J, options: Options) -> Result<Enqueued, EnqueueError> {
    let payload = serde_json::to_value(job).map_err(|error| EnqueueError::Payload(J::NAME, error))?;
    let (event_key, wake_key) = match job.dedupe() {
        None => (None, None),
        Some(Dedupe::Event(key)) => (Some(key), None),
        Some(Dedupe::WakeUp(key)) => (None, Some(key)),
    };
    let last_wish = job.last_wish()?.map(Order::into_wish);
    let delay = options.delay.unwrap_or_default();
    let priority = options.priority.unwrap_or(J::PRIORITY);
    let trace = options.trace.or_else(trace::current);
    // A statement names one conflict target, so wake-ups have a statement of their own.
    let enqueued = if let Some(key) = wake_key {
        // The waiting row is locked until our commit, also where it needs no change and its condition spares it a new
        // version: a claim skips it, so the run that follows reads what this transaction wrote.
        let row = sqlx::query!(
            r#"insert into jobs (kind, version, pool, payload, priority, max_attempts, run_at, wake_key, order_key, trace, last_wish)
             values ($1, $2, $3, $4, $5, $6, app_now() + make_interval(secs => $7), $8, $9, $10, $11)
             on conflict (kind, wake_key) where wake_key is not null and state = 'ready'
             do update set run_at = least(jobs.run_at, excluded.run_at), priority = greatest(jobs.priority, excluded.priority)
             where excluded.run_at < jobs.run_at or excluded.priority > jobs.priority
             returning id, (xmax = 0) as "inserted!""#,
            J::NAME,
            J::VERSION,
            J::POOL,
            payload,
            priority,
            J::RETRY.attempts,
            delay.as_secs_f64(),
            key,
            job.order_key(),
            trace,
            last_wish,
        )
        .fetch_optional(&mut **tx)
        .await?;
        row.filter(|row| row.inserted).map_or(Enqueued::Folded, |row| Enqueued::New(row.id))
    } else {
        let id = sqlx::query_scalar!(
            "insert into jobs (kind, version, pool, payload, priority, max_attempts, run_at, event_key, order_key, trace, last_wish)
             values ($1, $2, $3, $4, $5, $6, app_now() + make_interval(secs => $7), $8, $9, $10, $11)
             on conflict (kind, event_key) where event_key is not null and state in ('ready', 'running') do nothing
             returning id",
            J::NAME,
            J::VERSION,
            J::POOL,
            payload,
            priority,
            J::RETRY.attempts,
            delay.as_secs_f64(),
            event_key,
            job.order_key(),
            trace,
            last_wish,
        )
        .fetch_optional(&mut **tx)
        .await?;
        id.map_or(Enqueued::Folded, Enqueued::New)
    };
    fail::fail_point!("queue::enqueue::after");
    tx.wake_after(J::POOL, delay);
    Ok(enqueued)
}
