//! What becomes of submissions when their sender is banned or forgotten, and when a ban is taken back.
//!
//! What a ban rejects is shelved: its files stay for [`UNDO`], and it is what it was when the ban is taken back until then. What was
//! still being worked on is rejected for good.

use std::time::Duration;

use queue::{Options, Tx};
use uuid::Uuid;

use super::{
    GiveBackFiles, GiveBackShelved, RejectSubmissions, ReturnSubmissions, SubmissionError, SubmissionStatus,
    UploadState, events, repo, review,
};
use crate::{accounts, bans, events::record};

/// Submissions of one transaction: the channels' event logs are locked until its end.
const AT_ONCE: i64 = 50;
/// How long after a ban what it has rejected can come back.
pub const UNDO: Duration = Duration::from_secs(7 * 24 * 3600);

/// Orders the rejection of what this person has sent in, to one channel or to all, and nobody has decided about, if there is
/// anything.
///
/// # Errors
/// The database refused.
pub async fn order_rejection(tx: &mut Tx, submitter: Uuid, channel: Option<Uuid>) -> Result<(), SubmissionError> {
    if repo::has_open(&mut *tx, submitter).await? {
        queue::enqueue(tx, &RejectSubmissions { submitter, channel }).await?;
    }
    Ok(())
}

/// Orders that what a ban has rejected comes back.
///
/// # Errors
/// The database refused.
pub async fn order_return(tx: &mut Tx, submitter: Uuid) -> Result<(), SubmissionError> {
    queue::enqueue(tx, &ReturnSubmissions { submitter }).await?;
    Ok(())
}

/// Rejects some of what this person has sent in and nobody has decided about, for good; how many, 0 when none are left.
///
/// # Errors
/// The database refused.
pub async fn reject_some(tx: &mut Tx, submitter: Uuid) -> Result<usize, SubmissionError> {
    let open = repo::lock_open(&mut *tx, submitter, None, AT_ONCE).await?;
    let mut told = Vec::new();
    for submission in &open {
        told.extend(review::reject(tx, submission, None, None).await?);
    }
    // At once: event logs are locked in the order of their names.
    record(tx, told).await?;
    Ok(open.len())
}

/// The same with this note, so that it can come back ([`return_some`]): of one channel or of all. None of somebody who is not
/// banned any more, from that one or from all.
///
/// # Errors
/// The database refused.
pub async fn shelve_some(
    tx: &mut Tx,
    submitter: Uuid,
    channel: Option<Uuid>,
    note: &str,
) -> Result<usize, SubmissionError> {
    // Whoever takes the ban back waits for this, and orders the return of what is rejected here.
    let banned = is_banned(tx, submitter).await?;
    let banned = match channel {
        Some(channel) => bans::is_banned(&mut *tx, channel, submitter).await?,
        None => banned,
    };
    if !banned {
        return Ok(0);
    }
    let open = repo::lock_open(&mut *tx, submitter, channel, AT_ONCE).await?;
    let mut told = Vec::new();
    for submission in &open {
        let asset = submission.asset_id.filter(|_| submission.upload_state == UploadState::Ready);
        let Some(asset) = asset else {
            told.extend(review::reject(tx, submission, None, Some(note)).await?);
            continue;
        };
        repo::reject(&mut *tx, submission.id, None, Some(note)).await?;
        repo::shelves::put(&mut *tx, submission, asset).await?;
        let later = Options { delay: Some(UNDO), ..Options::default() };
        queue::enqueue_with(tx, &GiveBackShelved { submission: submission.id }, later).await?;
        told.extend(events::rejected(submission, None));
    }
    record(tx, told).await?;
    Ok(open.len())
}

/// Some of what a ban has rejected is what it was before, but on channels that still keep the person off; how many, 0 when none
/// are left, or the person is banned again.
///
/// # Errors
/// The database refused.
pub async fn return_some(tx: &mut Tx, submitter: Uuid) -> Result<usize, SubmissionError> {
    if is_banned(tx, submitter).await? {
        return Ok(0);
    }
    let shelved = repo::shelves::lock_returning(&mut *tx, submitter, AT_ONCE).await?;
    let mut told = Vec::new();
    for id in &shelved {
        let Some(status) = repo::shelves::take_back(&mut *tx, *id).await? else { continue };
        let submission = repo::find(&mut *tx, *id).await?.ok_or(SubmissionError::NotFound)?;
        told.extend(match status {
            SubmissionStatus::NeedsChanges => events::needs_changes(&submission, None),
            _ => events::resubmitted(&submission),
        });
    }
    record(tx, told).await?;
    Ok(shelved.len())
}

/// Gives the files of a shelved submission back when it cannot come back any more; how long it still can. None: it is not
/// shelved any more.
///
/// # Errors
/// The database refused.
pub async fn give_back_shelved(tx: &mut Tx, id: Uuid) -> Result<Option<Duration>, SubmissionError> {
    let Some(left) = repo::shelves::seconds_left(&mut *tx, id, UNDO).await? else { return Ok(None) };
    if left > 0.0 {
        return Ok(Some(Duration::from_secs_f64(left)));
    }
    give_up(tx, id).await?;
    Ok(None)
}

/// Nothing of this person's comes back.
///
/// # Errors
/// The database refused.
pub async fn forget_shelved(tx: &mut Tx, submitter: Uuid) -> Result<(), SubmissionError> {
    for id in repo::shelves::lock_some(&mut *tx, submitter, i64::MAX).await? {
        give_up(tx, id).await?;
    }
    Ok(())
}

async fn is_banned(tx: &mut Tx, person: Uuid) -> Result<bool, SubmissionError> {
    Ok(accounts::lock(&mut *tx, person).await?.is_some_and(|person| person.banned_at.is_some()))
}

async fn give_up(tx: &mut Tx, id: Uuid) -> Result<(), SubmissionError> {
    if let Some(asset) = repo::shelves::give_up(&mut *tx, id).await? {
        queue::enqueue(tx, &GiveBackFiles { asset: Some(asset), source: None }).await?;
    }
    Ok(())
}
