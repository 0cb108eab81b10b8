//! What can be wrong with a timer.

use super::MAX_TIMERS;
use crate::outbox::OutboxError;

#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    #[error("the channel has no such timer")]
    NotFound,
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error("a channel has at most {MAX_TIMERS} timers: delete one first")]
    TooMany,
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
