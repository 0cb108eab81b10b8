//! Why a platform does not say who came.

use domain::identities::RenewError;

/// What is said here is for the log: it holds no secret, but nobody outside needs it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The platform is not configured: the first setting that is missing.
    #[error("{0} is not set")]
    NotConfigured(&'static str),
    /// The person said no.
    #[error("the person refused")]
    Denied,
    /// The platform refused, or what it says proves nothing.
    #[error("{0}")]
    Refused(String),
    /// The person has an account there, but not what we need of it: a YouTube channel.
    #[error("the person has no channel there")]
    NoChannel,
    /// The platform could not be reached, or did not answer in its own words.
    #[error("{0}")]
    Unavailable(String),
}

impl IdentityError {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable(why.into())
    }
}

impl From<IdentityError> for RenewError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Refused(why) => Self::Refused(why),
            // A setting may come back, and with it the token is good still.
            error => Self::Unavailable(error.to_string()),
        }
    }
}
