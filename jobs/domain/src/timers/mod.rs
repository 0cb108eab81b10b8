//! Timers: what the bots of a channel say from time to time, as long as somebody talks there.
//!
//! A timer knows when it is looked at next. [`SayTimers`] comes every few seconds, takes those that are due under their row
//! locks, and says the next message of each in all chats where the channel's bot is on: once for each due time, over all
//! processes. What cannot be said now, because too few have talked, is looked at again soon; what must not be said now,
//! because there is no stream, after its interval.

mod commands;
mod error;
mod jobs;
mod model;
mod repo;

pub use commands::{change, create, delete, say_due};
pub use error::TimerError;
pub use jobs::SayTimers;
pub use model::{Change, INTERVALS, MAX_LINES, MAX_MESSAGES, MAX_TIMERS, NewTimer, Timer};
pub use repo::{find, list};
