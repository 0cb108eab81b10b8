//! Wallets and the ledger: coins of a person in a channel.
//!
//! Every movement is an operation with two entries that sum to zero; the ledger is append-only and an operation happens
//! at most once under its key. Only wallets carry a balance, which is what can be spent now; escrow, sink and issuer are
//! sums over entries.
//!
//! # The order of locks (the house's one list)
//! idempotency keys, channel, person, lane, activation, promotions, memes, wallets by id, job rows, event streams by key. Whoever needs several takes them in
//! this order, so nobody waits in a ring.

mod commands;
mod error;
mod model;
mod movements;
mod repo;

pub use commands::{Adjusted, Adjustment, adjust};
pub use error::WalletError;
pub use model::{Choice, OwnedWallet, Wallet};
pub use movements::{Account, Kind, Locked, Movement, post};
pub use repo::{
    audit, find, list_of_user,
    listed::{channels, list, people},
    lock_all,
};

pub(crate) use commands::{Issue, check_reason, issue};
pub(crate) use model::updated_event;
pub(crate) use repo::{ensure, issued, moved_by_hand};
