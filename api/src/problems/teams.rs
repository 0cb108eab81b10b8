//! Failures of teams.

use domain::teams::TeamError;

use crate::problem::{ErrorCode, Problem};

impl From<TeamError> for Problem {
    fn from(error: TeamError) -> Self {
        match error {
            TeamError::NoSuchPerson | TeamError::NoMember => Self::not_found(ErrorCode::NotFound, error.to_string()),
            TeamError::NoTeam => Self::not_found(ErrorCode::ChannelNotFound, error.to_string()),
            TeamError::Owner | TeamError::Banned | TeamError::Full(_) => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            TeamError::Database(error) => error.into(),
        }
    }
}
