//! What becomes of submissions when their sender is banned or forgotten.

use queue::Tx;
use uuid::Uuid;

use super::{RejectSubmissions, SubmissionError, repo, review};
use crate::events::record;

/// Submissions of one transaction: the channels' event logs are locked until its end.
const AT_ONCE: i64 = 50;

/// Orders the rejection of what this person has sent in and nobody has decided about, if there is anything.
///
/// # Errors
/// The database refused.
pub async fn order_rejection(tx: &mut Tx, submitter: Uuid) -> Result<(), SubmissionError> {
    if repo::has_open(&mut *tx, submitter).await? {
        queue::enqueue(tx, &RejectSubmissions { submitter }).await?;
    }
    Ok(())
}

/// Rejects some of what this person has sent in and nobody has decided about, with this note; how many, 0 when none are left.
///
/// # Errors
/// The database refused.
pub async fn reject_some(tx: &mut Tx, submitter: Uuid, note: Option<&str>) -> Result<usize, SubmissionError> {
    let open = repo::lock_open(&mut *tx, submitter, AT_ONCE).await?;
    let mut told = Vec::new();
    for submission in &open {
        told.extend(review::reject(tx, submission, None, note).await?);
    }
    // At once: event logs are locked in the order of their names.
    record(tx, told).await?;
    Ok(open.len())
}
