//! Coins for what viewers do on platforms: redemptions, follows, subscriptions, cheers, raids.
//!
//! - A channel's [`Rule`]s say what earns how much ([`create`], [`change`], [`delete`]). Of several that fit, the one for this
//!   very reward counts.
//! - [`earn`] takes what happened, once for each event whatever is told how often and in which order: the coins are paid, or
//!   wait for the person's first login ([`crate::grants`]), and stand in the ledger.
//!   What a chat and a webhook both tell counts once, too: an event that the other one has told within minutes is the same.
//! - [`take_back`]: the streamer has given a redemption back, so its coins go back as far as there are any.
//!
//! Nothing is earned by the channel's owner, nor by who is banned here.

mod commands;
mod earn;
mod error;
mod model;
mod repo;

pub use commands::{MAX_RULES, change, create, delete};
pub use earn::{earn, take_back};
pub use error::RewardError;
pub use model::{Change, Earned, Happening, NewRule, Rule, Status, ToldBy, Trigger};
pub use repo::{find, happenings, list};
