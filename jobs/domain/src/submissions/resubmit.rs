//! Sending in again what needs changes.

use queue::Tx;
use uuid::Uuid;

use super::{
    GiveBackFiles, Submission, SubmissionError, SubmissionStatus, ValidateUpload, blocks, events, model, repo,
};
use crate::{
    events::record,
    media::{self, Container, MediaType},
};

/// Another file for a submission.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub kind: MediaType,
    /// SHA-256 of the bytes.
    pub hash: String,
    /// Bytes.
    pub size: i64,
    pub container: Container,
    /// Milliseconds, as the client says.
    pub claimed_duration_ms: Option<i32>,
}

/// What is changed; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Resubmission {
    pub title: Option<String>,
    pub notes: Option<String>,
    pub tags: Option<Vec<String>>,
    pub file: Option<NewFile>,
}

impl Resubmission {
    /// Tests the words; the file has its own tests.
    ///
    /// # Errors
    /// The first field that is beyond its limits.
    pub fn check(&self) -> Result<(), SubmissionError> {
        model::check_words(self.title.as_deref(), self.notes.as_deref(), self.tags.as_deref())?;
        model::check_duration(self.file.as_ref().and_then(|file| file.claimed_duration_ms))
    }
}

/// Sends in again what needs changes, at most `most` times. The caller holds the new file's hash and has published its bytes.
///
/// # Errors
/// [`SubmissionError::NotFound`] also for another person's, [`SubmissionError::NoChangesWanted`],
/// [`SubmissionError::SentInTooOften`], [`SubmissionError::Blocked`], or a word is beyond its limits.
pub async fn resubmit(
    tx: &mut Tx,
    submitter: Uuid,
    id: Uuid,
    changes: &Resubmission,
    most: i16,
) -> Result<Submission, SubmissionError> {
    changes.check()?;
    let found = repo::lock(&mut *tx, id).await?.filter(|submission| submission.submitter_id == submitter);
    let before = found.ok_or(SubmissionError::NotFound)?;
    if before.status != SubmissionStatus::NeedsChanges {
        return Err(SubmissionError::NoChangesWanted(before.status));
    }
    if before.revision > most {
        return Err(SubmissionError::SentInTooOften(most));
    }
    if let Some(file) = &changes.file {
        blocks::refuse(&mut *tx, before.channel_id, &file.hash).await?;
    }
    repo::send_in_again(&mut *tx, id, changes).await?;
    if let Some(file) = &changes.file {
        let bytes = media::NewFile { hash: &file.hash, size: file.size, mime_type: file.container.mime_type() };
        media::add_reference(&mut *tx, bytes).await?;
        repo::replace_file(&mut *tx, id, file).await?;
        queue::enqueue(tx, &GiveBackFiles { asset: before.asset_id, source: None }).await?;
        queue::enqueue(tx, &ValidateUpload { submission: id }).await?;
    }
    let after = repo::find(&mut *tx, id).await?.ok_or(SubmissionError::NotFound)?;
    record(tx, events::resubmitted(&after)).await?;
    Ok(after)
}
