use crate::entitlements::EntitlementError;

/// Why an account cannot be given a seat, or has none.
#[derive(Debug, thiserror::Error)]
pub enum BotAccountError {
    #[error("there is no such seat")]
    NotFound,
    /// The seat is not the person's to give.
    #[error("this is not yours to decide")]
    Forbidden,
    /// The person could not log in any more.
    #[error(
        "nobody logs in with the account for all channels, and it is your only way in: link another one or set a password first"
    )]
    OnlyWayIn,
    #[error(transparent)]
    Entitlement(#[from] EntitlementError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
