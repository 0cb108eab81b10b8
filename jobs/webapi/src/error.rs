//! Why a platform gives no answer.

use std::time::Duration;

use domain::identities::TokenError;
use identity::IdentityError;

/// Texts are for the log and for `lastError`: they hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The platform is not set up here: the first setting that is missing.
    #[error("{0} is not set")]
    NotConfigured(&'static str),
    /// The account's person must link it again.
    #[error("the account must be linked again: {0}")]
    Relink(String),
    /// 401 with a token that is new, or 403: what is asked for was not granted.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// 400, 404 and others: asking again would change nothing.
    #[error("refused ({status}): {why}")]
    Refused {
        status: u16,
        /// The platform's own word for it, where it has one.
        code: Option<String>,
        why: String,
    },
    /// 429, or what the platform says instead, with the time that it names.
    #[error("asked too often")]
    Limited(Option<Duration>),
    /// Nothing has arrived there, or it said that it does nothing now: the same may be asked again.
    #[error("not available: {0}")]
    Unavailable(String),
    /// It has arrived, or may have, and nobody knows what came of it.
    #[error("no word of what came of it: {0}")]
    Doubtful(String),
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotConfigured(setting) => Self::NotConfigured(setting),
            IdentityError::Refused(why) => Self::Forbidden(why),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotFound => Self::Relink("it is not linked here any more".to_owned()),
            TokenError::Relink(why) => Self::Relink(why),
            TokenError::Vault(error) => Self::Forbidden(format!("the tokens: {error}")),
            TokenError::Unavailable(why) => Self::Unavailable(why),
            TokenError::Database(error) => Self::Unavailable(format!("database: {error}")),
        }
    }
}
