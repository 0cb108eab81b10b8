//! SQL of what the house moderates.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{HouseModerator, ReviewedAsset, Seen};
use crate::{
    Place,
    media::{MediaType, NOTHING},
    submissions::blocks::Block,
};

/// Assets with the oldest of their memes.
macro_rules! select {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ReviewedAsset,
            r#"select a.id, a.type as "kind: MediaType", a.file_hash, a.duration_ms, a.created_at, a.hidden_at, a.deleted_at,
                      shown.title as "title?", shown.slug as "channel_slug?"
               from meme_assets a
               left join lateral (select m.title, c.slug from memes m join channels c on c.id = m.channel_id
                                  where m.asset_id = a.id order by m.created_at, m.id limit 1) shown on true "#
                + $tail
            $(, $argument)*
        )
    };
}

/// An asset.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<ReviewedAsset>, sqlx::Error> {
    select!("where a.id = $1", id).fetch_optional(conn).await
}

/// As [`find`]; nobody makes a meme of it until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<ReviewedAsset>, sqlx::Error> {
    // All of one file, in one order.
    sqlx::query!(
        "select id from meme_assets where file_hash = (select file_hash from meme_assets where id = $1)
         order by id for update",
        id,
    )
    .fetch_all(&mut *conn)
    .await?;
    find(conn, id).await
}

/// At most `limit` assets, the newest first: those after a place, or all but the first `offset`.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    seen: Seen,
    after: Option<Place>,
    limit: i64,
    offset: i64,
) -> Result<Vec<ReviewedAsset>, sqlx::Error> {
    let (at, id) = after.map_or((None, None), |place| (Some(place.created_at), Some(place.id)));
    // A statement for each index.
    match seen {
        Seen::All => {
            let found = select!(
                "where a.created_at <= coalesce($1, 'infinity'::timestamptz)
                   and (a.created_at < coalesce($1, 'infinity'::timestamptz) or a.id > $2)
                 order by a.created_at desc, a.id limit $3 offset $4",
                at,
                id,
                limit,
                offset,
            );
            found.fetch_all(conn).await
        }
        Seen::Hidden => {
            let found = select!(
                "where a.hidden_at is not null and a.created_at <= coalesce($1, 'infinity'::timestamptz)
                   and (a.created_at < coalesce($1, 'infinity'::timestamptz) or a.id > $2)
                 order by a.created_at desc, a.id limit $3 offset $4",
                at,
                id,
                limit,
                offset,
            );
            found.fetch_all(conn).await
        }
    }
}

/// How many assets [`list`] has in all; 10000 at most.
///
/// # Errors
/// The database refused.
pub async fn count(conn: &mut PgConnection, seen: Seen) -> Result<i64, sqlx::Error> {
    match seen {
        Seen::All => {
            sqlx::query_scalar!(
                r#"select count(*) as "count!" from (select from meme_assets order by created_at desc, id limit 10000) counted"#
            )
            .fetch_one(conn)
            .await
        }
        Seen::Hidden => {
            sqlx::query_scalar!(
                r#"select count(*) as "count!"
                   from (select from meme_assets where hidden_at is not null order by created_at desc, id limit 10000) counted"#
            )
            .fetch_one(conn)
            .await
        }
    }
}

/// All assets of the file, and with them their memes.
pub(super) async fn set_hidden(conn: &mut PgConnection, file: &str, hidden: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with asset as (
             update meme_assets set hidden_at = case when $2 then app_now() end, hidden_by = null where file_hash = $1
             returning id
         )
         update memes m set status = case when $2 then 'rejected' else 'approved' end
         from asset where m.asset_id = asset.id and m.status = case when $2 then 'approved' else 'rejected' end",
        file,
        hidden,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person has hidden the file, whatever else has.
pub(super) async fn keep_hidden(conn: &mut PgConnection, file: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update meme_assets set hidden_by = null where file_hash = $1 and hidden_by is not null", file)
        .execute(conn)
        .await?;
    Ok(())
}

/// Hides all files that are blocked so and are not hidden, and with them their memes; which they are.
pub(super) async fn hide_blocked(conn: &mut PgConnection, block: &Block) -> Result<Vec<String>, sqlx::Error> {
    let files = sqlx::query_scalar!(
        "select file_hash from meme_assets where file_hash = $1 and type = $3
         union select file_hash from meme_assets where source_hash = $2
         order by file_hash",
        block.file_hash,
        block.source_hash,
        block.kind.as_str(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let files: Vec<String> = files.into_iter().flatten().filter(|file| file != NOTHING).collect();
    // In one order, as whoever hides a file by hand.
    sqlx::query!("select id from meme_assets where file_hash = any($1) order by id for update", &files)
        .fetch_all(&mut *conn)
        .await?;
    sqlx::query_scalar!(
        r#"with asset as (
               update meme_assets set hidden_at = app_now(), hidden_by = $2
               where file_hash = any($1) and hidden_at is null returning id, file_hash
           ), meme as (
               update memes m set status = 'rejected' from asset where m.asset_id = asset.id and m.status = 'approved'
           )
           select distinct file_hash as "file_hash!" from asset order by 1"#,
        &files,
        block.id,
    )
    .fetch_all(conn)
    .await
}

/// Brings back what the block has hidden; what another block of all channels speaks of is hidden by that one then.
pub(super) async fn show_blocked(conn: &mut PgConnection, block: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from meme_assets where hidden_by = $1 order by id for update", block)
        .fetch_all(&mut *conn)
        .await?;
    sqlx::query!(
        "update meme_assets a set hidden_by = other.id
         from (select a.id as asset_id,
                      coalesce((select b.id from blocks b where b.source_hash = a.source_hash and b.channel_id is null
                                  and b.id <> $1 limit 1),
                               (select b.id from blocks b where b.file_hash = a.file_hash and b.type = a.type
                                  and b.channel_id is null and b.id <> $1 limit 1)) as id
               from meme_assets a where a.hidden_by = $1) other
         where a.id = other.asset_id and other.id is not null",
        block,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "with asset as (
             update meme_assets set hidden_at = null, hidden_by = null where hidden_by = $1 returning id
         )
         update memes m set status = 'approved' from asset where m.asset_id = asset.id and m.status = 'rejected'",
        block,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All assets of the file, and with them their memes; which they are.
pub(super) async fn set_deleted(conn: &mut PgConnection, file: &str) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "with asset as (
             update meme_assets set hidden_at = coalesce(hidden_at, app_now()), hidden_by = null, deleted_at = app_now()
             where file_hash = $1 returning id
         ), meme as (
             update memes m set status = 'deleted', deleted_at = app_now()
             from asset where m.asset_id = asset.id and m.status <> 'deleted'
         )
         select id from asset",
        file,
    )
    .fetch_all(conn)
    .await
}

/// Whether the person looks after all channels.
///
/// # Errors
/// The database refused.
pub async fn is_moderator(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from global_moderators where user_id = $1) as "found!""#, user)
        .fetch_one(conn)
        .await
}

/// Who looks after all channels, by login.
///
/// # Errors
/// The database refused.
pub async fn moderators(conn: &mut PgConnection) -> Result<Vec<HouseModerator>, sqlx::Error> {
    sqlx::query_as!(
        HouseModerator,
        "select g.user_id, u.login, u.display_name, g.granted_at
         from global_moderators g join users u on u.id = g.user_id order by u.login limit 1000",
    )
    .fetch_all(conn)
    .await
}

/// Whether that is news.
pub(super) async fn grant(conn: &mut PgConnection, user: Uuid, by: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into global_moderators (user_id, granted_by) values ($1, $2) on conflict (user_id) do nothing",
        user,
        by,
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Whether that is news.
pub(super) async fn revoke(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from global_moderators where user_id = $1", user);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
