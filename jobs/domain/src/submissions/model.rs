//! A submission, its states and its limits.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::SubmissionError;
use crate::{
    media::{Container, Look, Loudness, MediaType, NewFile},
    memes::{is_title, normal_tags},
};

/// Characters of the notes to the streamer.
pub const MAX_NOTES: usize = 500;
/// Milliseconds; what a client may claim, not what is allowed.
const MAX_CLAIMED_DURATION: i32 = 3_600_000;

/// What the channel's team decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SubmissionStatus {
    Pending,
    NeedsChanges,
    Approved,
    Rejected,
}

impl SubmissionStatus {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::NeedsChanges => "needs_changes",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// How far the file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum UploadState {
    Received,
    Probing,
    Transcoding,
    Ready,
    Failed,
}

impl UploadState {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Probing => "probing",
            Self::Transcoding => "transcoding",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// Nothing will happen to the file any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Ready | Self::Failed)
    }
}

/// Why a file could not become a meme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Failure {
    /// The bytes are not what they claim to be, or cannot be decoded.
    InvalidFileContent,
    /// It plays longer than allowed.
    VideoTooLong,
    /// The same is blocked on the channel, or on all.
    ContentBlocked,
    /// Looking at it or encoding it took longer than allowed, every time.
    UploadTimeout,
    /// Our fault: it was tried as often as the policy says.
    UploadFailed,
    /// It is larger than allowed.
    FileTooLarge,
    /// Its address, or one that it redirects to, may not be asked.
    InvalidMediaUrl,
    /// Where it should be fetched from, it is not to be had.
    MediaNotAvailable,
}

impl Failure {
    /// The wire's error code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidFileContent => "INVALID_FILE_CONTENT",
            Self::VideoTooLong => "VIDEO_TOO_LONG",
            Self::ContentBlocked => "CONTENT_BLOCKED",
            Self::UploadTimeout => "UPLOAD_TIMEOUT",
            Self::UploadFailed => "UPLOAD_FAILED",
            Self::FileTooLarge => "FILE_TOO_LARGE",
            Self::InvalidMediaUrl => "INVALID_MEDIA_URL",
            Self::MediaNotAvailable => "MEDIA_NOT_AVAILABLE",
        }
    }
}

/// A submission as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub channel_slug: String,
    pub submitter_id: Uuid,
    pub kind: MediaType,
    pub title: String,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    /// Milliseconds, as the client said.
    pub claimed_duration_ms: Option<i32>,
    pub status: SubmissionStatus,
    pub upload_state: UploadState,
    /// Per cent of the transcode.
    pub progress: i16,
    /// With [`UploadState::Failed`] only.
    pub failure: Option<Failure>,
    /// A sentence for the sender.
    pub failure_detail: Option<String>,
    /// Where its file was fetched from, or will be.
    pub source_url: Option<String>,
    /// SHA-256 of the uploaded bytes; of none until they are there ([`Submission::has_file`]).
    pub source_hash: String,
    /// Bytes.
    pub source_size: i64,
    pub source_mime_type: String,
    /// What the pool `media` found in the file, in its own words; from `transcoding` on.
    pub probe: Option<serde_json::Value>,
    /// From `ready` on, until it is rejected.
    pub asset_id: Option<Uuid>,
    /// SHA-256 of the asset's pictures, once they are drawn.
    pub poster_hash: Option<String>,
    pub preview_hash: Option<String>,
    pub meme_id: Option<Uuid>,
    /// A meme of the channel that it looks like.
    pub similar_meme_id: Option<Uuid>,
    /// From 1; each time that it is sent in again counts.
    pub revision: i16,
    /// Who decided by hand, when it was decided.
    pub moderator_id: Option<Uuid>,
    /// What the moderator had to say to the sender.
    pub moderator_note: Option<String>,
    pub decided_at: Option<OffsetDateTime>,
    /// Coins that the sender got for it.
    pub reward_coins: Option<i64>,
    /// Another channel shows it, from where it was taken.
    pub from_pool: bool,
    /// What checks found worth a look.
    pub flags: Vec<String>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// A submission about to be received.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    pub channel_id: Uuid,
    pub submitter_id: Uuid,
    pub kind: MediaType,
    /// Up to 200 characters, may be empty.
    pub title: String,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    /// Milliseconds, as the client says; for a picture, how long to show it.
    pub claimed_duration_ms: Option<i32>,
    /// SHA-256 of the bytes.
    pub source_hash: String,
    /// Bytes.
    pub source_size: i64,
    pub container: Container,
}

impl NewSubmission {
    /// Tests the words; the file has its own tests.
    ///
    /// # Errors
    /// The first field that is beyond its limits.
    pub fn check(&self) -> Result<(), SubmissionError> {
        check_words(Some(&self.title), self.notes.as_deref(), Some(&self.tags))?;
        check_duration(self.claimed_duration_ms)
    }
}

/// Tests those of a submission's words that are given.
pub(super) fn check_words(
    title: Option<&str>,
    notes: Option<&str>,
    tags: Option<&[String]>,
) -> Result<(), SubmissionError> {
    if !title.is_none_or(is_title) {
        return Err(SubmissionError::InvalidTitle);
    }
    if !notes.is_none_or(|notes| fits(notes, MAX_NOTES)) {
        return Err(SubmissionError::InvalidNotes);
    }
    if tags.is_some_and(|tags| normal_tags(tags).is_err()) {
        return Err(SubmissionError::InvalidTags);
    }
    Ok(())
}

/// Tags in the form in which memes have them.
pub(super) fn normal(tags: &[String]) -> Result<Vec<String>, SubmissionError> {
    normal_tags(tags).map_err(|_| SubmissionError::InvalidTags)
}

pub(super) fn check_duration(claimed_ms: Option<i32>) -> Result<(), SubmissionError> {
    if claimed_ms.is_some_and(|claimed| !(1..=MAX_CLAIMED_DURATION).contains(&claimed)) {
        return Err(SubmissionError::InvalidDuration);
    }
    Ok(())
}

/// PostgreSQL's text cannot hold NUL.
fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.contains('\0')
}

/// What came out of the encoder.
#[derive(Debug, Clone, Copy)]
pub struct Rendition<'a> {
    pub file: NewFile<'a>,
    /// None for sound, and where there is nothing to be told apart.
    pub look: Option<&'a Look>,
    /// Milliseconds that a screen shows it.
    pub duration_ms: i32,
    /// Pixels; none for audio.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// None where there is nothing to hear.
    pub loudness: Option<Loudness>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewSubmission {
        NewSubmission {
            channel_id: Uuid::nil(),
            submitter_id: Uuid::nil(),
            kind: MediaType::Video,
            title: String::new(),
            notes: None,
            tags: Vec::new(),
            claimed_duration_ms: None,
            source_hash: "0".repeat(64),
            source_size: 1,
            container: Container::Mp4,
        }
    }

    #[test]
    fn accepts_words_up_to_their_limits() {
        let full = NewSubmission {
            title: "ж".repeat(200),
            notes: Some("ж".repeat(500)),
            tags: (0..20).map(|number| format!("{number:ж<50}")).collect(),
            claimed_duration_ms: Some(1),
            ..new()
        };
        assert!(new().check().is_ok());
        assert!(full.check().is_ok());
    }

    #[test]
    fn names_the_field_that_is_beyond_its_limits() {
        type E = SubmissionError;
        assert!(matches!(NewSubmission { title: "x".repeat(201), ..new() }.check(), Err(E::InvalidTitle)));
        assert!(matches!(NewSubmission { title: "\0".into(), ..new() }.check(), Err(E::InvalidTitle)));
        assert!(matches!(NewSubmission { notes: Some("x".repeat(501)), ..new() }.check(), Err(E::InvalidNotes)));
        assert!(matches!(
            NewSubmission { tags: (0..21).map(|number| number.to_string()).collect(), ..new() }.check(),
            Err(E::InvalidTags)
        ));
        assert!(matches!(NewSubmission { tags: vec![" ".into()], ..new() }.check(), Err(E::InvalidTags)));
        assert!(matches!(NewSubmission { claimed_duration_ms: Some(0), ..new() }.check(), Err(E::InvalidDuration)));
    }
}
