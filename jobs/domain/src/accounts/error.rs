//! Why nothing is done about a person.

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("there is no such person")]
    NotFound,
    #[error("this is yourself: ask another admin")]
    Own,
    #[error("this is the last admin: make somebody else one first")]
    LastAdmin,
    #[error("you are no admin any more")]
    NoAdmin,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
