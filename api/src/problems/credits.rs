//! Failures of credits.

use domain::credits::CreditsError;

use crate::problem::{ErrorCode, Problem};

impl From<CreditsError> for Problem {
    fn from(error: CreditsError) -> Self {
        match error {
            CreditsError::ChannelNotFound => Self::not_found(ErrorCode::ChannelNotFound, "there is no such channel"),
            CreditsError::Invalid { field, problem } => {
                Self::bad_request(ErrorCode::ValidationError, format!("{field}: {problem}"))
            }
            CreditsError::Enqueue(error) => error.into(),
            CreditsError::Database(error) => error.into(),
        }
    }
}
