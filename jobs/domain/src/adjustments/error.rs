//! Why a large adjustment is not made.

use super::AdjustmentStatus;
use crate::wallets::WalletError;

#[derive(Debug, thiserror::Error)]
pub enum AdjustmentError {
    #[error("there is no such adjustment")]
    NotFound,
    #[error("the adjustment is {0} already")]
    Over(AdjustmentStatus),
    #[error("another admin must agree, not the one who asked")]
    Own,
    #[error("whoever asked is no admin any more: refuse it")]
    NoAdmin,
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
