//! Failures of promotions.

use domain::promotions::PromotionError;

use crate::problem::{ErrorCode, Problem};

impl From<PromotionError> for Problem {
    fn from(error: PromotionError) -> Self {
        match error {
            PromotionError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            PromotionError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            PromotionError::TooMany => Self::conflict(ErrorCode::Conflict, error.to_string()),
            PromotionError::Database(error) => error.into(),
        }
    }
}
