//! SQL of bans from channels.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Ban;

/// Whom the channel keeps off, the newest first.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, channel: Uuid, limit: i64, offset: i64) -> Result<Vec<Ban>, sqlx::Error> {
    sqlx::query_as!(
        Ban,
        "select b.user_id, u.login, u.display_name, b.reason, b.banned_at
         from channel_bans b join users u on u.id = b.user_id
         where b.channel_id = $1 order by b.banned_at desc, b.user_id limit $2 offset $3",
        channel,
        limit,
        offset,
    )
    .fetch_all(conn)
    .await
}

/// How many people the channel keeps off.
///
/// # Errors
/// The database refused.
pub async fn count(conn: &mut PgConnection, channel: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from channel_bans where channel_id = $1"#, channel)
        .fetch_one(conn)
        .await
}

pub(super) async fn find(conn: &mut PgConnection, channel: Uuid, user: Uuid) -> Result<Option<Ban>, sqlx::Error> {
    sqlx::query_as!(
        Ban,
        "select b.user_id, u.login, u.display_name, b.reason, b.banned_at
         from channel_bans b join users u on u.id = b.user_id where b.channel_id = $1 and b.user_id = $2",
        channel,
        user,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn is_banned(conn: &mut PgConnection, channel: Uuid, user: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from channel_bans where channel_id = $1 and user_id = $2) as "banned!""#,
        channel,
        user,
    )
    .fetch_one(conn)
    .await
}

/// Nobody else bans anybody until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("select from channels where id = $1 for no key update", channel).execute(conn).await?;
    Ok(())
}

/// Whether that is news; not where the channel keeps as many off as it may. Behind [`lock`].
pub(super) async fn put(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
    by: Uuid,
    reason: Option<&str>,
    most: i64,
) -> Result<bool, sqlx::Error> {
    let put = sqlx::query!(
        "insert into channel_bans (channel_id, user_id, banned_by, reason)
         select $1, $2, $3, $4 where (select count(*) from channel_bans where channel_id = $1) < $5
         on conflict (channel_id, user_id) do nothing",
        channel,
        user,
        by,
        reason,
        most,
    );
    Ok(put.execute(conn).await?.rows_affected() == 1)
}

/// Whether the channel kept this person off.
pub(super) async fn remove(conn: &mut PgConnection, channel: Uuid, user: Uuid) -> Result<bool, sqlx::Error> {
    let removed = sqlx::query!("delete from channel_bans where channel_id = $1 and user_id = $2", channel, user);
    Ok(removed.execute(conn).await?.rows_affected() == 1)
}
