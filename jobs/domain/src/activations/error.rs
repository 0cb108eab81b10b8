//! What can be wrong with a wish to play a meme.

use crate::wallets::WalletError;

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("no such meme")]
    MemeNotFound,
    #[error("the name of the sender shows nothing")]
    Sender,
    #[error("there is no such channel")]
    Closed,
    #[error("the channel's team has banned you from its memes")]
    Banned,
    #[error("the channel takes no activations now")]
    IntakePaused,
    #[error("no overlay is connected, and the channel takes nothing that nobody would see")]
    NoOverlay,
    /// Seconds until it may be played again; of the viewer's own last play of it, or of anybody's.
    #[error("it was played a moment ago, it may be played again in {seconds} s")]
    Resting { seconds: i64, own: bool },
    /// Plays in this stream.
    #[error("it was played {most} times in this stream, which is all there is")]
    PlayedOut { most: i32, own: bool },
    #[error("the wallet holds {balance} coins, {needed} are needed")]
    Insufficient { balance: i64, needed: i64 },
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error("the job could not be written: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
