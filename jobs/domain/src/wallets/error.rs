//! What can be wrong with a wish about coins.

use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    #[error("the wallet holds {balance} coins, {needed} are needed")]
    Insufficient { balance: i64, needed: i64 },
    #[error("an operation moves 1 to 1000000000000 coins, not {0}")]
    Amount(i64),
    #[error("a reason of 1 to 200 characters is needed")]
    Reason,
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("the operation {0} was posted before")]
    AlreadyPosted(String),
    #[error("wallet {0} was posted to without being locked")]
    NotLocked(Uuid),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
