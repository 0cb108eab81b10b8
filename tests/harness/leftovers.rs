//! What a story must not leave behind: jobs that nobody did, coins that do not add up.

use sqlx::PgPool;

/// Jobs of the pools that run, are due, or will be within two seconds (what is told in bursts waits for 250 ms); and those
/// that the schedule is about to order, because the clock was moved.
pub(crate) async fn busy(pool: &PgPool, pools: &[String]) -> Vec<String> {
    let kinds = domain::kinds::all().into_iter().filter(|kind| pools.iter().any(|pool| pool == kind.pool));
    let kinds: Vec<&str> = kinds.map(|kind| kind.name).collect();
    sqlx::query_scalar(
        "select format('job %s %s is %s, attempt %s: %s', id, kind, state, attempts, payload)
         from jobs
         where pool = any ($1) and (state = 'running' or state = 'ready' and run_at <= app_now() + interval '2 seconds')
         union all
         select format('periodic job %s is due', name) from job_schedules where name = any ($2) and next_at <= app_now()",
    )
    .bind(pools)
    .bind(kinds)
    .fetch_all(pool)
    .await
    .expect("look at the jobs")
}

/// Jobs of the pools that are due, failed or dead. One that was never tried is fine where it waits for a later time (a deadline
/// that did not come), or is periodic: whatever was due was waited for before the system was stopped ([`busy`]), and this one was
/// ordered while it stopped.
pub(crate) async fn left_behind(pool: &PgPool, pools: &[String]) -> Vec<String> {
    sqlx::query_scalar(
        "select format('job %s %s is %s, attempt %s: %s', id, kind, state, attempts, payload)
         from jobs
         where pool = any ($1)
           and not (state = 'ready' and attempts = 0
                    and (run_at > app_now() or exists (select from job_schedules where name = kind)))
         order by id",
    )
    .bind(pools)
    .fetch_all(pool)
    .await
    .expect("look at the jobs")
}

/// What the domain's own audit finds wrong with the money.
pub(crate) async fn audit(pool: &PgPool) -> Vec<String> {
    let db = queue::Database::new(pool.clone(), queue::Wakes::new().0);
    domain::audit::money(&db).await.expect("audit the money").breaches
}
