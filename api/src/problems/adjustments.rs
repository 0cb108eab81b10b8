//! Failures of adjustments that take two.

use domain::adjustments::AdjustmentError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<AdjustmentError> for Problem {
    fn from(error: AdjustmentError) -> Self {
        match error {
            AdjustmentError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            AdjustmentError::Over(_) | AdjustmentError::NoAdmin => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            AdjustmentError::Own => Self::new(StatusCode::FORBIDDEN, ErrorCode::SecondAdminRequired, error.to_string()),
            AdjustmentError::Wallet(error) => error.into(),
            AdjustmentError::Database(error) => error.into(),
        }
    }
}
