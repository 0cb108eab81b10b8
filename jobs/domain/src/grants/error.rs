//! Why coins cannot wait for somebody.

use super::{GrantStatus, MOST_DAYS};
use crate::wallets::WalletError;

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("there is no such grant")]
    NotFound,
    #[error("there is no such channel")]
    NoChannel,
    #[error("providerUserId or login: one of the two, of 1 to 255 characters")]
    Payee,
    #[error("{0}: no account on this platform can have it: look for characters that are not what they seem")]
    Name(&'static str),
    #[error("amount: 1 to 1000000000000 coins")]
    Amount,
    #[error("expiresInDays: 1 to {MOST_DAYS}")]
    Days,
    #[error("the grant is {0} already")]
    Over(GrantStatus),
    #[error("another admin must agree, not the one who asked")]
    Own,
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
