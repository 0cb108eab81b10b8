//! Words of wallets.

use domain::wallets::Wallet;
use poem_openapi::Object;
use uuid::Uuid;

/// A person's coins in one channel.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct WalletView {
    user_id: Uuid,
    channel_id: Uuid,
    /// Coins that can be spent now.
    balance: i64,
}

impl WalletView {
    /// The wallet of somebody who never had a coin here.
    pub(crate) fn empty(user_id: Uuid, channel_id: Uuid) -> Self {
        Self { user_id, channel_id, balance: 0 }
    }
}

impl From<Wallet> for WalletView {
    fn from(wallet: Wallet) -> Self {
        Self { user_id: wallet.user_id, channel_id: wallet.channel_id, balance: wallet.balance }
    }
}

/// An adjustment by hand.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Adjustment {
    /// Coins to give (above 0) or to take (below 0).
    pub(crate) delta: i64,
    /// Why, 1 to 200 characters; the person and `/owner/audit` are told.
    pub(crate) reason: String,
}

/// What an adjustment did.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct AdjustedView {
    pub(crate) wallet: WalletView,
    /// Names the operation in the ledger.
    pub(crate) operation_id: Uuid,
}
