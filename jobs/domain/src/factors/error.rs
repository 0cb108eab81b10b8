//! Why a second factor is not set up, or not proven.

use crate::{access::VaultError, mails::MailError};

#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error("the code is wrong or was used before")]
    Wrong,
    #[error("codes are asked for already: remove them first")]
    There,
    #[error("there is nothing to confirm: begin first")]
    NotBegun,
    #[error("no codes are asked for")]
    NotAsked,
    #[error(
        "codes of the app cannot be checked here any more: use a recovery code, or ask an admin to switch the codes off"
    )]
    Unreadable(#[source] VaultError),
    #[error("the second factor's seed cannot be sealed: {0}")]
    Seal(#[source] VaultError),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
