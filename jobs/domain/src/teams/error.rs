//! Why nothing is done about a team.

#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    #[error("there is nobody with this login")]
    NoSuchPerson,
    #[error("nobody with this login is in the team")]
    NoMember,
    #[error("there is no such channel, or you are not in its team")]
    NoTeam,
    #[error("the channel is this person's own")]
    Owner,
    #[error("this person is banned")]
    Banned,
    #[error("the team has {0} people, which is as many as there may be")]
    Full(i64),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
