use crate::wallets::WalletError;

/// Why a rule is refused, or coins cannot be earned.
#[derive(Debug, thiserror::Error)]
pub enum RewardError {
    #[error("there is no such rule")]
    NotFound,
    #[error("the channel has a rule for this already")]
    Taken,
    #[error("a channel has at most {0} rules")]
    TooMany(i64),
    #[error("{field}: {allowed}")]
    Invalid { field: &'static str, allowed: &'static str },
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
