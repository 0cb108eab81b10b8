//! Failures of mails and their links.

use domain::mails::MailError;

use crate::problem::{ErrorCode, Problem};

impl From<MailError> for Problem {
    fn from(error: MailError) -> Self {
        match error {
            MailError::LinkInvalid => Self::bad_request(ErrorCode::LinkInvalid, error.to_string()),
            MailError::NoAddress | MailError::Verified | MailError::OwnAddress => {
                Self::conflict(ErrorCode::Conflict, error.to_string())
            }
            MailError::EmailTaken => Self::conflict(ErrorCode::EmailTaken, error.to_string()),
            MailError::Enqueue(error) => error.into(),
            MailError::Database(error) => error.into(),
        }
    }
}
