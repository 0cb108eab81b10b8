//! What can go wrong with submissions.

use super::{MAX_NOTES, MAX_TAG, MAX_TAGS};
use crate::{
    media::MediaError,
    memes::{MAX_TITLE, MemeError},
};

#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    #[error("a title has at most {MAX_TITLE} characters, and no NUL among them")]
    InvalidTitle,
    #[error("notes have at most {MAX_NOTES} characters")]
    InvalidNotes,
    #[error("there are at most {MAX_TAGS} tags, each of 1 to {MAX_TAG} characters")]
    InvalidTags,
    #[error("a duration is between 1 ms and an hour")]
    InvalidDuration,
    /// Another run has moved the submission on already.
    #[error("the submission is no longer in this state")]
    Moved,
    #[error("media: {0}")]
    Media(#[from] MediaError),
    #[error("meme: {0}")]
    Meme(#[from] MemeError),
    #[error("queue: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
