//! Failures of sessions.

use domain::sessions::SessionError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NoSuchUser => Self::unauthorized("the session's account is gone"),
            SessionError::Banned(_) => Self::new(StatusCode::FORBIDDEN, ErrorCode::AccountBanned, error.to_string()),
            SessionError::Erased => Self::new(StatusCode::FORBIDDEN, ErrorCode::AccountDeleted, error.to_string()),
            SessionError::Database(error) => error.into(),
        }
    }
}
