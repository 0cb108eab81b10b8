//! Why the work on a file ended without a result.

use std::{fmt, io, time::Duration};

use domain::submissions::Failure;

use crate::policy::Refusal;

/// The end of the work, for now or for good.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file is bad: no further try will find it better.
    Refused(Refusal),
    /// Something of ours failed. `failure` is what the sender is told when no try is left.
    Ours { failure: Failure, cause: String },
    /// The worker stops: another one begins anew.
    Cancelled,
}

impl Stop {
    pub(crate) fn ours(what: &str, error: impl fmt::Display) -> Self {
        Self::Ours { failure: Failure::UploadFailed, cause: format!("{what}: {error}") }
    }

    pub(crate) fn storage(error: io::Error) -> Self {
        Self::ours("storage", error)
    }

    /// Not the file's fault beyond doubt: the machine may be busy.
    pub(crate) fn overran(what: &str, limit: Duration) -> Self {
        Self::Ours {
            failure: Failure::UploadTimeout,
            cause: format!("{what} took more than {} s", limit.as_secs_f64()),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
