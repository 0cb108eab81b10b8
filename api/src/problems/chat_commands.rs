//! Failures of commands.

use domain::chat_commands::CommandError;

use crate::problem::{ErrorCode, Problem};

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound | CommandError::NoCounter => Self::not_found(ErrorCode::NotFound, error.to_string()),
            CommandError::Invalid { .. } | CommandError::Empty => {
                Self::bad_request(ErrorCode::ValidationError, error.to_string())
            }
            CommandError::Taken(_) | CommandError::TooMany | CommandError::TooManyCounters => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            CommandError::Database(error) => error.into(),
        }
    }
}
