//! A channel's team: who besides the owner may act on it, and how far.

mod commands;
mod error;
mod model;
mod repo;

pub use commands::{leave, put, remove};
pub use error::TeamError;
pub use model::{Member, Place, TeamRole};
pub use repo::{channels_of, disband, list, role_of};
