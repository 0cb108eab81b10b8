//! SQL of submissions of what other channels show.

use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    super::{Submission, SubmissionError, model, pool::NewTake},
    find,
};
use crate::media::{File, MediaType};

pub(in super::super) async fn insert(
    conn: &mut PgConnection,
    new: &NewTake,
    kind: MediaType,
    title: &str,
    tags: &[String],
    source: &File,
) -> Result<Submission, SubmissionError> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into meme_submissions (id, channel_id, submitter_id, type, title, notes, tags, source_hash, source_size,
                                       source_mime_type, from_pool)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true)",
        id,
        new.channel_id,
        new.submitter_id,
        kind.as_str(),
        title,
        new.notes,
        Json(model::normal(tags)?) as _,
        source.hash,
        source.size,
        source.mime_type,
    )
    .execute(&mut *conn)
    .await?;
    find(conn, id).await?.ok_or(SubmissionError::NotFound)
}
