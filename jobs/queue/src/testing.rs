//! A clock that tests move by hand.

use std::time::Duration;

use sqlx::PgPool;

/// Replaces the body of `app_now()`: the time stands still at an offset that [`advance`] moves. Run once per database.
pub const MANUAL_CLOCK: &str = "
create table if not exists manual_clock (now_at timestamptz not null);
insert into manual_clock select clock_timestamp() where not exists (select from manual_clock);
create or replace function app_now() returns timestamptz
    language sql stable parallel safe
    as $$ select now_at from manual_clock $$;
";

/// Moves the manual clock and makes all processes look at what came due.
///
/// # Errors
/// The database refused, or [`MANUAL_CLOCK`] was not run on it.
#[allow(clippy::disallowed_methods, reason = "the table exists in tests only, so no schema can check it")]
pub async fn advance(pool: &PgPool, by: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("update manual_clock set now_at = now_at + make_interval(secs => $1)")
        .bind(by.as_secs_f64())
        .execute(pool)
        .await?;
    crate::exchange::wake_everybody(pool).await
}
