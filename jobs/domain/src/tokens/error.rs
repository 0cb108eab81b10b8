//! Why nothing is done about a token.

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("there is no such token")]
    NotFound,
    #[error("this is one of the channel's own links: it cannot be taken away, only rotated")]
    Own,
    #[error("there are {0} tokens, which is as many as there may be")]
    Full(i64),
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: &'static str },
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
