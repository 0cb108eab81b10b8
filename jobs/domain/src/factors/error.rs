//! Why a second factor is not set up, or not proven.

use crate::access::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error("the code is wrong or was used before")]
    Wrong,
    #[error("codes are asked for already: remove them first")]
    There,
    #[error("there is nothing to confirm: begin first")]
    NotBegun,
    #[error("the second factor's seed cannot be read: {0}")]
    Vault(#[from] VaultError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
