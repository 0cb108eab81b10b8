//! What can be wrong with a wish about a channel.

/// Facts only; the words for clients are the API's.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("no such channel")]
    NotFound,
    #[error("the slug {0:?} is taken")]
    SlugTaken(String),
    #[error("the person has a channel already")]
    HasChannel,
    #[error("there is no such channel")]
    Closed,
    #[error("the channel takes no submissions right now")]
    SubmissionsOff,
    #[error("the channel takes submissions only while its streamer is live")]
    Offline,
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error("two of them are called {0:?}")]
    SameName(String),
    #[error("the token is unknown or was rotated")]
    TokenRefused,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
