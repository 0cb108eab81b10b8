//! Periodic jobs. Each tick belongs to whoever locks its row when it is due; job and next tick are one transaction, so a
//! tick is enqueued exactly once over any number of processes and restarts. Ticks that nobody was there for become one.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::{Database, EnqueueError, workers::Schedule};

/// Looked at least this often: other processes move ticks, too.
const POLL: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(500);

/// Runs until stopped.
pub(crate) async fn run(db: Database, schedules: Vec<Schedule>, stop: CancellationToken) {
    if schedules.is_empty() {
        return;
    }
    let mut known = false;
    loop {
        let round = async {
            if !known {
                register(&db, &schedules).await?;
                known = true;
            }
            tick(&db, &schedules).await
        };
        let wait = match round.await {
            Ok(wait) => wait,
            Err(EnqueueError::Database(error)) => {
                warn!(%error, "periodic jobs wait for the database");
                PAUSE
            }
            Err(error) => {
                error!(%error, "a periodic job cannot be written");
                POLL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = db.wakes().schedules().notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Makes the rows, all at once; a changed period counts from now on. By name, so that two processes that start at once cannot wait
/// for each other in a circle.
async fn register(db: &Database, schedules: &[Schedule]) -> Result<(), sqlx::Error> {
    let names: Vec<String> = schedules.iter().map(|schedule| schedule.name.to_owned()).collect();
    let every = |schedule: &Schedule| i64::try_from(schedule.every.as_millis()).unwrap_or(i64::MAX).max(1);
    let periods: Vec<i64> = schedules.iter().map(every).collect();
    sqlx::query!(
        "insert into job_schedules (name, every_ms, next_at)
         select name, every, app_now() + every * interval '1 millisecond'
         from unnest($1::text[], $2::bigint[]) given (name, every) order by name
         on conflict (name) do update set every_ms = excluded.every_ms, next_at = excluded.next_at
         where job_schedules.every_ms <> excluded.every_ms",
        &names,
        &periods,
    )
    .execute(db.pool())
    .await?;
    Ok(())
}

/// Enqueues what is due and says how long nothing will be.
async fn tick(db: &Database, schedules: &[Schedule]) -> Result<Duration, EnqueueError> {
    let names: Vec<String> = schedules.iter().map(|schedule| schedule.name.to_owned()).collect();
    loop {
        let mut tx = db.begin().await?;
        // Whole periods are added, so that a late tick does not shift those after it.
        let due = sqlx::query_scalar!(
            "update job_schedules set last_at = next_at, next_at = next_at
                 + ceil((extract(epoch from app_now() - next_at) * 1000 + 1) / every_ms) * every_ms * interval '1 millisecond'
             where name = (select name from job_schedules where name = any($1) and next_at <= app_now()
                           order by next_at limit 1 for update skip locked)
             returning name",
            &names,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(due) = due else { break };
        if let Some(schedule) = schedules.iter().find(|schedule| schedule.name == due) {
            (schedule.tick)(&mut tx).await?;
        }
        tx.commit().await?;
        debug!(job.name = due, "periodic job enqueued");
    }
    let wait = sqlx::query_scalar!(
        "select extract(epoch from min(next_at) - app_now())::float8 from job_schedules where name = any($1)",
        &names,
    )
    .fetch_one(db.pool())
    .await?;
    let wait = Duration::try_from_secs_f64(wait.unwrap_or(f64::MAX).clamp(0.01, POLL.as_secs_f64())).unwrap_or(POLL);
    Ok(wait)
}
