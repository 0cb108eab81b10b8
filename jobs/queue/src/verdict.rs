//! What a handler decides about its job.

use std::{borrow::Cow, time::Duration};

/// The answer of a handler.
pub type Outcome = Result<Verdict, JobError>;

/// The run ended as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The work is done (also when there was nothing left to do).
    Done,
    /// Not yet: run again after this long. Uses no attempt.
    Snooze(Duration),
    /// The order makes no sense any more; recorded with the reason, never run again.
    Cancel(Cow<'static, str>),
}

/// The run failed.
#[derive(Debug)]
pub enum JobError {
    /// Try again by the job's own policy.
    Retry(String),
    /// Try again after this long (the other side said so); uses an attempt.
    RetryAfter(Duration, String),
    /// Trying again cannot help: dead at once, with the reason.
    Discard(String),
    /// Another worker owns the job by now; nothing of this run was written.
    Stale,
}

impl JobError {
    /// A failure that is worth another try, with its whole chain of causes.
    pub fn retry(error: impl std::fmt::Display) -> Self {
        Self::Retry(error.to_string())
    }

    /// A failure that no further try can mend.
    pub fn discard(error: impl std::fmt::Display) -> Self {
        Self::Discard(error.to_string())
    }
}

/// A database error is transient until proven otherwise.
impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(format!("database: {error}"))
    }
}

impl From<crate::Stale> for JobError {
    fn from(_: crate::Stale) -> Self {
        Self::Stale
    }
}

impl From<crate::EnqueueError> for JobError {
    fn from(error: crate::EnqueueError) -> Self {
        Self::Retry(error.to_string())
    }
}
