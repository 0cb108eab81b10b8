//! Failures of password accounts and of second factors.

use domain::{factors::FactorError, passwords::PasswordError};
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            PasswordError::LoginTaken => Self::conflict(ErrorCode::UsernameTaken, error.to_string()),
            PasswordError::EmailTaken => Self::conflict(ErrorCode::EmailTaken, error.to_string()),
            PasswordError::NoPassword => Self::conflict(ErrorCode::Conflict, error.to_string()),
            // Whoever changed it meanwhile is believed.
            PasswordError::Changed => {
                Self::new(StatusCode::UNAUTHORIZED, ErrorCode::CredentialsInvalid, error.to_string())
            }
            PasswordError::Database(error) => error.into(),
        }
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        let detail = error.to_string();
        match error {
            FactorError::Wrong => Self::new(StatusCode::UNAUTHORIZED, ErrorCode::CodeInvalid, detail),
            FactorError::There | FactorError::NotBegun => Self::conflict(ErrorCode::Conflict, detail),
            FactorError::NotAsked => Self::not_found(ErrorCode::NotFound, detail),
            FactorError::Unreadable(cause) => {
                tracing::warn!(%cause, "the seed of somebody's codes cannot be read");
                Self::conflict(ErrorCode::CodesUnreadable, detail)
            }
            FactorError::Seal(error) => Self::internal(error),
            FactorError::Mail(error) => error.into(),
            FactorError::Database(error) => error.into(),
        }
    }
}
