//! Failures of orders about jobs.

use queue::admin::BulkError;

use crate::problem::{ErrorCode, Problem};

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::NoCondition | BulkError::State(_) => {
                Self::bad_request(ErrorCode::ValidationError, format!("filter: {error}"))
            }
            BulkError::Database(error) => error.into(),
        }
    }
}
