//! Gauges that need a question to the database, asked seldom and bounded, so that a flood does not make them dear.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::telemetry;

const EVERY: Duration = Duration::from_secs(5);
/// Counted up to here; more is "at least so many".
const MOST: i64 = 100_000;

/// Runs until stopped.
pub(crate) async fn run(own: PgPool, pools: Vec<&'static str>, stop: CancellationToken) {
    loop {
        for pool in &pools {
            if let Err(error) = sample(&own, pool).await {
                debug!(%error, pool, "could not count jobs");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn sample(own: &PgPool, pool: &'static str) -> Result<(), sqlx::Error> {
    let counts = sqlx::query!(
        r#"select
            (select count(*) from (select 1 from jobs
                where pool = $1 and state = 'ready' and order_key is null and run_at <= app_now() limit $2) r)
            + (select count(*) from (select 1 from jobs
                where pool = $1 and state = 'ready' and order_key is not null and run_at <= app_now() limit $2) o) as "ready!",
            (select count(*) from (select 1 from jobs where pool = $1 and state = 'dead' limit $2) d) as "dead!""#,
        pool,
        MOST,
    )
    .fetch_one(own)
    .await?;
    telemetry::ready(pool, counts.ready);
    telemetry::dead(pool, counts.dead);
    Ok(())
}
