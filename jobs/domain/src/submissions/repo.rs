//! SQL of submissions.

pub(super) mod blocks;
pub(super) mod imports;
pub(super) mod inbox;
pub(super) mod pool;
pub(super) mod rewards;
pub(super) mod shelves;
pub(super) mod trust;

use sqlx::{PgConnection, postgres::PgQueryResult, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Failure, NewFile, NewSubmission, Resubmission, Submission, SubmissionError, SubmissionStatus, UploadState,
    findings::Findings, model,
};
use crate::media::MediaType;

/// A row as it is stored: tags are JSON there.
struct Row {
    id: Uuid,
    channel_id: Uuid,
    channel_slug: String,
    submitter_id: Uuid,
    kind: MediaType,
    title: String,
    notes: Option<String>,
    tags: Json<Vec<String>>,
    claimed_duration_ms: Option<i32>,
    status: SubmissionStatus,
    upload_state: UploadState,
    progress: i16,
    failure: Option<Failure>,
    failure_detail: Option<String>,
    source_url: Option<String>,
    source_hash: String,
    source_size: i64,
    source_mime_type: String,
    probe: Option<serde_json::Value>,
    asset_id: Option<Uuid>,
    poster_hash: Option<String>,
    preview_hash: Option<String>,
    meme_id: Option<Uuid>,
    similar_meme_id: Option<Uuid>,
    revision: i16,
    moderator_id: Option<Uuid>,
    moderator_note: Option<String>,
    decided_at: Option<OffsetDateTime>,
    reward_coins: Option<i64>,
    from_pool: bool,
    flags: Vec<String>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Row> for Submission {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            channel_id: row.channel_id,
            channel_slug: row.channel_slug,
            submitter_id: row.submitter_id,
            kind: row.kind,
            title: row.title,
            notes: row.notes,
            tags: row.tags.0,
            claimed_duration_ms: row.claimed_duration_ms,
            status: row.status,
            upload_state: row.upload_state,
            progress: row.progress,
            failure: row.failure,
            failure_detail: row.failure_detail,
            source_url: row.source_url,
            source_hash: row.source_hash,
            source_size: row.source_size,
            source_mime_type: row.source_mime_type,
            probe: row.probe,
            asset_id: row.asset_id,
            poster_hash: row.poster_hash,
            preview_hash: row.preview_hash,
            meme_id: row.meme_id,
            similar_meme_id: row.similar_meme_id,
            revision: row.revision,
            moderator_id: row.moderator_id,
            moderator_note: row.moderator_note,
            decided_at: row.decided_at,
            reward_coins: row.reward_coins,
            from_pool: row.from_pool,
            flags: row.flags,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Submissions with the channel's slug.
macro_rules! select {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select s.id, s.channel_id, c.slug as channel_slug, s.submitter_id, s.type as "kind: MediaType", s.title,
                      s.notes, s.tags as "tags: Json<Vec<String>>", s.claimed_duration_ms,
                      s.status as "status: SubmissionStatus", s.upload_state as "upload_state: UploadState", s.progress,
                      s.error_code as "failure: Failure", s.error_detail as failure_detail, s.source_url, s.source_hash,
                      s.source_size, s.source_mime_type, s.probe, s.asset_id,
                      a.poster_hash as "poster_hash?", a.preview_hash as "preview_hash?", s.meme_id,
                      s.similar_meme_id, s.revision, s.moderator_id, s.moderator_note, s.decided_at, s.reward_coins, s.from_pool,
                      s.flags, s.created_at, s.updated_at
               from meme_submissions s join channels c on c.id = s.channel_id
               left join meme_assets a on a.id = s.asset_id "#
                + $tail
            $(, $argument)*
        )
    };
}

/// A submission.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Submission>, sqlx::Error> {
    Ok(select!("where s.id = $1", id).fetch_optional(conn).await?.map(Into::into))
}

/// As [`find`]; nobody else changes it until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Submission>, sqlx::Error> {
    Ok(select!("where s.id = $1 for no key update of s", id).fetch_optional(conn).await?.map(Into::into))
}

/// As [`lock`], of those that this user has sent in and nobody has decided about.
pub(super) async fn lock_open(
    conn: &mut PgConnection,
    submitter_id: Uuid,
    channel_id: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Submission>, sqlx::Error> {
    let rows = select!(
        "where s.submitter_id = $1 and s.channel_id = coalesce($2, s.channel_id) and s.status in ('pending', 'needs_changes')
         order by s.created_at desc, s.id limit $3 for no key update of s",
        submitter_id,
        channel_id,
        limit,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}

/// What this user has sent in, newest first.
///
/// # Errors
/// The database refused.
pub async fn list_of_submitter(
    conn: &mut PgConnection,
    submitter_id: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<Submission>, sqlx::Error> {
    let rows = select!(
        "where s.submitter_id = $1 order by s.created_at desc, s.id limit $2 offset $3",
        submitter_id,
        limit,
        offset,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}

/// How many submissions [`list_of_submitter`] has in all.
///
/// # Errors
/// The database refused.
pub async fn count_of_submitter(conn: &mut PgConnection, submitter_id: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from meme_submissions where submitter_id = $1"#, submitter_id,)
        .fetch_one(conn)
        .await
}

/// Whether it is still being encoded.
pub(super) async fn set_progress(conn: &mut PgConnection, id: Uuid, per_cent: i16) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query!(
        "update meme_submissions set progress = $2, updated_at = app_now()
         where id = $1 and upload_state = 'transcoding'",
        id,
        per_cent,
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

pub(super) async fn insert(conn: &mut PgConnection, new: &NewSubmission) -> Result<Submission, SubmissionError> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into meme_submissions (id, channel_id, submitter_id, type, title, notes, tags, claimed_duration_ms,
                                       source_hash, source_size, source_mime_type)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id,
        new.channel_id,
        new.submitter_id,
        new.kind.as_str(),
        new.title,
        new.notes,
        Json(model::normal(&new.tags)?) as _,
        new.claimed_duration_ms,
        new.source_hash,
        new.source_size,
        new.container.mime_type(),
    )
    .execute(&mut *conn)
    .await?;
    find(conn, id).await?.ok_or(SubmissionError::NotFound)
}

/// Whether the submission was where the step begins.
fn taken(step: &PgQueryResult) -> Result<(), SubmissionError> {
    if step.rows_affected() == 0 { Err(SubmissionError::Moved) } else { Ok(()) }
}

pub(super) async fn advance(
    conn: &mut PgConnection,
    id: Uuid,
    from: UploadState,
    to: UploadState,
    probe: Option<&serde_json::Value>,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions set upload_state = $3, probe = coalesce($4, probe), updated_at = app_now()
         where id = $1 and upload_state = $2",
        id,
        from.as_str(),
        to.as_str(),
        probe,
    )
    .execute(conn)
    .await?;
    taken(&done)
}

pub(super) async fn set_ready(
    conn: &mut PgConnection,
    id: Uuid,
    from: UploadState,
    asset_id: Uuid,
    found: &Findings,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set upload_state = 'ready', progress = 100, asset_id = $3, flags = flags || $4, similar_meme_id = $5,
             updated_at = app_now()
         where id = $1 and upload_state = $2 and status = 'pending'",
        id,
        from.as_str(),
        asset_id,
        &found.flags,
        found.similar_meme,
    )
    .execute(conn)
    .await?;
    taken(&done)
}

pub(super) async fn approve(
    conn: &mut PgConnection,
    id: Uuid,
    meme_id: Uuid,
    moderator_id: Option<Uuid>,
    tags: Option<&[String]>,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set status = 'approved', meme_id = $2, moderator_id = $3, moderator_note = null, decided_at = app_now(),
             tags = coalesce($4, tags), updated_at = app_now()
         where id = $1 and status = 'pending' and upload_state = 'ready'",
        id,
        meme_id,
        moderator_id,
        tags.map(model::normal).transpose()?.map(Json) as _,
    )
    .execute(conn)
    .await?;
    taken(&done)
}

/// What is still being worked on is not worked on any more.
pub(super) async fn reject(
    conn: &mut PgConnection,
    id: Uuid,
    moderator_id: Option<Uuid>,
    note: Option<&str>,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set status = 'rejected', upload_state = case when upload_state = 'ready' then 'ready' else 'failed' end,
             asset_id = null, moderator_id = $2, moderator_note = $3, decided_at = app_now(), updated_at = app_now()
         where id = $1 and status in ('pending', 'needs_changes')",
        id,
        moderator_id,
        note,
    )
    .execute(conn)
    .await?;
    taken(&done)
}

pub(super) async fn ask_for_changes(
    conn: &mut PgConnection,
    id: Uuid,
    moderator_id: Uuid,
    note: &str,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set status = 'needs_changes', moderator_id = $2, moderator_note = $3, decided_at = app_now(),
             updated_at = app_now()
         where id = $1 and status = 'pending' and upload_state = 'ready'",
        id,
        moderator_id,
        note,
    )
    .execute(conn)
    .await?;
    taken(&done)
}

/// The note stays: what was asked for is of interest to whoever looks again.
pub(super) async fn send_in_again(
    conn: &mut PgConnection,
    id: Uuid,
    changes: &Resubmission,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set status = 'pending', revision = revision + 1, title = coalesce($2, title), notes = coalesce($3, notes),
             tags = coalesce($4, tags), decided_at = null, updated_at = app_now()
         where id = $1 and status = 'needs_changes'",
        id,
        changes.title,
        changes.notes,
        changes.tags.as_deref().map(model::normal).transpose()?.map(Json) as _,
    )
    .execute(conn)
    .await?;
    taken(&done)
}

pub(super) async fn replace_file(conn: &mut PgConnection, id: Uuid, file: &NewFile) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update meme_submissions
         set upload_state = 'received', progress = 0, probe = null, asset_id = null, type = $2, source_hash = $3,
             source_size = $4, source_mime_type = $5, claimed_duration_ms = $6, flags = '{}',
             similar_meme_id = null, source_url = null, from_pool = false
         where id = $1",
        id,
        file.kind.as_str(),
        file.hash,
        file.size,
        file.container.mime_type(),
        file.claimed_duration_ms,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn has_open(conn: &mut PgConnection, submitter_id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from meme_submissions
                          where submitter_id = $1 and status in ('pending', 'needs_changes')) as "open!""#,
        submitter_id,
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn fail(
    conn: &mut PgConnection,
    id: Uuid,
    failure: Failure,
    detail: &str,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set upload_state = 'failed', status = 'rejected', error_code = $2, error_detail = $3, decided_at = app_now(),
             updated_at = app_now()
         where id = $1 and upload_state in ('received', 'probing', 'transcoding')",
        id,
        failure.code(),
        detail,
    )
    .execute(conn)
    .await?;
    taken(&done)
}
