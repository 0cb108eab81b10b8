//! Failures of bans from channels.

use domain::bans::BanError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<BanError> for Problem {
    fn from(error: BanError) -> Self {
        match error {
            BanError::NoSuchPerson => Self::not_found(ErrorCode::NotFound, error.to_string()),
            BanError::Owner | BanError::InTeam | BanError::TooMany(_) => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            BanError::Reason => Self::bad_request(ErrorCode::ValidationError, format!("reason: {error}")),
            BanError::Banned => banned(error.to_string()),
            BanError::Database(error) => error.into(),
        }
    }
}

/// 403 for somebody whom the channel's team keeps off.
pub(super) fn banned(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, ErrorCode::BannedFromChannel, detail)
}
