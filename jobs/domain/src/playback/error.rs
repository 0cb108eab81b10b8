//! What can be wrong with a wish about what plays.

use crate::{
    activations::{PlaceError, Status},
    mails::MailError,
};

#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    #[error("no such activation")]
    NotFound,
    /// The screen speaks of a play that is over or was never started.
    #[error("the play {play_epoch} is over or another one: the activation is {}", status.as_str())]
    StalePlay { status: Status, play_epoch: i64 },
    #[error("the activation is {}, only a waiting one can be moved or taken back", .0.as_str())]
    NotQueued(Status),
    #[error("the activation is {}, only one that has ended can be played again", .0.as_str())]
    NotEnded(Status),
    #[error("whoever placed it was banned or has deleted the account")]
    SenderGone,
    /// A word without a screen's id, while screens are connected that decide.
    #[error("screenId: an OBS screen is connected, and only such screens decide: say which one speaks")]
    WhichScreen,
    #[error("nothing plays")]
    NothingPlays,
    #[error(transparent)]
    Settle(#[from] PlaceError),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error("the job could not be written: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
