//! SQL of coins for what a channel takes.

use sqlx::PgConnection;
use uuid::Uuid;

/// Nobody else asks about the asset's file on this channel until the end of the transaction.
pub(in super::super) async fn lock(conn: &mut PgConnection, channel: Uuid, asset: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('reward:' || $1::uuid || ':' || a.file_hash, 0))
         from meme_assets a where a.id = $2",
        channel,
        asset,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the channel shows the asset's file already, or has thanked for these bytes; also where the meme was deleted since.
pub(in super::super) async fn is_known(
    conn: &mut PgConnection,
    channel: Uuid,
    asset: Uuid,
    source_hash: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
                      select from meme_assets own
                      join meme_assets a on a.file_hash = own.file_hash and a.type = own.type
                      join memes m on m.asset_id = a.id
                      where own.id = $2 and m.channel_id = $1 and m.status = 'approved')
                  or exists (
                      select from meme_submissions s
                      where s.channel_id = $1 and s.source_hash = $3 and s.reward_coins is not null) as "known!""#,
        channel,
        asset,
        source_hash,
    )
    .fetch_one(conn)
    .await
}

/// The sender got these coins for it.
pub(in super::super) async fn set(conn: &mut PgConnection, id: Uuid, coins: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("update meme_submissions set reward_coins = $2 where id = $1", id, coins).execute(conn).await?;
    Ok(())
}
