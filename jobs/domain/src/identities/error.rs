use crate::access::VaultError;

/// Why a login, a link or its end is refused.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The state is unknown, used, too old, of another browser, of another platform or of another session. Which of them,
    /// nobody is told who may be the one that forged it.
    #[error("no login is under way with this state")]
    NoSuchFlow,
    #[error("the account belongs to somebody else here")]
    AlreadyLinked,
    #[error("there is no such account, or it is somebody else's")]
    NotFound,
    #[error("the person has asked to be forgotten")]
    Forgotten,
    /// Without it the person could never log in again.
    #[error("it is the only way to log in")]
    LastAccount,
    #[error("sealing the tokens: {0}")]
    Vault(#[from] VaultError),
    #[error("give the tokens back: {0}")]
    Enqueue(#[from] queue::EnqueueError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
