//! Why a feature cannot be used, given or taken.

use super::Feature;

#[derive(Debug, thiserror::Error)]
pub enum EntitlementError {
    #[error("this needs the entitlement {0}")]
    Missing(Feature),
    #[error("there is no such {0}")]
    NoHolder(&'static str),
    #[error("it has no such entitlement")]
    NotFound,
    #[error("expiresAt: a time to come")]
    Past,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
