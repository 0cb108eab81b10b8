//! Commands: what the bots of a channel answer.
//!
//! A command is called by a message that begins with its trigger or with one of its aliases, or, if it is a keyword, that has
//! it anywhere in it. Of several the one with the longest words answers. Who is answered and how often is the streamer's to
//! say; the cooldowns are kept by the database's clock under the command's row lock, so that they hold over all processes.
//!
//! One more command is there from the start: it tells for how long the stream runs ([`DurationSettings`]).
//!
//! [`answers`] is the one place for all platforms.

mod access;
mod answering;
mod commands;
mod duration;
mod error;
mod matching;
mod model;
mod repo;

pub use answering::{Answer, answers};
pub use commands::{change, create, delete, drop_counter, ensure, set_counter};
pub use duration::{DurationChange, DurationSettings, change_duration, duration};
pub use error::CommandError;
pub use model::{
    Change, ChatCommand, Counter, MAX_ALIASES, MAX_ALLOWED, MAX_COMMANDS, MAX_COOLDOWN, MAX_COUNTERS, MAX_ROLE_ID,
    MAX_TRIGGER, Matching, NewCommand, Role,
};
pub use repo::{counter, counters, find, forget_uses, list};
