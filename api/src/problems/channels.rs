//! Failures of channels.

use domain::channels::ChannelError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::NotFound => Self::not_found(ErrorCode::ChannelNotFound, "there is no such channel"),
            ChannelError::Closed => Self::not_found(ErrorCode::ChannelNotFound, error.to_string()),
            ChannelError::SlugTaken(slug) => Self::conflict(ErrorCode::Conflict, format!("the slug {slug:?} is taken")),
            ChannelError::SameName(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            ChannelError::HasChannel => {
                Self::conflict(ErrorCode::Conflict, "you have a channel already: GET /me/channels")
            }
            ChannelError::Invalid { field, problem } => {
                Self::bad_request(ErrorCode::ValidationError, format!("{field}: {problem}"))
            }
            ChannelError::SubmissionsOff => {
                Self::new(StatusCode::FORBIDDEN, ErrorCode::SubmissionsDisabled, error.to_string())
            }
            ChannelError::Offline => Self::new(StatusCode::FORBIDDEN, ErrorCode::SubmissionsOffline, error.to_string()),
            ChannelError::TokenRefused => Self::unauthorized("the token is unknown or was rotated"),
            ChannelError::Database(error) => error.into(),
        }
    }
}
