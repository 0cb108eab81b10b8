//! SQL of what is not taken any more.

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::blocks::Block;
use crate::media::{Look, MediaType, NOTHING, alike};

/// Blocks that are looked at: those that have most in common.
const MOST_NEAR: i64 = 200;

/// What is known of something that is to be blocked.
pub(in super::super) struct Found {
    kind: MediaType,
    source_hash: Option<String>,
    file_hash: Option<String>,
    frames: Vec<i64>,
}

impl Found {
    /// A submission whose file is still to be fetched.
    pub(in super::super) fn is_nothing(&self) -> bool {
        self.file_hash.is_none() && self.source_hash.as_deref() == Some(NOTHING)
    }
}

/// Of a meme: of any channel, or of this one.
pub(in super::super) async fn of_meme(
    conn: &mut PgConnection,
    meme: Uuid,
    channel: Option<Uuid>,
) -> Result<Option<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select a.type as "kind: MediaType", a.source_hash, a.file_hash as "file_hash?",
                  coalesce(l.frames, '{}') as "frames!"
           from memes m join meme_assets a on a.id = m.asset_id left join looks l on l.file_hash = a.file_hash
           where m.id = $1 and m.channel_id = coalesce($2, m.channel_id)"#,
        meme,
        channel,
    )
    .fetch_optional(conn)
    .await
}

/// Of a submission, the file of which may not be ready, or given back: to any channel, or to this one.
pub(in super::super) async fn of_submission(
    conn: &mut PgConnection,
    id: Uuid,
    channel: Option<Uuid>,
) -> Result<Option<Found>, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"select s.type as "kind: MediaType", s.source_hash as "source_hash?", a.file_hash as "file_hash?",
                  coalesce(l.frames, '{}') as "frames!"
           from meme_submissions s left join meme_assets a on a.id = s.asset_id
           left join looks l on l.file_hash = a.file_hash
           where s.id = $1 and s.channel_id = coalesce($2, s.channel_id)"#,
        id,
        channel,
    )
    .fetch_optional(conn)
    .await
}

/// Nobody else blocks anything there until the end of the transaction.
pub(in super::super) async fn lock(conn: &mut PgConnection, channel: Option<Uuid>) -> Result<(), sqlx::Error> {
    let scope = channel.map_or_else(|| "all".to_owned(), |channel| channel.to_string());
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('blocks:' || $1::text, 0))", scope)
        .execute(conn)
        .await?;
    Ok(())
}

pub(in super::super) async fn find_same(
    conn: &mut PgConnection,
    channel: Option<Uuid>,
    found: &Found,
) -> Result<Option<Block>, sqlx::Error> {
    sqlx::query_as!(
        Block,
        r#"select id, channel_id, type as "kind: MediaType", source_hash, file_hash, created_at from blocks
           where channel_id is not distinct from $1 and type = $2 and source_hash is not distinct from $3
             and file_hash is not distinct from $4 limit 1"#,
        channel,
        found.kind.as_str(),
        found.source_hash,
        found.file_hash,
    )
    .fetch_optional(conn)
    .await
}

pub(in super::super) async fn insert(
    conn: &mut PgConnection,
    channel: Option<Uuid>,
    found: &Found,
) -> Result<Block, sqlx::Error> {
    let block = sqlx::query_as!(
        Block,
        r#"insert into blocks (id, channel_id, type, source_hash, file_hash, frames) values ($1, $2, $3, $4, $5, $6)
           returning id, channel_id, type as "kind: MediaType", source_hash, file_hash, created_at"#,
        Uuid::now_v7(),
        channel,
        found.kind.as_str(),
        found.source_hash,
        found.file_hash,
        &found.frames,
    )
    .fetch_one(&mut *conn)
    .await?;
    if let Some(look) = Look::new(found.frames.clone()) {
        sqlx::query!(
            "insert into block_parts (part, block_id) select part, $2 from unnest($1::integer[]) as part",
            &look.parts(),
            block.id,
        )
        .execute(conn)
        .await?;
    }
    Ok(block)
}

pub(in super::super) async fn remove(
    conn: &mut PgConnection,
    channel: Option<Uuid>,
    id: Uuid,
) -> Result<bool, sqlx::Error> {
    let removed = sqlx::query!("delete from blocks where id = $1 and channel_id is not distinct from $2", id, channel);
    Ok(removed.execute(conn).await?.rows_affected() == 1)
}

/// What is blocked on this channel, or on all, the newest first.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Block>, sqlx::Error> {
    match channel {
        Some(channel) => {
            sqlx::query_as!(
                Block,
                r#"select id, channel_id, type as "kind: MediaType", source_hash, file_hash, created_at from blocks
                   where channel_id = $1 order by created_at desc, id limit $2 offset $3"#,
                channel,
                limit,
                offset,
            )
            .fetch_all(conn)
            .await
        }
        None => {
            sqlx::query_as!(
                Block,
                r#"select id, channel_id, type as "kind: MediaType", source_hash, file_hash, created_at from blocks
                   where channel_id is null order by created_at desc, id limit $1 offset $2"#,
                limit,
                offset,
            )
            .fetch_all(conn)
            .await
        }
    }
}

/// How many [`list`] has in all.
///
/// # Errors
/// The database refused.
pub async fn count(conn: &mut PgConnection, channel: Option<Uuid>) -> Result<i64, sqlx::Error> {
    match channel {
        Some(channel) => {
            sqlx::query_scalar!(r#"select count(*) as "count!" from blocks where channel_id = $1"#, channel)
                .fetch_one(conn)
                .await
        }
        None => {
            sqlx::query_scalar!(r#"select count(*) as "count!" from blocks where channel_id is null"#)
                .fetch_one(conn)
                .await
        }
    }
}

/// Whether these bytes are blocked on the channel.
pub(in super::super) async fn has_source(
    conn: &mut PgConnection,
    channel: Uuid,
    source_hash: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from blocks
                          where source_hash = $2 and (channel_id is null or channel_id = $1)) as "blocked!""#,
        channel,
        source_hash,
    )
    .fetch_one(conn)
    .await
}

/// Whether this rendition is.
pub(in super::super) async fn has_file(
    conn: &mut PgConnection,
    channel: Uuid,
    kind: MediaType,
    file_hash: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from blocks
                          where file_hash = $2 and type = $3 and (channel_id is null or channel_id = $1)) as "blocked!""#,
        channel,
        file_hash,
        kind.as_str(),
    )
    .fetch_one(conn)
    .await
}

/// A block whose file may look like something.
pub(in super::super) struct Near {
    pub(in super::super) id: Uuid,
    /// None: it is blocked on all channels.
    pub(in super::super) channel_id: Option<Uuid>,
    frames: Vec<i64>,
}

impl Near {
    pub(in super::super) fn looks_like(&self, look: &Look) -> bool {
        Look::new(self.frames.clone()).is_some_and(|its| its.is_near(look))
    }
}

/// What is blocked on the channel and may look like this.
pub(in super::super) async fn near(
    conn: &mut PgConnection,
    channel: Uuid,
    kind: MediaType,
    look: &Look,
) -> Result<Vec<Near>, sqlx::Error> {
    sqlx::query_as!(
        Near,
        "select b.id, b.channel_id, b.frames
         from (select p.block_id, count(*) as common from block_parts p where p.part = any($1) group by p.block_id) found
         join blocks b on b.id = found.block_id
         where (b.channel_id is null or b.channel_id = $2) and b.type = any($3)
         order by found.common desc limit $4",
        &look.parts(),
        channel,
        &alike(kind),
        MOST_NEAR,
    )
    .fetch_all(conn)
    .await
}
