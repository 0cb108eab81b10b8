//! Failures of tokens.

use domain::tokens::TokenError;

use crate::problem::{ErrorCode, Problem};

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            TokenError::Own | TokenError::Full(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            TokenError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            TokenError::Database(error) => error.into(),
        }
    }
}
