//! SQL of memes that show the same.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::media::{Look, MediaType, alike};

/// Memes that are looked at: those that have most in common.
const MOST_NEAR: i64 = 200;

/// The channel's first meme that shows this file.
///
/// # Errors
/// The database refused.
pub async fn find_showing(
    conn: &mut PgConnection,
    channel_id: Uuid,
    file_hash: &str,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select m.id from meme_assets a join memes m on m.asset_id = a.id
         where a.file_hash = $2 and m.channel_id = $1 and m.status = 'approved' order by m.created_at, m.id limit 1",
        channel_id,
        file_hash,
    )
    .fetch_optional(conn)
    .await
}

/// A meme of the channel that looks like this.
///
/// # Errors
/// The database refused.
pub async fn find_similar(
    conn: &mut PgConnection,
    channel_id: Uuid,
    kind: MediaType,
    look: &Look,
) -> Result<Option<Uuid>, sqlx::Error> {
    let memes = sqlx::query!(
        "select m.id, l.frames
         from (select p.file_hash, count(*) as common from look_parts p where p.part = any($1) group by p.file_hash) found
         join looks l on l.file_hash = found.file_hash
         join meme_assets a on a.file_hash = found.file_hash
         join memes m on m.asset_id = a.id
         where m.channel_id = $2 and m.status = 'approved' and a.type = any($3)
         order by found.common desc, m.id limit $4",
        &look.parts(),
        channel_id,
        &alike(kind),
        MOST_NEAR,
    )
    .fetch_all(conn)
    .await?;
    let near = memes.into_iter().find(|meme| Look::new(meme.frames.clone()).is_some_and(|its| its.is_near(look)));
    Ok(near.map(|meme| meme.id))
}
