//! What a wallet is, and what its owner hears of it.

use serde::Serialize;
use uuid::Uuid;

use crate::events::{Audience, NewEvent, Stream};

/// A person's coins in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    pub id: Uuid,
    pub user_id: Uuid,
    pub channel_id: Uuid,
    /// Coins that can be spent now; never below zero.
    pub balance: i64,
    /// Entries posted so far.
    pub version: i64,
}

/// `wallet:updated`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WalletUpdated<'a> {
    user_id: Uuid,
    channel_id: Uuid,
    balance: i64,
    delta: i64,
    reason: &'a str,
    channel_slug: &'a str,
    source: &'a str,
}

/// Tells the owner, and nobody else, what has become of the wallet.
pub(crate) fn updated_event(wallet: &Wallet, slug: &str, delta: i64, reason: &str, source: &str) -> NewEvent {
    let data = WalletUpdated {
        user_id: wallet.user_id,
        channel_id: wallet.channel_id,
        balance: wallet.balance,
        delta,
        reason,
        channel_slug: slug,
        source,
    };
    NewEvent::new(Stream::User(wallet.user_id), Audience::USER, "wallet:updated", &data)
}

/// A wallet, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedWallet {
    pub id: Uuid,
    pub user_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub channel_id: Uuid,
    pub channel_slug: String,
    pub balance: i64,
}

/// A person or a channel to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub id: Uuid,
    /// Login or slug.
    pub name: String,
}
