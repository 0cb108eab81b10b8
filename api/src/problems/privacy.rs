//! Failures of what people ask of us about themselves.

use domain::privacy::PrivacyError;

use crate::problem::{ErrorCode, Problem};

impl From<PrivacyError> for Problem {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::NoExport => Self::not_found(ErrorCode::NotFound, error.to_string()),
            PrivacyError::NotReady(_) | PrivacyError::TooOften(_) | PrivacyError::Admin => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            PrivacyError::Media(error) => Self::internal(error.to_string()),
            PrivacyError::Mail(error) => error.into(),
            PrivacyError::Enqueue(error) => error.into(),
            PrivacyError::Identity(error) => error.into(),
            PrivacyError::Database(error) => error.into(),
        }
    }
}
