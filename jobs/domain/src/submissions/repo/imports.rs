//! SQL of submissions whose file is somewhere else.

use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    super::{
        Submission, SubmissionError,
        imports::{Fetched, NewImport},
        model,
    },
    find, taken,
};
use crate::media::NOTHING;

pub(in super::super) async fn insert(conn: &mut PgConnection, new: &NewImport) -> Result<Submission, SubmissionError> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into meme_submissions (id, channel_id, submitter_id, type, title, notes, tags, claimed_duration_ms,
                                       source_url, source_hash, source_size, source_mime_type)
         values ($1, $2, $3, 'video', $4, $5, $6, $7, $8, $9, 0, 'application/octet-stream')",
        id,
        new.channel_id,
        new.submitter_id,
        new.title,
        new.notes,
        Json(model::normal(&new.tags)?) as _,
        new.claimed_duration_ms,
        new.url,
        NOTHING,
    )
    .execute(&mut *conn)
    .await?;
    find(conn, id).await?.ok_or(SubmissionError::NotFound)
}

pub(in super::super) async fn set_file(
    conn: &mut PgConnection,
    id: Uuid,
    file: &Fetched<'_>,
) -> Result<(), SubmissionError> {
    let done = sqlx::query!(
        "update meme_submissions
         set type = $2, source_hash = $3, source_size = $4, source_mime_type = $5, updated_at = app_now()
         where id = $1 and upload_state = 'received' and status = 'pending' and source_hash = $6",
        id,
        file.kind.as_str(),
        file.hash,
        file.size,
        file.container.mime_type(),
        NOTHING,
    )
    .execute(conn)
    .await?;
    taken(&done)
}
