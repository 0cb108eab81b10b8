//! History is kept for a number of days: partitions are made ahead and dropped whole, never row by row.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::gates;

const EVERY: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(30);
/// All processes try; one at a time does, under this key of an advisory lock of its transaction.
const LOCK: i64 = 0x6a6f_6273_5f64_6179;

/// Runs at once and then each hour, until stopped.
pub(crate) async fn run(own: PgPool, keep_days: u16, stop: CancellationToken) {
    loop {
        let wait = match maintain(&own, keep_days).await {
            Ok(()) => EVERY,
            Err(error) => {
                warn!(%error, "could not renew the history's partitions; the default ones take the rows meanwhile");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Makes the partitions of today and the next days, and drops those older than `keep_days`.
///
/// # Errors
/// The database refused, or somebody held the tables too long (it is tried again).
#[allow(clippy::disallowed_methods, reason = "nobody waits for a wake-up of this")]
pub async fn maintain(pool: &PgPool, keep_days: u16) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // Finishing jobs must not wait behind a lock that itself waits.
    sqlx::query!("select set_config('lock_timeout', '2s', true)").fetch_one(&mut *tx).await?;
    let ours =
        sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "ours!""#, LOCK).fetch_one(&mut *tx).await?;
    if ours {
        sqlx::query!("select job_partitions_maintain((app_now() at time zone 'utc')::date, $1)", i32::from(keep_days),)
            .fetch_one(&mut *tx)
            .await?;
        gates::forget(&mut tx).await?;
    }
    tx.commit().await
}
