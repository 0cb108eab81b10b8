//! SQL of what was sent in to a channel. Which conditions there are differs from question to question, and each shall walk its
//! own index: so the statements are put together here.

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::super::{
    Submission,
    inbox::{Filter, Received},
};
use crate::Place;

/// At most `limit` submissions to the channel, the newest first: those after a place, or all but the first `offset`.
///
/// # Errors
/// The database refused.
pub async fn list(
    conn: &mut PgConnection,
    channel_id: Uuid,
    filter: &Filter,
    after: Option<Place>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Received>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "select s.id, s.channel_id, c.slug as channel_slug, s.submitter_id, s.type, s.title, s.notes, s.tags,
                s.claimed_duration_ms, s.status, s.upload_state, s.progress, s.error_code, s.error_detail, s.source_url, s.source_hash,
                s.source_size, s.source_mime_type, s.asset_id, a.poster_hash, a.preview_hash, s.meme_id, s.similar_meme_id, s.revision, s.moderator_id, s.moderator_note,
                s.decided_at, s.reward_coins, s.from_pool, s.flags, s.created_at, s.updated_at, u.login, u.display_name, a.file_hash, a.duration_ms ",
    );
    narrow(&mut query, channel_id, filter);
    if let Some(Place { created_at, id }) = after {
        // Twice, so that the index is walked from the place on.
        query.push(" and s.created_at <= ").push_bind(created_at);
        query.push(" and (s.created_at < ").push_bind(created_at).push(" or s.id > ").push_bind(id).push(")");
    }
    query.push(" order by s.created_at desc, s.id limit ").push_bind(limit).push(" offset ").push_bind(offset);
    query.build().try_map(|row: PgRow| received(&row)).fetch_all(conn).await
}

/// How many submissions [`list`] has in all.
///
/// # Errors
/// The database refused.
pub async fn count(conn: &mut PgConnection, channel_id: Uuid, filter: &Filter) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("select count(*) ");
    narrow(&mut query, channel_id, filter);
    query.build_query_scalar().fetch_one(conn).await
}

fn narrow(query: &mut QueryBuilder<Postgres>, channel_id: Uuid, filter: &Filter) {
    query.push(
        "from meme_submissions s join channels c on c.id = s.channel_id join users u on u.id = s.submitter_id
             left join meme_assets a on a.id = s.asset_id
         where s.channel_id = ",
    );
    query.push_bind(channel_id);
    if let Some(status) = filter.status {
        query.push(" and s.status = ").push_bind(status.as_str());
    }
    if let Some(submitter) = &filter.submitter {
        match Uuid::try_parse(submitter) {
            Ok(id) => query.push(" and s.submitter_id = ").push_bind(id),
            Err(_) => query.push(" and u.login = ").push_bind(submitter.clone()),
        };
    }
    if let Some(kind) = filter.kind {
        query.push(" and s.type = ").push_bind(kind.as_str());
    }
    if let Some(tag) = &filter.tag {
        // In small letters as they are kept now, or as they were sent once.
        query.push(" and s.tags ?| ").push_bind(vec![tag.clone(), tag.to_lowercase()]);
    }
    if let Some(from) = filter.from {
        query.push(" and s.created_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" and s.created_at < ").push_bind(to);
    }
    if let Some(least) = filter.min_duration_ms {
        query.push(" and a.duration_ms >= ").push_bind(least);
    }
    if let Some(most) = filter.max_duration_ms {
        query.push(" and a.duration_ms <= ").push_bind(most);
    }
    if let Some(text) = &filter.text {
        query.push(" and position(fold_words(").push_bind(text.clone());
        query.push(") in fold_words(s.title || chr(10) || coalesce(s.notes, ''))) > 0");
    }
}

fn received(row: &PgRow) -> Result<Received, sqlx::Error> {
    let submission = Submission {
        id: row.try_get("id")?,
        channel_id: row.try_get("channel_id")?,
        channel_slug: row.try_get("channel_slug")?,
        submitter_id: row.try_get("submitter_id")?,
        kind: row.try_get("type")?,
        title: row.try_get("title")?,
        notes: row.try_get("notes")?,
        tags: row.try_get::<Json<Vec<String>>, _>("tags")?.0,
        claimed_duration_ms: row.try_get("claimed_duration_ms")?,
        status: row.try_get("status")?,
        upload_state: row.try_get("upload_state")?,
        progress: row.try_get("progress")?,
        failure: row.try_get("error_code")?,
        failure_detail: row.try_get("error_detail")?,
        source_url: row.try_get("source_url")?,
        source_hash: row.try_get("source_hash")?,
        source_size: row.try_get("source_size")?,
        source_mime_type: row.try_get("source_mime_type")?,
        // Of interest to who works on the file.
        probe: None,
        asset_id: row.try_get("asset_id")?,
        poster_hash: row.try_get("poster_hash")?,
        preview_hash: row.try_get("preview_hash")?,
        meme_id: row.try_get("meme_id")?,
        similar_meme_id: row.try_get("similar_meme_id")?,
        revision: row.try_get("revision")?,
        moderator_id: row.try_get("moderator_id")?,
        moderator_note: row.try_get("moderator_note")?,
        decided_at: row.try_get("decided_at")?,
        reward_coins: row.try_get("reward_coins")?,
        from_pool: row.try_get("from_pool")?,
        flags: row.try_get("flags")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    };
    Ok(Received {
        submission,
        submitter_login: row.try_get("login")?,
        submitter_name: row.try_get("display_name")?,
        file_hash: row.try_get("file_hash")?,
        duration_ms: row.try_get("duration_ms")?,
    })
}
