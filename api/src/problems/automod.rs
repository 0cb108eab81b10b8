//! Failures of auto-moderation.

use domain::automod::AutomodError;

use crate::problem::{ErrorCode, Problem};

impl From<AutomodError> for Problem {
    fn from(error: AutomodError) -> Self {
        match error {
            AutomodError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            AutomodError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            AutomodError::TooMany(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            AutomodError::Database(error) => error.into(),
        }
    }
}
