//! Where something may be that shall not be shown any more.

use sqlx::PgConnection;
use uuid::Uuid;

/// Channels with a meme of this file, if the file is hidden.
pub(in crate::playback) async fn channels_of_hidden(
    conn: &mut PgConnection,
    file: &str,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select distinct m.channel_id from meme_assets a join memes m on m.asset_id = a.id
         where a.file_hash = $1 and a.hidden_at is not null order by m.channel_id",
        file,
    )
    .fetch_all(conn)
    .await
}

/// Channels where the person has a wallet, out of which everything is paid, if the person is banned.
pub(in crate::playback) async fn channels_of_banned(
    conn: &mut PgConnection,
    person: Uuid,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select w.channel_id from users u join wallets w on w.user_id = u.id
         where u.id = $1 and u.banned_at is not null order by w.channel_id",
        person,
    )
    .fetch_all(conn)
    .await
}

/// The channel of the meme, if the meme is deleted.
pub(in crate::playback) async fn channel_of_deleted(
    conn: &mut PgConnection,
    meme: Uuid,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select channel_id from memes where id = $1 and status = 'deleted'", meme).fetch_all(conn).await
}
