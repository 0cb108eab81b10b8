//! Failures of what people ask of us about themselves.

use domain::privacy::PrivacyError;

use crate::problem::{ErrorCode, Problem};

impl From<PrivacyError> for Problem {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::NoExport => Self::not_found(ErrorCode::NotFound, error.to_string()),
            PrivacyError::NotReady(_) | PrivacyError::Admin => Self::conflict(ErrorCode::Conflict, error.to_string()),
            PrivacyError::TooOften { wait, .. } => {
                Self::conflict(ErrorCode::Conflict, error.to_string()).again_after(wait.as_secs().max(1))
            }
            PrivacyError::Media(error) => Self::internal(error.to_string()),
            error @ PrivacyError::Drawn => Self::internal(error),
            PrivacyError::Mail(error) => error.into(),
            PrivacyError::Enqueue(error) => error.into(),
            PrivacyError::Identity(error) => error.into(),
            PrivacyError::Database(error) => error.into(),
        }
    }
}
