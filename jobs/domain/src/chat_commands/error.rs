//! What can be wrong with a command.

use super::{MAX_COMMANDS, MAX_COUNTERS};

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("the channel has no such command")]
    NotFound,
    #[error("the channel has no such counter")]
    NoCounter,
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    /// A patch without anything in it.
    #[error("nothing is to be changed: name at least one field")]
    Empty,
    #[error("another command of the channel is called by {0:?} already")]
    Taken(String),
    #[error("a channel has at most {MAX_COMMANDS} commands: delete one first")]
    TooMany,
    #[error("a channel has at most {MAX_COUNTERS} counters: delete one first")]
    TooManyCounters,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
