//! The way back out of the queue, for orders that make no sense any more before they ran.

use crate::{Dedupe, Job, Topic, Tx};

/// Takes the job's order back in the caller's transaction: the job of its kind and dedupe key that waits moves to
/// `jobs_done` as cancelled, whoever ordered it, whenever it is due and however often it was tried. One that runs goes on,
/// so its handler asks for itself what is still to be done; so does one that this transaction ordered into a free slot, for
/// it was born running. Tells whether one waited; of a job without a dedupe key, none.
///
/// Nobody's wish may depend on the job any more: one that folded into it goes with it. Its last wish is not ordered.
///
/// # Errors
/// The database refused; the caller's transaction is then aborted.
pub async fn cancel<J: Job>(tx: &mut Tx, job: &J) -> Result<bool, sqlx::Error> {
    Ok(cancel_all(tx, std::slice::from_ref(job)).await? > 0)
}

/// [`cancel`] for many jobs of one kind, in one statement. Tells how many waited.
///
/// # Errors
/// As [`cancel`].
pub async fn cancel_all<J: Job>(tx: &mut Tx, jobs: &[J]) -> Result<usize, sqlx::Error> {
    let (mut events, mut wake_ups) = (Vec::new(), Vec::new());
    for job in jobs {
        match job.dedupe() {
            None => {}
            Some(Dedupe::Event(key)) => events.push(key),
            Some(Dedupe::WakeUp(key)) => wake_ups.push(key),
        }
    }
    if events.is_empty() && wake_ups.is_empty() {
        return Ok(0);
    }
    // Key by key and by an array of ids: planned on an empty table, `any()` of the keys and a join would be tried on every
    // job of the kind. The state is asked twice: a claim that commits between the look and our lock keeps its job.
    let gone = sqlx::query!(
        r#"with found as (
             select j.id from unnest($2::text[]) as k (key) cross join lateral (
                 select id from jobs where kind = $1 and wake_key = k.key and state = 'ready' limit 1
             ) j
             union all
             select j.id from unnest($3::text[]) as k (key) cross join lateral (
                 select id from jobs where kind = $1 and event_key = k.key and state = 'ready' limit 1
             ) j
         ), gone as (
             delete from jobs where id = any(array(select id from found)) and state = 'ready' returning *
         )
         insert into jobs_done (id, created_at, claimed_at, worker, version, priority, attempts, crashes, verdict, kind, pool,
             payload, order_key, trace)
         select id, created_at, claimed_at, worker, version, priority, attempts, crashes, 'cancelled', kind, pool,
             payload, order_key, trace
         from gone
         returning pool, order_key is not null as "ordered!""#,
        J::NAME,
        &wake_ups,
        &events,
    )
    .fetch_all(&mut **tx)
    .await?;
    // Order keys that are free now.
    for row in gone.iter().filter(|row| row.ordered) {
        tx.wake(Topic::Pool(row.pool.as_str().into()));
    }
    Ok(gone.len())
}
