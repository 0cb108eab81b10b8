//! The clock that all SQL reads (`app_now()`), moved by hand.

use std::time::Duration;

use sqlx::PgPool;

/// Goes on at its own pace from wherever it was put. One row, so that a copy of the template starts at zero.
pub(crate) const SQL: &str = "
    create table test_clock (ahead interval not null);
    insert into test_clock values ('0');
    create or replace function app_now() returns timestamptz language sql stable parallel safe
        as $$ select clock_timestamp() + (select ahead from test_clock) $$;
";

pub(crate) async fn install(pool: &PgPool) {
    sqlx::raw_sql(SQL).execute(pool).await.expect("install the test clock");
}

/// Whether a process has made its periodic jobs known, which it does with all of them at once.
pub(crate) async fn has_schedules(pool: &PgPool) -> bool {
    let any = sqlx::query_scalar("select exists (select from job_schedules)");
    any.fetch_one(pool).await.expect("look for periodic jobs")
}

/// Moves the clock and wakes everybody who waits for a time: all pools and periodic jobs look again.
pub(crate) async fn advance(pool: &PgPool, by: Duration) {
    sqlx::query("update test_clock set ahead = ahead + make_interval(secs => $1)")
        .bind(by.as_secs_f64())
        .execute(pool)
        .await
        .expect("move the clock");
    queue::wake_everybody(pool).await.expect("wake the system");
}
