//! What can go wrong with files and assets.

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A reference was released that nobody held: a fault in the caller's bookkeeping.
    #[error("file {0} has no reference to release")]
    NotReferenced(String),
    #[error("file {0} is not stored")]
    FileNotFound(String),
    #[error(transparent)]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
