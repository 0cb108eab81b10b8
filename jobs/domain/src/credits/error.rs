#[derive(Debug, thiserror::Error)]
pub enum CreditsError {
    #[error("there is no such channel")]
    ChannelNotFound,
    /// The field is empty, too long or out of range.
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: &'static str },
    #[error(transparent)]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
