//! Failures of logins with other platforms.

use domain::identities::IdentityError;
use poem::http::StatusCode;

use crate::problem::{ErrorCode, Problem};

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NoSuchFlow => state_mismatch(),
            IdentityError::AlreadyLinked => Self::conflict(
                ErrorCode::AccountAlreadyLinked,
                "this account belongs to somebody else here: log in with it, and unlink it there first",
            ),
            IdentityError::NotFound => Self::not_found(ErrorCode::NotFound, "you have no such account"),
            IdentityError::Forgotten => Self::unauthorized("the session's account is gone"),
            IdentityError::LastAccount => Self::conflict(
                ErrorCode::LastAccount,
                "without this account you could never log in again: link another one first",
            ),
            IdentityError::Enqueue(error) => error.into(),
            IdentityError::Vault(error) => Self::internal(error),
            IdentityError::Database(error) => error.into(),
        }
    }
}

/// What the platform did not say, or should not have.
impl From<identity::IdentityError> for Problem {
    fn from(error: identity::IdentityError) -> Self {
        use identity::IdentityError as E;
        match error {
            E::NotConfigured(setting) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::OauthNotConfigured,
                format!("this platform is not set up here: {setting} is not set"),
            )
            .with("setting", setting),
            E::Denied => Self::bad_request(ErrorCode::OauthFailed, "the login was refused at the platform"),
            E::Refused(why) => {
                tracing::warn!(why, "a login with a platform failed");
                Self::bad_request(ErrorCode::OauthFailed, "the platform does not confirm this login: begin anew")
            }
            E::NoChannel => Self::bad_request(
                ErrorCode::YoutubeChannelRequired,
                "this account has no YouTube channel: make one first",
            ),
            E::Unavailable(why) => {
                tracing::warn!(why, "a platform is not available");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    ErrorCode::OauthUnavailable,
                    "the platform does not answer as it should: begin anew in a while",
                )
            }
        }
    }
}

/// Why exactly is not told: who forges states learns nothing.
pub(crate) fn state_mismatch() -> Problem {
    Problem::bad_request(
        ErrorCode::OauthStateMismatch,
        "no login is under way with this state in this browser, or it took longer than ten minutes: begin anew",
    )
}
