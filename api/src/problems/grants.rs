//! Failures of coins that wait for somebody.

use domain::grants::GrantError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            GrantError::NoChannel => Self::not_found(ErrorCode::ChannelNotFound, error.to_string()),
            GrantError::Payee | GrantError::Name(_) | GrantError::Amount | GrantError::Days => {
                Self::bad_request(ErrorCode::ValidationError, error.to_string())
            }
            GrantError::Over(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            GrantError::Own => Self::new(StatusCode::FORBIDDEN, ErrorCode::SecondAdminRequired, error.to_string()),
            GrantError::Wallet(error) => error.into(),
            GrantError::Database(error) => error.into(),
        }
    }
}
