//! Failures of requests that may be repeated.

use domain::requests::RequestError;

use crate::problem::{ErrorCode, Problem};

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::InFlight => {
                let detail = "a request with this Idempotency-Key is still being worked on, ask again";
                Self::conflict(ErrorCode::RequestInFlight, detail).again_after(1)
            }
            RequestError::Database(error) => error.into(),
        }
    }
}
