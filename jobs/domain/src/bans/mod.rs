//! Whom a channel's team keeps off its memes.

mod commands;
mod error;
mod model;
mod repo;

pub use commands::{put, refuse, remove};
pub use error::BanError;
pub use model::Ban;
pub use repo::{count, list};

pub(crate) use repo::is_banned;
