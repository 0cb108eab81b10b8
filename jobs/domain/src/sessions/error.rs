//! Why there is no session.

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("there is no such person")]
    NoSuchUser,
    #[error("the account is banned")]
    Banned,
    #[error("the account is being deleted")]
    Erased,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
