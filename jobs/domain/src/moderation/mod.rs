//! What the house's moderators take out of sight on all channels.
//!
//! A file is hidden first, which can be taken back: its memes are on no list and cannot be played, and it is not served. What is
//! deleted stays hidden, and a job gives its bytes back. What is blocked on all channels is hidden, too, for as long as it is blocked.

mod commands;
mod error;
mod jobs;
mod model;
mod repo;

pub use commands::{block, delete, set_hidden, set_moderator, unblock};
pub use error::ModerationError;
pub use jobs::PurgeAsset;
pub use model::{HouseModerator, ReviewedAsset, Seen};
pub use repo::{count, find, is_moderator, list, moderators};
