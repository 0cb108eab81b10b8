//! Failures of submissions and their files.

use domain::{
    media::Unwelcome,
    submissions::{Failure, SubmissionError},
};
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<SubmissionError> for Problem {
    fn from(error: SubmissionError) -> Self {
        match error {
            SubmissionError::InvalidTitle => Self::bad_request(ErrorCode::InvalidTitle, format!("title: {error}")),
            SubmissionError::InvalidNotes => Self::bad_request(ErrorCode::ValidationError, format!("notes: {error}")),
            SubmissionError::InvalidTags => Self::bad_request(ErrorCode::ValidationError, format!("tags: {error}")),
            SubmissionError::InvalidDuration => {
                Self::bad_request(ErrorCode::ValidationError, format!("durationMs: {error}"))
            }
            SubmissionError::InvalidNote => Self::bad_request(ErrorCode::ValidationError, format!("note: {error}")),
            SubmissionError::Blocked => {
                Self::new(StatusCode::FORBIDDEN, ErrorCode::ContentBlocked, format!("file: {error}"))
            }
            SubmissionError::NoSuchMeme => Self::not_found(ErrorCode::MemeNotFound, error.to_string()),
            SubmissionError::NotPooled => Self::not_found(ErrorCode::MemeAssetNotFound, error.to_string()),
            SubmissionError::AlreadyThere => Self::conflict(ErrorCode::AlreadyInChannel, error.to_string()),
            SubmissionError::NoSuchBlock => Self::not_found(ErrorCode::NotFound, error.to_string()),
            SubmissionError::TooManyBlocked(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            SubmissionError::NoSuchPerson => Self::not_found(ErrorCode::NotFound, error.to_string()),
            SubmissionError::TooManyTrusted(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            SubmissionError::NotFound => Self::not_found(ErrorCode::SubmissionNotFound, error.to_string()),
            SubmissionError::NotPending(status) => Self::conflict(ErrorCode::SubmissionNotPending, error.to_string())
                .with("submissionStatus", status.as_str()),
            SubmissionError::StillWorking
            | SubmissionError::NoChangesWanted(_)
            | SubmissionError::SentInTooOften(_) => Self::conflict(ErrorCode::Conflict, error.to_string()),
            SubmissionError::Hidden => Self::conflict(ErrorCode::AssetPurgedOrQuarantined, error.to_string()),
            SubmissionError::Moved => Self::conflict(ErrorCode::Conflict, error.to_string()),
            SubmissionError::Meme(error) => error.into(),
            SubmissionError::Wallet(error) => error.into(),
            SubmissionError::Enqueue(error) => error.into(),
            SubmissionError::Database(error) => error.into(),
            error @ SubmissionError::Media(_) => Self::internal(error),
        }
    }
}

impl From<Unwelcome> for Problem {
    fn from(unwelcome: Unwelcome) -> Self {
        let code = match unwelcome {
            Unwelcome::FileType => ErrorCode::InvalidFileType,
            Unwelcome::MediaType => ErrorCode::InvalidMediaType,
            Unwelcome::Content => ErrorCode::InvalidFileContent,
        };
        Self::bad_request(code, format!("file: {unwelcome}"))
    }
}

impl Problem {
    /// What the jobs found wrong with a file.
    pub(crate) fn from_failure(failure: Failure, detail: impl Into<String>) -> Self {
        let (status, code) = match failure {
            Failure::InvalidFileContent => (StatusCode::BAD_REQUEST, ErrorCode::InvalidFileContent),
            Failure::ContentBlocked => (StatusCode::FORBIDDEN, ErrorCode::ContentBlocked),
            Failure::VideoTooLong => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::VideoTooLong),
            Failure::UploadTimeout => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::UploadTimeout),
            Failure::UploadFailed => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::UploadFailed),
            Failure::FileTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::FileTooLarge),
            Failure::InvalidMediaUrl => (StatusCode::BAD_REQUEST, ErrorCode::InvalidMediaUrl),
            Failure::MediaNotAvailable => (StatusCode::NOT_FOUND, ErrorCode::MediaNotAvailable),
        };
        Self::new(status, code, detail)
    }
}
