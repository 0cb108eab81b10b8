//! SQL of what comes back when its sender's ban is taken back.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::{Submission, SubmissionStatus};

/// Keeps the file of a submission that has just been rejected, and what it was.
pub(in super::super) async fn put(
    conn: &mut PgConnection,
    submission: &Submission,
    asset: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update meme_submissions
         set shelved_asset_id = $2, shelved_status = $3, shelved_at = app_now(),
             -- What was asked for is of interest when it comes back.
             moderator_note = case when $3 = 'needs_changes' then $4 else moderator_note end
         where id = $1",
        submission.id,
        asset,
        submission.status.as_str(),
        submission.moderator_note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Some of the person's that are shelved, locked until the end of the transaction.
pub(in super::super) async fn lock_some(
    conn: &mut PgConnection,
    submitter: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select id from meme_submissions where submitter_id = $1 and shelved_at is not null
         order by created_at desc, id limit $2 for no key update",
        submitter,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The same, but for what was sent to channels that keep the person off.
pub(in super::super) async fn lock_returning(
    conn: &mut PgConnection,
    submitter: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select s.id from meme_submissions s
         where s.submitter_id = $1 and s.shelved_at is not null
           and not exists (select from channel_bans b where b.channel_id = s.channel_id and b.user_id = s.submitter_id)
         order by s.created_at desc, s.id limit $2 for no key update of s",
        submitter,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// It is what it was before; which that is. None where it is not shelved.
pub(in super::super) async fn take_back(
    conn: &mut PgConnection,
    id: Uuid,
) -> Result<Option<SubmissionStatus>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"update meme_submissions
           set status = shelved_status, asset_id = shelved_asset_id,
               moderator_note = case when shelved_status = 'needs_changes' then moderator_note end,
               decided_at = case when shelved_status = 'needs_changes' then decided_at end,
               shelved_asset_id = null, shelved_status = null, shelved_at = null, updated_at = app_now()
           where id = $1 and shelved_at is not null and status = 'rejected'
           returning status as "status: SubmissionStatus""#,
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Seconds for which the submission can come back, if that is so long after its rejection; none: it is not shelved.
pub(in super::super) async fn seconds_left(
    conn: &mut PgConnection,
    id: Uuid,
    undo: Duration,
) -> Result<Option<f64>, sqlx::Error> {
    let left = sqlx::query_scalar!(
        r#"select extract(epoch from shelved_at + make_interval(secs => $2) - app_now())::float8 as "left!"
           from meme_submissions where id = $1 and shelved_at is not null for no key update"#,
        id,
        undo.as_secs_f64(),
    );
    left.fetch_optional(conn).await
}

/// It does not come back; its asset, which nothing needs any more.
pub(in super::super) async fn give_up(conn: &mut PgConnection, id: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    let given_up = sqlx::query_scalar!(
        r#"update meme_submissions s set shelved_asset_id = null, shelved_status = null, shelved_at = null
           from meme_submissions before
           where s.id = $1 and before.id = s.id and s.shelved_at is not null
           returning before.shelved_asset_id as "asset!""#,
        id,
    );
    given_up.fetch_optional(conn).await
}
