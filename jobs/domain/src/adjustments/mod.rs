//! Adjustments of wallets by hand that are too large for one admin: another one agrees or does not.
//!
//! [`ask`] makes a small one at once. What one admin moves in one wallet within a day counts together, with coins that they let
//! wait for its person ([`grants`](crate::grants)), so that many small ones are a large one. [`approve`] and [`refuse`] decide about those that wait; after [`PATIENCE_DAYS`] nobody can agree any more.

mod commands;
mod error;
mod jobs;
mod model;
mod repo;

pub use commands::{approve, ask, refuse};
pub use error::AdjustmentError;
pub use jobs::ForgetPendingCoins;
pub use model::{AdjustmentStatus, Asked, PATIENCE_DAYS, PendingAdjustment};
pub use repo::{forget_over, list};
