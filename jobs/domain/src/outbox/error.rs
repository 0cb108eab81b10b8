use super::TextError;

#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
