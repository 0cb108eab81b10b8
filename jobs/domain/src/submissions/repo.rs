//! SQL of submissions.

use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Failure, NewSubmission, Submission, SubmissionError, SubmissionStatus, UploadState};
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
    source_hash: String,
    source_size: i64,
    source_mime_type: String,
    probe: Option<serde_json::Value>,
    asset_id: Option<Uuid>,
    meme_id: Option<Uuid>,
    revision: i16,
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
            source_hash: row.source_hash,
            source_size: row.source_size,
            source_mime_type: row.source_mime_type,
            probe: row.probe,
            asset_id: row.asset_id,
            meme_id: row.meme_id,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A submission.
///
/// # Errors
/// The database refused.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Submission>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select s.id, s.channel_id, c.slug as channel_slug, s.submitter_id, s.type as "kind: MediaType", s.title,
                  s.notes, s.tags as "tags: Json<Vec<String>>", s.claimed_duration_ms,
                  s.status as "status: SubmissionStatus", s.upload_state as "upload_state: UploadState", s.progress,
                  s.error_code as "failure: Failure", s.error_detail as failure_detail, s.source_hash, s.source_size,
                  s.source_mime_type, s.probe, s.asset_id, s.meme_id, s.revision, s.created_at, s.updated_at
           from meme_submissions s join channels c on c.id = s.channel_id
           where s.id = $1"#,
        id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
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
    let rows = sqlx::query_as!(
        Row,
        r#"select s.id, s.channel_id, c.slug as channel_slug, s.submitter_id, s.type as "kind: MediaType", s.title,
                  s.notes, s.tags as "tags: Json<Vec<String>>", s.claimed_duration_ms,
                  s.status as "status: SubmissionStatus", s.upload_state as "upload_state: UploadState", s.progress,
                  s.error_code as "failure: Failure", s.error_detail as failure_detail, s.source_hash, s.source_size,
                  s.source_mime_type, s.probe, s.asset_id, s.meme_id, s.revision, s.created_at, s.updated_at
           from meme_submissions s join channels c on c.id = s.channel_id
           where s.submitter_id = $1
           order by s.created_at desc, s.id
           limit $2 offset $3"#,
        submitter_id,
        limit,
        offset,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
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

/// Notes how far the encoder is, for whoever watches.
///
/// # Errors
/// The database refused.
pub async fn set_progress(conn: &mut PgConnection, id: Uuid, per_cent: i16) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update meme_submissions set progress = $2, updated_at = app_now()
         where id = $1 and upload_state = 'transcoding'",
        id,
        per_cent,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert(conn: &mut PgConnection, new: &NewSubmission) -> Result<Submission, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"with s as (
               insert into meme_submissions (id, channel_id, submitter_id, type, title, notes, tags,
                                             claimed_duration_ms, source_hash, source_size, source_mime_type)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               returning id, channel_id, submitter_id, type, title, notes, tags, claimed_duration_ms, status,
                         upload_state, progress, error_code, error_detail, source_hash, source_size,
                         source_mime_type, probe, asset_id, meme_id, revision, created_at, updated_at
           )
           select s.id, s.channel_id, c.slug as channel_slug, s.submitter_id, s.type as "kind: MediaType", s.title,
                  s.notes, s.tags as "tags: Json<Vec<String>>", s.claimed_duration_ms,
                  s.status as "status: SubmissionStatus", s.upload_state as "upload_state: UploadState", s.progress,
                  s.error_code as "failure: Failure", s.error_detail as failure_detail, s.source_hash, s.source_size,
                  s.source_mime_type, s.probe, s.asset_id, s.meme_id, s.revision, s.created_at, s.updated_at
           from s join channels c on c.id = s.channel_id"#,
        Uuid::now_v7(),
        new.channel_id,
        new.submitter_id,
        new.kind.as_str(),
        new.title,
        new.notes,
        Json(&new.tags) as _,
        new.claimed_duration_ms,
        new.source_hash,
        new.source_size,
        new.container.mime_type(),
    )
    .fetch_one(conn)
    .await?;
    Ok(row.into())
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
    if done.rows_affected() == 0 { Err(SubmissionError::Moved) } else { Ok(()) }
}

pub(super) async fn approve(
    conn: &mut PgConnection,
    id: Uuid,
    from: UploadState,
    asset_id: Uuid,
    meme_id: Uuid,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set upload_state = 'ready', status = 'approved', progress = 100, asset_id = $3, meme_id = $4,
             updated_at = app_now()
         where id = $1 and upload_state = $2",
        id,
        from.as_str(),
        asset_id,
        meme_id,
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 0 { Err(SubmissionError::Moved) } else { Ok(()) }
}

pub(super) async fn fail(
    conn: &mut PgConnection,
    id: Uuid,
    failure: Failure,
    detail: &str,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set upload_state = 'failed', status = 'rejected', error_code = $2, error_detail = $3, updated_at = app_now()
         where id = $1 and upload_state in ('received', 'probing', 'transcoding')",
        id,
        failure.code(),
        detail,
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 0 { Err(SubmissionError::Moved) } else { Ok(()) }
}
