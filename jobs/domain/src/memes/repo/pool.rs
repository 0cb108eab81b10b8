//! SQL of the pool: what is shown on any channel and may be taken to others.

use queue::Tx;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{super::catalogue, search::MOST_RANKED};
use crate::{Place, media::MediaType};

/// Something in the pool. Says nothing of whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    pub asset_id: Uuid,
    pub kind: MediaType,
    /// As the first meme is called that shows it, and its tags.
    pub title: String,
    pub tags: Vec<String>,
    /// SHA-256 of the rendition.
    pub file_hash: String,
    /// Milliseconds.
    pub duration_ms: i32,
    /// Pixels; none for audio.
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub poster_hash: Option<String>,
    pub preview_hash: Option<String>,
    pub created_at: OffsetDateTime,
}

impl Pooled {
    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { created_at: self.created_at, id: self.asset_id }
    }
}

/// Of assets `a` with their first meme `shown`: those that can be played on an open channel that shares, and neither hidden by the house nor
/// blocked everywhere. Joined without a walk over all memes, as each asset has few.
const FROM: &str = "
    from meme_assets a
    cross join lateral (
        select m.title, m.tags from memes m join channels c on c.id = m.channel_id join users owner on owner.id = c.owner_id
        where m.asset_id = a.id and m.status = 'approved' and owner.banned_at is null and owner.role <> 'viewer'
          and owner.erased_at is null and c.shares_memes
        order by m.created_at, m.id limit 1
    ) shown
    where a.hidden_at is null
      and not exists (select from blocks b where b.file_hash = a.file_hash and b.type = a.type and b.channel_id is null)
      and not exists (select from blocks b where b.source_hash = a.source_hash and b.channel_id is null)";

/// Of those that show the same file the oldest one stands for all.
const ONCE: &str = "
      and not exists (
          select from meme_assets twin
          where twin.file_hash = a.file_hash and twin.type = a.type and (twin.created_at, twin.id) < (a.created_at, a.id)
            and exists (select from memes m join channels c on c.id = m.channel_id join users owner on owner.id = c.owner_id
                        where m.asset_id = twin.id and m.status = 'approved' and owner.banned_at is null
                          and owner.role <> 'viewer' and owner.erased_at is null and c.shares_memes))";

/// Those whose file has all the words on some channel; of words that more memes have, those of so many.
const FOUND_BEFORE: &str = "
      and a.file_hash in (
          select x.file_hash
          from (select string_agg('(' || (to_tsquery('simple', quote_literal(folded.word)
                                                     || case when length(folded.word) > 2 and not starts_with('channel', folded.word)
                                                             then ':*' else '' end)
                                          || plainto_tsquery('russian', folded.word)
                                          || plainto_tsquery('english', folded.word))::text || ')', ' & ')::tsquery as words
                from unnest(";
const FOUND_AFTER: &str = "::text[]) as given (word)
                cross join lateral (select fold_words(given.word) as word) folded) asked
          join memes m on m.search @@ asked.words and m.status = 'approved'
          join channels c on c.id = m.channel_id and c.shares_memes
          join meme_assets x on x.id = m.asset_id
          limit ";

fn select() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select a.id, a.type, shown.title, shown.tags, a.file_hash, a.duration_ms, a.width, a.height, a.poster_hash,
                a.preview_hash, a.created_at",
    );
    query.push(FROM);
    query
}

/// At most `limit` of what is in the pool, the newest first: those after a place, or all but the first `offset`. With a question
/// only what some channel that shares it has under all words of it, as they are, as stems, or as beginnings.
///
/// # Errors
/// The database refused.
pub async fn list_pool(
    tx: &mut Tx,
    question: Option<&str>,
    kind: Option<MediaType>,
    after: Option<Place>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Pooled>, sqlx::Error> {
    let mut query = select();
    query.push(ONCE);
    if let Some(kind) = kind {
        query.push(" and a.type = ").push_bind(kind.as_str());
    }
    if let Some(question) = question {
        let words = catalogue::words(question);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        // Words are found by an index that there is no walking along.
        sqlx::query!("select set_config('enable_bitmapscan', 'on', true) as bitmaps").fetch_one(&mut **tx).await?;
        query.push(FOUND_BEFORE).push_bind(words).push(FOUND_AFTER).push_bind(MOST_RANKED).push(")");
    }
    if let Some(Place { created_at, id }) = after {
        // Twice, so that the index is walked from the place on.
        query.push(" and a.created_at <= ").push_bind(created_at);
        query.push(" and (a.created_at < ").push_bind(created_at).push(" or a.id > ").push_bind(id).push(")");
    }
    query.push(" order by a.created_at desc, a.id limit ").push_bind(limit).push(" offset ").push_bind(offset);
    query.build().try_map(|row: PgRow| pooled(&row)).fetch_all(&mut **tx).await
}

/// An asset, if it is in the pool.
///
/// # Errors
/// The database refused.
pub async fn find_pooled(conn: &mut PgConnection, asset: Uuid) -> Result<Option<Pooled>, sqlx::Error> {
    let mut query = select();
    query.push(" and a.id = ").push_bind(asset);
    query.build().try_map(|row: PgRow| pooled(&row)).fetch_optional(conn).await
}

fn pooled(row: &PgRow) -> Result<Pooled, sqlx::Error> {
    Ok(Pooled {
        asset_id: row.try_get("id")?,
        kind: row.try_get("type")?,
        title: row.try_get("title")?,
        tags: row.try_get("tags")?,
        file_hash: row.try_get("file_hash")?,
        duration_ms: row.try_get("duration_ms")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
        poster_hash: row.try_get("poster_hash")?,
        preview_hash: row.try_get("preview_hash")?,
        created_at: row.try_get("created_at")?,
    })
}
