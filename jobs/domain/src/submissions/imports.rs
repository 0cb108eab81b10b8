//! Memes that are sent in by the address of their file. A job fetches it; from then on it is a file like any other.

use queue::Tx;
use uuid::Uuid;

use super::{FetchImport, Submission, SubmissionError, UploadState, ValidateUpload, blocks, events, model, repo};
use crate::{
    events::record,
    media::{self, Container, MediaType, NOTHING},
};

/// A file that is somewhere else.
#[derive(Debug, Clone)]
pub struct NewImport {
    pub channel_id: Uuid,
    pub submitter_id: Uuid,
    /// 1 to 2000 bytes; whoever fetches judges it again.
    pub url: String,
    /// Up to 200 characters, may be empty.
    pub title: String,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    /// Milliseconds, as the client says; for a picture, how long to show it.
    pub claimed_duration_ms: Option<i32>,
}

impl NewImport {
    /// Tests the words; the address has its own tests.
    ///
    /// # Errors
    /// The first field that is beyond its limits.
    pub fn check(&self) -> Result<(), SubmissionError> {
        model::check_words(Some(&self.title), self.notes.as_deref(), Some(&self.tags))?;
        model::check_duration(self.claimed_duration_ms)
    }
}

/// What was fetched.
#[derive(Debug, Clone, Copy)]
pub struct Fetched<'a> {
    pub kind: MediaType,
    pub container: Container,
    /// SHA-256 of the bytes.
    pub hash: &'a str,
    /// Bytes, more than 0.
    pub size: i64,
}

/// Keeps the words and orders the fetch. What it is going to be is not known yet, and said to be a video meanwhile.
///
/// # Errors
/// A word is beyond its limits, or the database refused.
pub async fn order_import(tx: &mut Tx, new: &NewImport) -> Result<Submission, SubmissionError> {
    new.check()?;
    let submission = repo::imports::insert(&mut *tx, new).await?;
    queue::enqueue(tx, &FetchImport { submission: submission.id, submitter: submission.submitter_id }).await?;
    record(tx, events::created(&submission)).await?;
    Ok(submission)
}

/// The file is there: counts the reference, orders the work. The caller holds the hash, publishes the bytes and commits.
///
/// # Errors
/// [`SubmissionError::Moved`] when that was done before, or it was rejected meanwhile; [`SubmissionError::Blocked`].
pub async fn arrive(tx: &mut Tx, submission: &Submission, file: &Fetched<'_>) -> Result<(), SubmissionError> {
    blocks::refuse(&mut *tx, submission.channel_id, file.hash).await?;
    repo::imports::set_file(&mut *tx, submission.id, file).await?;
    let bytes = media::NewFile { hash: file.hash, size: file.size, mime_type: file.container.mime_type() };
    media::add_reference(&mut *tx, bytes).await?;
    queue::enqueue(tx, &ValidateUpload { submission: submission.id }).await?;
    Ok(())
}

impl Submission {
    /// Its file is to be fetched.
    #[must_use]
    pub fn awaits_file(&self) -> bool {
        self.upload_state == UploadState::Received && !self.has_file()
    }

    /// Whether its file was ever here.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.source_hash != NOTHING
    }
}
