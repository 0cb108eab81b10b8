//! Chat bots as the streamer sees them: a switch for each platform, "say this", and greetings
//! of those who follow.
//!
//! A bot listens in a channel while its integration is enabled. Turning one on or off wakes the processes that read
//! chats ([`sessions_topic`]); they compare what is wanted with what runs.

mod commands;
mod diagnostics;
mod error;
mod greetings;
mod model;
mod repo;

pub use commands::{let_go, say, sessions_topic, switch};
pub use diagnostics::{Diagnostics, Failure, diagnose};
pub use error::BotError;
pub use greetings::{Greetings, change_greetings, greet, greetings};
pub use model::{Found, Integration};
pub use repo::{enabled, list};
