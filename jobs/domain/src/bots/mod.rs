//! Chat bots as the streamer sees them: a switch for each platform, commands, and "say this".
//!
//! A bot listens in a channel while its integration is enabled. Turning one on or off wakes the processes that read
//! chats ([`SESSIONS_TOPIC`]); they compare what is wanted with what runs.

mod commands;
mod error;
mod model;
mod repo;

pub use commands::{SESSIONS_TOPIC, answers, say, set_twitch};
pub use error::BotError;
pub use model::{Answer, Asked, Integration};
pub use repo::{enabled, list};
