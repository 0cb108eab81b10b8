//! Who did what to people, to channels and to what belongs to them, and what it changed.
//!
//! Whoever acts with a right that not everybody has is written down ([`note`]) in the transaction that does it, as is
//! whoever changes how they log in. What is done to jobs by hand stands in the queue's own log (`queue::admin`).

mod model;
mod repo;

pub use model::{Act, Actor, By, Filter, Noted, names, reason};
pub use repo::{last_reason, last_reasons, list, note};
