/// Why a wish about auto-moderation is refused.
#[derive(Debug, thiserror::Error)]
pub enum AutomodError {
    #[error("there is no such permit")]
    NotFound,
    #[error("{field}: {allowed}")]
    Invalid { field: &'static str, allowed: &'static str },
    #[error("at most {0} people may link at once")]
    TooMany(i64),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
