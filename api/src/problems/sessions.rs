//! Failures of sessions.

use domain::sessions::SessionError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NoSuchUser => Self::unauthorized("the session's account is gone"),
            SessionError::Banned(ref reason) => {
                let problem = Self::new(StatusCode::FORBIDDEN, ErrorCode::AccountBanned, error.to_string());
                match reason.clone() {
                    Some(reason) => problem.with("reason", reason),
                    None => problem,
                }
            }
            SessionError::Erased => Self::new(StatusCode::FORBIDDEN, ErrorCode::AccountDeleted, error.to_string()),
            SessionError::Database(error) => error.into(),
        }
    }
}
