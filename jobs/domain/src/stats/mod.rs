//! Statistics: what channels have shown, to whom, and what was spent on it.
//!
//! A periodic job adds up what has been shown since it last looked; each play is marked in the transaction that counts it, so
//! it counts once. Refunds are of plays that were not shown, and do not count at all.

mod jobs;
mod model;
mod repo;

pub use jobs::RollUpPlays;
pub use model::{Day, MemeSum, Span, ViewerSum};
pub use repo::{days, memes, roll_up, today, viewers};
