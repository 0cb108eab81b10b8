//! Failures of wallets.

use domain::wallets::WalletError;

use super::activations::insufficient;
use crate::problem::{ErrorCode, Problem};

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Insufficient { balance, needed } => insufficient(balance, needed),
            WalletError::Amount(_) => Self::bad_request(ErrorCode::ValidationError, format!("delta: {error}")),
            WalletError::Reason => Self::bad_request(ErrorCode::ValidationError, format!("reason: {error}")),
            WalletError::NotFound(_) => Self::not_found(ErrorCode::NotFound, error.to_string()),
            WalletError::AlreadyPosted(_) => Self::conflict(ErrorCode::Conflict, "this was done before"),
            WalletError::NotLocked(_) => Self::internal(error),
            WalletError::Database(error) => error.into(),
        }
    }
}
