//! What can go wrong with submissions.

use super::{MAX_NOTES, SubmissionStatus};
use crate::{
    media::MediaError,
    memes::{MAX_TAG, MAX_TAGS, MAX_TITLE, MemeError},
    wallets::WalletError,
};

#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    #[error("a title has at most {MAX_TITLE} characters, and none that control or turn the text around")]
    InvalidTitle,
    #[error("notes have at most {MAX_NOTES} characters")]
    InvalidNotes,
    #[error("the house has taken this file out of sight")]
    Hidden,
    #[error(
        "there are at most {MAX_TAGS} tags, each of 1 to {MAX_TAG} characters that do not control or turn the text around"
    )]
    InvalidTags,
    #[error("a duration is between 1 ms and an hour")]
    InvalidDuration,
    #[error("a note has 1 to {MAX_NOTES} characters that are not all blank")]
    InvalidNote,
    #[error("there is nobody with this id, or the channel does not trust this person")]
    NoSuchPerson,
    #[error("the channel trusts {0} people, which is as many as there may be")]
    TooManyTrusted(i64),
    #[error("the same is blocked here")]
    Blocked,
    #[error("there is no such meme")]
    NoSuchMeme,
    #[error("there is no such thing in the pool")]
    NotPooled,
    #[error("the channel shows it already")]
    AlreadyThere,
    #[error("nothing is blocked under this id")]
    NoSuchBlock,
    #[error("{0} things are blocked here, which is as many as there may be")]
    TooManyBlocked(i64),
    /// There is none, or it is of another channel or another person.
    #[error("there is no such submission")]
    NotFound,
    #[error("it is decided already: the submission is {}", .0.as_str())]
    NotPending(SubmissionStatus),
    #[error("its file is still being worked on: decide when uploadState is ready, or reject it now")]
    StillWorking,
    #[error("only a submission that needs changes is sent in again, this one is {}", .0.as_str())]
    NoChangesWanted(SubmissionStatus),
    #[error("it was sent in again {0} times, which is as often as it may be")]
    SentInTooOften(i16),
    /// Another run has moved the submission on already.
    #[error("the submission is no longer in this state")]
    Moved,
    #[error("media: {0}")]
    Media(#[from] MediaError),
    #[error("meme: {0}")]
    Meme(#[from] MemeError),
    #[error("reward: {0}")]
    Wallet(#[from] WalletError),
    #[error("queue: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
