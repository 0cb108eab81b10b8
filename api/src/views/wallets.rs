//! Words of wallets.

use domain::{
    activations::{Receipt, ReceiptDeed, ReceiptPlay},
    wallets::{self, Adjusted, Choice, OwnedWallet, Wallet},
};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{promotions::percent, rewards::RewardTrigger};

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
#[oai(example, rename = "Adjustment", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdjustmentWish {
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

impl From<Adjusted> for AdjustedView {
    fn from(adjusted: Adjusted) -> Self {
        Self { wallet: adjusted.wallet.into(), operation_id: adjusted.operation_id }
    }
}

/// Why coins moved.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ReceiptKind {
    /// A play was paid for.
    Place,
    /// A play was not shown, and its coins came back.
    Refund,
    /// An admin gave or took some.
    Adjust,
    /// They had waited for the first login.
    Grant,
    /// The channel thanked for a meme that was sent in, or for something done on a platform.
    Reward,
}

impl From<ReceiptKind> for wallets::Kind {
    fn from(kind: ReceiptKind) -> Self {
        match kind {
            ReceiptKind::Place => Self::Place,
            ReceiptKind::Refund => Self::Refund,
            ReceiptKind::Adjust => Self::Adjust,
            ReceiptKind::Grant => Self::Grant,
            ReceiptKind::Reward => Self::Reward,
        }
    }
}

/// What a receipt is about.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct ReceiptPlayView {
    id: Uuid,
    meme_id: Uuid,
    title: String,
    /// Coins before the discount.
    original_price: i64,
    discount_percent: f64,
}

impl From<ReceiptPlay> for ReceiptPlayView {
    fn from(play: ReceiptPlay) -> Self {
        Self {
            id: play.id,
            meme_id: play.meme_id,
            title: play.title,
            original_price: play.price,
            discount_percent: percent(play.discount_bp),
        }
    }
}

/// What somebody did on a platform, for which a channel's rules gave them coins.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ReceiptDeedView {
    trigger: RewardTrigger,
    /// Bits, gifts, viewers of a raid, months; 1 where there is nothing to count.
    amount: i64,
    /// Of a reward for channel points, as it was called then.
    reward_title: Option<String>,
}

impl From<ReceiptDeed> for ReceiptDeedView {
    fn from(deed: ReceiptDeed) -> Self {
        Self { trigger: deed.trigger.into(), amount: deed.amount, reward_title: deed.title }
    }
}

/// A movement of coins in a wallet.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ReceiptView {
    /// Names it in the ledger.
    operation_id: Uuid,
    channel_id: Uuid,
    channel_slug: String,
    kind: ReceiptKind,
    /// Coins that came (above 0) or went.
    amount: i64,
    /// Coins after it.
    balance: i64,
    /// Why they came back, as the activation says it; `by_hand` of an adjustment, `pending_grant` of a grant,
    /// `submission_approved` of a reward.
    reason: Option<String>,
    /// What the admin said of an adjustment by hand, or of a grant.
    note: Option<String>,
    /// The play that was paid for or given back.
    activation: Option<ReceiptPlayView>,
    /// What earned them, where the channel's rules gave them for something done on a platform.
    earned_by: Option<ReceiptDeedView>,
    created_at: OffsetDateTime,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        Self {
            operation_id: receipt.operation_id,
            channel_id: receipt.channel_id,
            channel_slug: receipt.channel_slug,
            kind: match receipt.kind.as_str() {
                "place" => ReceiptKind::Place,
                "refund" => ReceiptKind::Refund,
                "grant" => ReceiptKind::Grant,
                "reward" => ReceiptKind::Reward,
                // The others move no wallet.
                _ => ReceiptKind::Adjust,
            },
            amount: receipt.amount,
            balance: receipt.balance,
            reason: receipt.reason,
            note: receipt.note,
            activation: receipt.play.map(Into::into),
            earned_by: receipt.deed.map(Into::into),
            created_at: receipt.created_at,
        }
    }
}

/// A part of a wallet's story, the newest first.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ReceiptsView {
    receipts: Vec<ReceiptView>,
    /// `before` of the next page; absent on the last.
    next: Option<i64>,
}

impl ReceiptsView {
    /// `found` has one more than the page where there is more.
    pub(crate) fn new(mut found: Vec<Receipt>, limit: usize) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|receipt| receipt.version);
        Self { receipts: found.into_iter().map(Into::into).collect(), next }
    }
}

/// A wallet, and whose it is.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct OwnedWalletView {
    user_id: Uuid,
    login: String,
    display_name: String,
    channel_id: Uuid,
    channel_slug: String,
    /// Coins that can be spent now.
    balance: i64,
}

impl From<OwnedWallet> for OwnedWalletView {
    fn from(wallet: OwnedWallet) -> Self {
        Self {
            user_id: wallet.user_id,
            login: wallet.login,
            display_name: wallet.display_name,
            channel_id: wallet.channel_id,
            channel_slug: wallet.channel_slug,
            balance: wallet.balance,
        }
    }
}

/// Whom and what wallets can be looked up by.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct WalletOptionsView {
    pub(crate) users: Vec<ChoiceView>,
    pub(crate) channels: Vec<ChoiceView>,
}

/// A person or a channel.
#[derive(Debug, Object)]
pub(crate) struct ChoiceView {
    id: Uuid,
    /// Login or slug.
    name: String,
}

impl From<Choice> for ChoiceView {
    fn from(Choice { id, name }: Choice) -> Self {
        Self { id, name }
    }
}
