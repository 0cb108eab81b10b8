//! Which account speaks in a chat.
//!
//! A platform has one for all channels, linked by an admin; a channel with the entitlement `custom_bot` may link one of its
//! own, which goes before it while the entitlement lasts. Accounts are those of [`crate::identities`], with their tokens.
//! [`resolve`] says who speaks now: an account that must be linked again, or may not write, is passed over.

mod commands;
mod error;
mod model;
mod repo;

pub use commands::{moderators, remove, resolve, seat};
pub use error::BotAccountError;
pub use model::{Fallback, Seated, Sender};
pub use repo::{find, logins, seats_of};
