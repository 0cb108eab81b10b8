//! What platforms tell us by themselves, over HTTP.
//!
//! [`receive`] keeps the bytes and orders their understanding in one transaction, once for each message id; only then is the
//! platform told that we have them. The job [`UnderstandWebhook`] (pool `chat`) turns them into what happened. What nobody
//! understands is put aside alone, with its bytes ([`fail`]). [`trim`] forgets. Lines of chats that tell the same things go the same
//! way ([`keep`]).
//!
//! - [`signature`]: how a platform proves that it is it.

mod commands;
mod jobs;
mod model;
mod repo;
pub mod signature;

pub use commands::{WINDOW, fail, is_timely, keep, receive, understood};
pub use jobs::UnderstandWebhook;
pub use model::{Delivery, Kind, NewDelivery, Receipt};
pub use repo::{find, trim};
