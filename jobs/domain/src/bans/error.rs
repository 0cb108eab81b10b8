//! Why nobody is kept off a channel, or why somebody is.

use super::model::MAX_REASON;

#[derive(Debug, thiserror::Error)]
pub enum BanError {
    #[error("there is nobody with this id, or the channel does not keep this person off")]
    NoSuchPerson,
    #[error("the channel is this person's own")]
    Owner,
    #[error("this person is in the channel's team: take them out of it first")]
    InTeam,
    #[error("a reason has at most {MAX_REASON} characters")]
    Reason,
    #[error("the channel keeps {0} people off, which is as many as there may be")]
    TooMany(i64),
    #[error("the channel's team has banned you from its memes")]
    Banned,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
