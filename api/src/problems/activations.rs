//! Failures of activations and playback.

use domain::{
    activations::{PlaceError, SENDER_LENGTH},
    playback::PlaybackError,
};
use poem::http::StatusCode;

use super::bans::banned;
use crate::problem::{ErrorCode, Problem};

/// 402 with what is there and what is needed.
pub(super) fn insufficient(balance: i64, needed: i64) -> Problem {
    let detail = format!("the wallet holds {balance} coins, {needed} are needed");
    Problem::new(StatusCode::PAYMENT_REQUIRED, ErrorCode::InsufficientCoins, detail)
        .with("balance", balance)
        .with("needed", needed)
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::MemeNotFound => Self::not_found(ErrorCode::MemeNotFound, "there is no such meme"),
            PlaceError::Sender => Self::bad_request(
                ErrorCode::ValidationError,
                format!("senderDisplayName: 1 to {SENDER_LENGTH} characters that can be seen"),
            ),
            PlaceError::Closed => Self::not_found(ErrorCode::ChannelNotFound, error.to_string()),
            PlaceError::Banned => banned(error.to_string()),
            PlaceError::IntakePaused => {
                Self::conflict(ErrorCode::IntakePaused, "the streamer takes no activations right now")
            }
            PlaceError::NoOverlay => Self::conflict(ErrorCode::NoOverlay, error.to_string()),
            PlaceError::Resting { seconds, own } => {
                let whose = if own { "you have played it" } else { "it was played" };
                let detail = format!("{whose} a moment ago, it may be played again in {seconds} s");
                Self::conflict(ErrorCode::MemeOnCooldown, detail).with("retryAfterSeconds", seconds)
            }
            PlaceError::PlayedOut { most, own } => {
                let whom = if own { "you can play it" } else { "it is played" };
                let detail = format!("{whom} at most {most} times in one stream");
                Self::conflict(ErrorCode::MemePlayedOut, detail).with("most", most)
            }
            PlaceError::Insufficient { balance, needed } => insufficient(balance, needed),
            PlaceError::Wallet(error) => error.into(),
            PlaceError::Enqueue(error) => error.into(),
            PlaceError::Database(error) => error.into(),
        }
    }
}

impl From<PlaybackError> for Problem {
    fn from(error: PlaybackError) -> Self {
        match error {
            PlaybackError::NotFound => Self::not_found(ErrorCode::ActivationNotFound, "there is no such activation"),
            PlaybackError::StalePlay { .. } => Self::conflict(ErrorCode::StalePlay, error.to_string()),
            PlaybackError::WhichScreen => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            PlaybackError::NotQueued(_) => Self::conflict(ErrorCode::ActivationNotQueued, error.to_string()),
            PlaybackError::NotEnded(_) | PlaybackError::SenderGone | PlaybackError::NothingPlays => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            PlaybackError::Settle(error) => error.into(),
            PlaybackError::Mail(error) => error.into(),
            PlaybackError::Enqueue(error) => error.into(),
            PlaybackError::Database(error) => error.into(),
        }
    }
}
