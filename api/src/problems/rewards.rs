//! Failures of rewards.

use domain::rewards::RewardError;

use crate::problem::{ErrorCode, Problem};

impl From<RewardError> for Problem {
    fn from(error: RewardError) -> Self {
        match error {
            RewardError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            RewardError::Taken | RewardError::TooMany(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            RewardError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            RewardError::Wallet(error) => error.into(),
            RewardError::Database(error) => error.into(),
        }
    }
}
