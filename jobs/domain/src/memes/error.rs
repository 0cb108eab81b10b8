//! What can go wrong with memes.

use super::{MAX_PRICE, MAX_TAG, MAX_TAGS, MAX_TITLE};

#[derive(Debug, thiserror::Error)]
pub enum MemeError {
    #[error("no such meme")]
    NotFound,
    #[error("a title has at most {MAX_TITLE} characters, and no NUL among them")]
    InvalidTitle,
    #[error("at most {MAX_TAGS} tags of 1 to {MAX_TAG} characters, and no NUL among them")]
    InvalidTags,
    #[error("a price is between 0 and {MAX_PRICE} coins")]
    InvalidPrice,
    #[error("{least} to {most}")]
    InvalidLimit { field: &'static str, least: i32, most: i32 },
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
