//! Why nothing is taken out of sight.

#[derive(Debug, thiserror::Error)]
pub enum ModerationError {
    #[error("there is no such asset")]
    NotFound,
    #[error("there is no such person")]
    NoSuchPerson,
    #[error("the asset is deleted, its file is gone")]
    Deleted,
    #[error(transparent)]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
