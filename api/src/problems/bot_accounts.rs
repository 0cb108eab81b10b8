//! Failures of accounts that speak.

use domain::bot_accounts::BotAccountError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<BotAccountError> for Problem {
    fn from(error: BotAccountError) -> Self {
        match error {
            BotAccountError::NotFound => Self::not_found(ErrorCode::NotFound, "no account is linked here"),
            BotAccountError::Forbidden => Self::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, error.to_string()),
            BotAccountError::OnlyWayIn => Self::conflict(ErrorCode::LastAccount, error.to_string()),
            BotAccountError::Entitlement(error) => error.into(),
            BotAccountError::Database(error) => error.into(),
        }
    }
}
