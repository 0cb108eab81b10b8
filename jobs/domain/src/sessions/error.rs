//! Why there is no session.

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("there is no such person")]
    NoSuchUser,
    /// With what was said of why.
    #[error("the account is banned{}", .0.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Banned(Option<String>),
    #[error("the account is being deleted")]
    Erased,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
