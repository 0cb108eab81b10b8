//! Words of submissions.

use domain::submissions::{self, Submission};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::memes::MemeType;

/// What the streamer decided.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum SubmissionStatus {
    Pending,
    NeedsChanges,
    Approved,
    Rejected,
}

impl From<submissions::SubmissionStatus> for SubmissionStatus {
    fn from(status: submissions::SubmissionStatus) -> Self {
        match status {
            submissions::SubmissionStatus::Pending => Self::Pending,
            submissions::SubmissionStatus::NeedsChanges => Self::NeedsChanges,
            submissions::SubmissionStatus::Approved => Self::Approved,
            submissions::SubmissionStatus::Rejected => Self::Rejected,
        }
    }
}

/// How far the file has come.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum UploadState {
    Received,
    Probing,
    Transcoding,
    Ready,
    Failed,
}

impl From<submissions::UploadState> for UploadState {
    fn from(state: submissions::UploadState) -> Self {
        match state {
            submissions::UploadState::Received => Self::Received,
            submissions::UploadState::Probing => Self::Probing,
            submissions::UploadState::Transcoding => Self::Transcoding,
            submissions::UploadState::Ready => Self::Ready,
            submissions::UploadState::Failed => Self::Failed,
        }
    }
}

/// What somebody sent in.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct SubmissionView {
    id: Uuid,
    channel_id: Uuid,
    submitter_id: Uuid,
    title: String,
    #[oai(rename = "type")]
    kind: MemeType,
    notes: Option<String>,
    tags: Vec<String>,
    status: SubmissionStatus,
    upload_state: UploadState,
    /// Per cent of the encoding.
    progress: i16,
    /// Why it failed, for a program: `INVALID_FILE_CONTENT`, `VIDEO_TOO_LONG`, `UPLOAD_TIMEOUT` or `UPLOAD_FAILED`.
    error_code: Option<String>,
    /// Why it failed, for a person.
    error_detail: Option<String>,
    /// The meme that came of it.
    meme_id: Option<Uuid>,
    /// SHA-256 of the bytes that were sent.
    file_hash: String,
    /// Of the bytes that were sent.
    file_size: i64,
    revision: i16,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Submission> for SubmissionView {
    fn from(submission: Submission) -> Self {
        Self {
            id: submission.id,
            channel_id: submission.channel_id,
            submitter_id: submission.submitter_id,
            title: submission.title,
            kind: submission.kind.into(),
            notes: submission.notes,
            tags: submission.tags,
            status: submission.status.into(),
            upload_state: submission.upload_state.into(),
            progress: submission.progress,
            error_code: submission.failure.map(|failure| failure.code().to_owned()),
            error_detail: submission.failure_detail,
            meme_id: submission.meme_id,
            file_hash: submission.source_hash,
            file_size: submission.source_size,
            revision: submission.revision,
            created_at: submission.created_at,
            updated_at: submission.updated_at,
        }
    }
}
