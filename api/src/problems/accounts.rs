//! Failures of people.

use domain::accounts::AccountError;

use crate::problem::{ErrorCode, Problem};

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            AccountError::Own | AccountError::LastAdmin => Self::conflict(ErrorCode::Conflict, error.to_string()),
            AccountError::NoAdmin => Self::forbidden(error.to_string()),
            AccountError::Database(error) => error.into(),
        }
    }
}
