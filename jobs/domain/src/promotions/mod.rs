//! Promotions: for a time, what a channel offers costs less. Of those that run the largest discount counts, once; one that
//! is used up makes way for the next.
//!
//! Uses are counted where they are: plays that were not given back, so a refund gives its use back too. Whoever places a
//! play under a limit holds the promotion's row until the end of the transaction, and so knows the number.

mod commands;
mod error;
mod model;
mod price;
mod repo;

pub use commands::{change, create, delete};
pub use error::PromotionError;
pub use model::{Change, MAX_NAME, MAX_PROMOTIONS, MAX_USES, NewPromotion, Promotion};
pub use price::{BASIS_POINTS, final_price};
pub use repo::{best_running, find, list};

pub(crate) use repo::lock;
