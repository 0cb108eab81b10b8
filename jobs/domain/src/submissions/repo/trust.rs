//! SQL of trust in those who send in.

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::trust::Trusted;

pub(in super::super) async fn list(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Trusted>, sqlx::Error> {
    sqlx::query_as!(
        Trusted,
        "select t.user_id, u.login, u.display_name, t.added_at
         from trusted_uploaders t join users u on u.id = t.user_id where t.channel_id = $1 order by u.login",
        channel
    )
    .fetch_all(conn)
    .await
}

pub(in super::super) async fn find(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
) -> Result<Option<Trusted>, sqlx::Error> {
    sqlx::query_as!(
        Trusted,
        "select t.user_id, u.login, u.display_name, t.added_at
         from trusted_uploaders t join users u on u.id = t.user_id where t.channel_id = $1 and t.user_id = $2",
        channel,
        user
    )
    .fetch_optional(conn)
    .await
}

/// Nobody else adds any until the end of the transaction.
pub(in super::super) async fn lock(conn: &mut PgConnection, channel: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("select from channels where id = $1 for no key update", channel).execute(conn).await?;
    Ok(())
}

/// Whether that is news; not where the channel trusts as many as it may. Behind [`lock`].
pub(in super::super) async fn put(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
    by: Uuid,
    most: i64,
) -> Result<bool, sqlx::Error> {
    let put = sqlx::query!(
        "insert into trusted_uploaders (channel_id, user_id, added_by)
         select $1, $2, $3 where (select count(*) from trusted_uploaders where channel_id = $1) < $4
         on conflict (channel_id, user_id) do nothing",
        channel,
        user,
        by,
        most,
    );
    Ok(put.execute(conn).await?.rows_affected() == 1)
}

/// Whether the channel trusted this person.
pub(in super::super) async fn remove(conn: &mut PgConnection, channel: Uuid, user: Uuid) -> Result<bool, sqlx::Error> {
    let removed = sqlx::query!("delete from trusted_uploaders where channel_id = $1 and user_id = $2", channel, user);
    Ok(removed.execute(conn).await?.rows_affected() == 1)
}

pub(in super::super) async fn is_trusted(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from trusted_uploaders where channel_id = $1 and user_id = $2) as "trusted!""#,
        channel,
        user
    )
    .fetch_one(conn)
    .await
}

/// Whether anything that this person has sent in to the channel was approved.
pub(in super::super) async fn has_approved(
    conn: &mut PgConnection,
    channel: Uuid,
    user: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from meme_submissions
                          where submitter_id = $2 and channel_id = $1 and status = 'approved') as "approved!""#,
        channel,
        user
    )
    .fetch_one(conn)
    .await
}
