//! Movements of coins: the only code that writes the ledger.

mod post;

use std::collections::HashMap;

pub use post::post;
use uuid::Uuid;

use super::{Wallet, WalletError};

/// Where coins are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Spendable, by wallet id.
    Wallet(Uuid),
    /// Paid for a meme that has not ended.
    Escrow,
    /// Spent.
    Sink,
    /// Where the channel's coins come from and go back to.
    Issuer,
}

impl Account {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Wallet(_) => "wallet",
            Self::Escrow => "escrow",
            Self::Sink => "sink",
            Self::Issuer => "issuer",
        }
    }

    const fn wallet(self) -> Option<Uuid> {
        match self {
            Self::Wallet(id) => Some(id),
            _ => None,
        }
    }
}

/// What a movement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Wallet to escrow: a viewer pays.
    Place,
    /// A play that costs nothing: an operation without entries.
    Free,
    /// Escrow to sink: the meme was shown.
    Capture,
    /// Escrow to wallet: it was not.
    Refund,
    /// Issuer to wallet or back, by hand.
    Adjust,
    /// Issuer to wallet: coins that waited for the person's first login.
    Grant,
    /// Issuer to wallet: the channel took a meme that the person sent in.
    Reward,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Free => "free",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Adjust => "adjust",
            Self::Grant => "grant",
            Self::Reward => "reward",
        }
    }
}

/// Coins that go from one account to another.
#[derive(Debug, Clone)]
pub struct Movement {
    /// Of the operation.
    pub id: Uuid,
    pub kind: Kind,
    /// Unique for ever, e.g. `activation:<id>:settle`.
    pub key: String,
    pub channel_id: Uuid,
    pub actor_id: Option<Uuid>,
    /// A fixed word: it stays for ever.
    pub reason: Option<String>,
    /// The operation that this one takes back.
    pub reverses: Option<Uuid>,
    pub from: Account,
    pub to: Account,
    /// Coins, 0 only for [`Kind::Free`].
    pub amount: i64,
}

/// Wallets whose rows the caller's transaction has locked; [`post`] keeps them as they are after each movement.
#[derive(Debug, Default)]
pub struct Locked {
    wallets: HashMap<Uuid, Wallet>,
    by_owner: HashMap<(Uuid, Uuid), Uuid>,
}

impl Locked {
    pub(super) fn new(wallets: Vec<Wallet>) -> Self {
        let by_owner = wallets.iter().map(|wallet| ((wallet.user_id, wallet.channel_id), wallet.id)).collect();
        Self { wallets: wallets.into_iter().map(|wallet| (wallet.id, wallet)).collect(), by_owner }
    }

    /// The person's wallet in the channel, if there is one.
    #[must_use]
    pub fn of(&self, user: Uuid, channel: Uuid) -> Option<&Wallet> {
        self.wallets.get(self.by_owner.get(&(user, channel))?)
    }

    /// Applies one side of a movement: the balance after it and the entry's version.
    fn apply(&mut self, id: Uuid, delta: i64) -> Result<(i64, i64), WalletError> {
        let wallet = self.wallets.get_mut(&id).ok_or(WalletError::NotLocked(id))?;
        let refused = WalletError::Insufficient { balance: wallet.balance, needed: delta.saturating_neg() };
        let balance = wallet.balance.checked_add(delta).filter(|balance| *balance >= 0).ok_or(refused)?;
        wallet.balance = balance;
        wallet.version += 1;
        Ok((balance, wallet.version))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_balance_is_the_sum_of_what_was_not_refused_and_never_below_zero(deltas in prop::collection::vec(-1000_i64..1000, 0..60)) {
            let (user, channel) = (Uuid::now_v7(), Uuid::now_v7());
            let id = Uuid::now_v7();
            let mut locked = Locked::new(vec![Wallet { id, user_id: user, channel_id: channel, balance: 0, version: 0 }]);
            let (mut sum, mut entries) = (0, 0);
            for delta in deltas {
                match locked.apply(id, delta) {
                    Ok((balance, version)) => {
                        (sum, entries) = (sum + delta, entries + 1);
                        prop_assert_eq!((balance, version), (sum, entries));
                    }
                    Err(_) => prop_assert!(sum + delta < 0),
                }
                let wallet = locked.of(user, channel).unwrap();
                prop_assert_eq!((wallet.balance, wallet.version), (sum, entries));
                prop_assert!(wallet.balance >= 0);
            }
        }
    }
}
