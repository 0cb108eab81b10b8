//! Gauges that need a question to the database, asked seldom and bounded, so that a flood does not make them dear.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::telemetry::{self, Sample};

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

/// From priority to priority, as the claim does, so that a mass of later jobs is not walked. Jobs that were found to wait
/// for another one, or for their limit, do not count: no worker more would help them.
async fn sample(own: &PgPool, pool: &'static str) -> Result<(), sqlx::Error> {
    let row = sqlx::query!(
        r#"with recursive levels as (
            (select priority from jobs where pool = $1 and state = 'ready' and order_key is null and limit_key is null
             order by priority desc limit 1)
            union all
            select (select j.priority from jobs j
                    where j.pool = $1 and j.state = 'ready' and j.order_key is null and limit_key is null and j.priority < l.priority
                    order by j.priority desc limit 1)
            from levels l where l.priority is not null
        ), oldest as (
            select min(o.run_at) as run_at from levels l cross join lateral (
                select j.run_at from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is null and limit_key is null and j.priority = l.priority
                order by j.run_at limit 1
            ) o
        ), keyed as (
            select count(*) as ready, min(run_at) as run_at from (
                (select run_at from jobs
                 where pool = $1 and state = 'ready' and order_key is not null and limit_key is null and waits_for is null
                     and run_at <= app_now()
                 limit $2)
                union all
                (select run_at from jobs
                 where pool = $1 and state = 'ready' and limit_key is not null and waits_for is null and run_at <= app_now()
                 limit $2)) k
        )
        select
            k.ready + (select count(*) from (select 1 from levels l cross join lateral (
                select 1 from jobs j
                where j.pool = $1 and j.state = 'ready' and j.order_key is null and j.limit_key is null
                    and j.priority = l.priority and j.run_at <= app_now()
                limit $2) d limit $2) r) as "ready!",
            greatest(extract(epoch from app_now() - least(o.run_at, k.run_at)), 0)::float8 as "oldest!",
            (select count(*) from (select 1 from jobs where pool = $1 and state = 'dead' limit $2) d) as "dead!",
            exists (select 1 from job_pauses p where p.pool = $1) as "paused!"
        from oldest o cross join keyed k"#,
        pool,
        MOST,
    )
    .fetch_one(own)
    .await?;
    let sample = Sample { ready: row.ready, oldest_seconds: row.oldest, dead: row.dead, paused: row.paused };
    telemetry::sampled(pool, &sample);
    Ok(())
}
