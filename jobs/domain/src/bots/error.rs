use crate::outbox::{OutboxError, Provider, TextError};

#[derive(Debug, thiserror::Error)]
pub enum BotError {
    #[error("the channel is linked to no account on {0}")]
    NotLinked(Provider),
    /// Nobody said which, and there are several.
    #[error("several bots are enabled")]
    Ambiguous(Vec<Provider>),
    #[error("the bot of {0} is not enabled")]
    Disabled(Provider),
    #[error("there is no such channel")]
    NoChannel,
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error(transparent)]
    Text(TextError),
    #[error(transparent)]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<OutboxError> for BotError {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Text(error) => Self::Text(error),
            OutboxError::Enqueue(error) => Self::Enqueue(error),
            OutboxError::Database(error) => Self::Database(error),
        }
    }
}
