//! Failures of memes.

use domain::memes::MemeError;

use crate::problem::{ErrorCode, Problem};

impl From<MemeError> for Problem {
    fn from(error: MemeError) -> Self {
        match error {
            MemeError::NotFound => Self::not_found(ErrorCode::MemeNotFound, "there is no such meme"),
            MemeError::InvalidTitle => Self::bad_request(ErrorCode::InvalidTitle, format!("title: {error}")),
            MemeError::InvalidTags => Self::bad_request(ErrorCode::ValidationError, format!("tags: {error}")),
            MemeError::InvalidPrice => Self::bad_request(ErrorCode::ValidationError, format!("price: {error}")),
            MemeError::InvalidLimit { field, .. } => {
                Self::bad_request(ErrorCode::ValidationError, format!("{field}: {error}"))
            }
            MemeError::Database(error) => error.into(),
        }
    }
}
