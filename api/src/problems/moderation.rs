//! Failures of the house's moderation.

use domain::moderation::ModerationError;

use crate::problem::{ErrorCode, Problem};

impl From<ModerationError> for Problem {
    fn from(error: ModerationError) -> Self {
        match error {
            ModerationError::NotFound => Self::not_found(ErrorCode::MemeAssetNotFound, error.to_string()),
            ModerationError::NoSuchPerson => Self::not_found(ErrorCode::NotFound, error.to_string()),
            ModerationError::Deleted => Self::conflict(ErrorCode::AssetPurgedOrQuarantined, error.to_string()),
            ModerationError::Enqueue(error) => error.into(),
            ModerationError::Database(error) => error.into(),
        }
    }
}
