//! SQL of memes.

pub(super) mod catalogue;
pub(super) mod favourites;
pub(super) mod pool;
pub(super) mod search;
pub(super) mod similar;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Meme, MemeChange, MemeError, MemeStatus, NewMeme,
    model::{check_price, check_title, normal_tags},
};
use crate::media::MediaType;

/// A meme that is not deleted, in any other status.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Meme>, sqlx::Error> {
    sqlx::query_as!(
        Meme,
        r#"select m.id, m.channel_id, m.asset_id, m.title, m.price, m.status as "status: MemeStatus", m.created_by,
                  m.created_at, a.type as "kind: MediaType", a.file_hash, a.duration_ms, a.width, a.height,
                  a.poster_hash, a.preview_hash, a.gain_db, m.volume, m.is_overlapping, m.cooldown_seconds, m.viewer_cooldown_seconds,
                  m.max_per_stream, m.max_per_viewer, m.tags
           from memes m join meme_assets a on a.id = m.asset_id
           where m.id = $1 and m.status <> 'deleted'"#,
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Creates an approved meme of an asset.
///
/// # Errors
/// [`MemeError::InvalidTitle`], [`MemeError::InvalidTags`], [`MemeError::InvalidPrice`], or the database refused.
pub async fn create(conn: &mut PgConnection, new: NewMeme<'_>) -> Result<Meme, MemeError> {
    check_title(new.title)?;
    check_price(new.price)?;
    let tags = normal_tags(new.tags)?;
    let meme = sqlx::query_as!(
        Meme,
        r#"with m as (
               insert into memes (id, channel_id, asset_id, title, price, created_by, tags)
               values ($1, $2, $3, $4, $5, $6, $7)
               returning id, channel_id, asset_id, title, price, status, created_by, created_at, volume, is_overlapping,
                         cooldown_seconds, viewer_cooldown_seconds, max_per_stream, max_per_viewer, tags
           )
           select m.id, m.channel_id, m.asset_id, m.title, m.price, m.status as "status: MemeStatus", m.created_by,
                  m.created_at, a.type as "kind: MediaType", a.file_hash, a.duration_ms, a.width, a.height,
                  a.poster_hash, a.preview_hash, a.gain_db, m.volume, m.is_overlapping, m.cooldown_seconds, m.viewer_cooldown_seconds,
                  m.max_per_stream, m.max_per_viewer, m.tags
           from m join meme_assets a on a.id = m.asset_id"#,
        Uuid::now_v7(),
        new.channel_id,
        new.asset_id,
        new.title,
        new.price,
        new.created_by,
        &tags,
    )
    .fetch_one(conn)
    .await?;
    Ok(meme)
}

/// Changes what is given; activations that were placed before keep what they froze.
///
/// # Errors
/// [`MemeError::NotFound`], [`MemeError::InvalidTitle`], [`MemeError::InvalidPrice`], [`MemeError::InvalidLimit`], or the
/// database refused.
pub async fn update(conn: &mut PgConnection, id: Uuid, change: &MemeChange) -> Result<Meme, MemeError> {
    change.check()?;
    let tags = change.tags.as_deref().map(normal_tags).transpose()?;
    sqlx::query!(
        "update memes set title = coalesce($2, title), price = case when $3 then $4 else price end,
             cooldown_seconds = coalesce($5, cooldown_seconds),
             viewer_cooldown_seconds = coalesce($6, viewer_cooldown_seconds),
             max_per_stream = case when $7 then $8 else max_per_stream end,
             max_per_viewer = case when $9 then $10 else max_per_viewer end,
             tags = coalesce($11, tags), volume = coalesce($12, volume),
             is_overlapping = coalesce($13, is_overlapping)
         where id = $1 and status <> 'deleted'",
        id,
        change.title,
        change.price.is_some(),
        change.price.flatten(),
        change.cooldown_seconds,
        change.viewer_cooldown_seconds,
        change.max_per_stream.is_some(),
        change.max_per_stream.flatten(),
        change.max_per_viewer.is_some(),
        change.max_per_viewer.flatten(),
        tags.as_deref(),
        change.volume,
        change.is_overlapping,
    )
    .execute(&mut *conn)
    .await?;
    find(conn, id).await?.ok_or(MemeError::NotFound)
}

/// Takes a meme out of the catalogue. What waits of it is not touched here.
///
/// # Errors
/// [`MemeError::NotFound`] (also when it is deleted already), or the database refused.
pub async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), MemeError> {
    let done = sqlx::query!(
        "update memes set status = 'deleted', deleted_at = app_now() where id = $1 and status <> 'deleted'",
        id,
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 0 { Err(MemeError::NotFound) } else { Ok(()) }
}

/// Brings a meme back that the channel has deleted less than a week ago, and whose file is in sight; whether there is one.
///
/// # Errors
/// The database refused.
pub async fn restore(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update memes m set status = 'approved', deleted_at = null
         from meme_assets a
         where m.id = $1 and m.channel_id = $2 and m.status = 'deleted' and m.deleted_at > app_now() - interval '7 days'
           and a.id = m.asset_id and a.hidden_at is null and a.deleted_at is null",
        id,
        channel,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
