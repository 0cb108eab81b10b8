//! SQL of attempts.

use sqlx::PgConnection;

pub(super) struct Taken {
    pub(super) count: i32,
    /// Seconds until the window is over.
    pub(super) wait: f64,
}

pub(super) async fn take(
    conn: &mut PgConnection,
    subject: &str,
    tries: i32,
    window: f64,
) -> Result<Taken, sqlx::Error> {
    sqlx::query_as!(
        Taken,
        r#"insert into attempts (subject, count) values ($1, 1)
           on conflict (subject) do update set
             count = case when attempts.since <= app_now() - make_interval(secs => $3) then 1
                          else least(attempts.count, $2) + 1 end,
             since = case when attempts.since <= app_now() - make_interval(secs => $3) then app_now()
                          else attempts.since end
           returning count,
             extract(epoch from since + make_interval(secs => $3) - app_now())::float8 as "wait!""#,
        subject,
        tries,
        window,
    )
    .fetch_one(conn)
    .await
}

/// Gives the subject's budget back.
///
/// # Errors
/// The database refused.
pub async fn clear(conn: &mut PgConnection, subject: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from attempts where subject = $1", subject).execute(conn).await?;
    Ok(())
}

/// Gives the budgets back of all subjects that begin and end so.
///
/// # Errors
/// The database refused.
pub async fn clear_all(conn: &mut PgConnection, begin: &str, end: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from attempts where starts_with(subject, $1) and right(subject, length($2)) = $2", begin, end)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes at most `limit` windows that were over long ago; says how many.
///
/// # Errors
/// The database refused.
pub async fn forget_old(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from attempts where subject in (
             select subject from attempts where since < app_now() - interval '1 day' limit $1)
         and since < app_now() - interval '1 day'",
        limit
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
