//! SQL of messages that platforms send.

use std::time::Duration;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Delivery, Kind, NewDelivery};

pub(super) async fn is_timely(
    conn: &mut PgConnection,
    sent_at: OffsetDateTime,
    window: Duration,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select abs(extract(epoch from app_now() - $1::timestamptz)) <= $2::float8 as "timely!""#,
        sent_at,
        window.as_secs_f64(),
    )
    .fetch_one(conn)
    .await
}

/// Whether it is new.
pub(super) async fn insert(conn: &mut PgConnection, id: Uuid, new: &NewDelivery<'_>) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into webhook_deliveries (id, provider, message_id, kind, body, sent_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (provider, message_id) do nothing",
        id,
        new.provider.as_str(),
        new.message_id,
        new.kind.as_str(),
        new.body,
        new.sent_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The message, unless it is understood.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Delivery>, sqlx::Error> {
    let row = sqlx::query!(
        "select provider, message_id, kind, sent_at, body from webhook_deliveries where id = $1 and failure is null",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        Some(Delivery {
            id,
            provider: row.provider,
            message_id: row.message_id,
            kind: Kind::parse(&row.kind),
            sent_at: row.sent_at,
            body: row.body?,
        })
    }))
}

pub(super) async fn drop_body(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update webhook_deliveries set body = null where id = $1", id).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_failure(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update webhook_deliveries set failure = $2 where id = $1", id, reason).execute(conn).await?;
    Ok(())
}

/// Days that ids are known, and that what nobody understood waits.
const KEPT: i32 = 30;

/// Forgets up to `limit` messages that are older than that; how many went.
///
/// # Errors
/// The database refused.
pub async fn trim(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from webhook_deliveries where id in (
             select id from webhook_deliveries where received_at < app_now() - make_interval(days => $1)
             order by received_at limit $2)",
        KEPT,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
