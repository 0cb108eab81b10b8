//! Coins for people who have not logged in yet.
//!
//! - [`create`]: coins wait for an account on a platform, named by its id there or, where nobody knows that, by its name.
//! - [`pay`]: whoever logs in with that account or links it gets them, in the same transaction and once.
//! - What nobody came for ends with its time, and what it says about whom goes with it ([`forget_over`]).
//!
//! A name is whose it is at that login: platforms give names that were given up to others, ids never.

mod commands;
mod error;
mod model;
mod repo;

pub use commands::{Promise, approve, create, pay, promise, promised_lately, revoke, withdraw};
pub use error::GrantError;
pub use model::{DEFAULT_DAYS, Grant, GrantStatus, MOST_DAYS, NewGrant, Payee};
pub use repo::{forget_over, list};
