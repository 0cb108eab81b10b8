//! Failures of timers.

use domain::timers::TimerError;

use crate::problem::{ErrorCode, Problem};

impl From<TimerError> for Problem {
    fn from(error: TimerError) -> Self {
        match error {
            TimerError::NotFound => Self::not_found(ErrorCode::NotFound, error.to_string()),
            TimerError::Invalid { .. } => Self::bad_request(ErrorCode::ValidationError, error.to_string()),
            TimerError::TooMany => Self::conflict(ErrorCode::Conflict, error.to_string()),
            // Only what says timers puts anything into the outbox.
            TimerError::Outbox(error) => Self::internal(error),
            TimerError::Database(error) => error.into(),
        }
    }
}
