//! Why a bot is silent: what must hold so that it reads and writes, as it is now.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::repo;
use crate::outbox::{Provider, Status};

/// What is known of the channel's bot on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    pub provider: Provider,
    /// The streamer has switched it on.
    pub enabled: bool,
    /// The channel's login there; none while it is linked to nothing.
    pub channel_login: Option<String>,
    /// Processes that read chats of the platform now.
    pub readers: i64,
    /// The account that reads there, or the one that wrote last; none while nobody knows.
    pub account: Option<String>,
    /// Since when one of the processes reads this chat; none while nobody does.
    pub reads_since: Option<OffsetDateTime>,
    /// Messages that wait for their turn.
    pub waiting: i64,
    pub oldest_waiting_at: Option<OffsetDateTime>,
    /// The last message that was not sent, or of which nobody knows.
    pub last_failure: Option<Failure>,
    /// The channel may use a bot account of its own.
    pub custom_bot: bool,
}

/// A message that was not sent, or of which nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub id: Uuid,
    pub status: Status,
    pub reason: Option<String>,
    pub at: OffsetDateTime,
}

/// Looks at the channel's bot.
///
/// # Errors
/// The database refused.
pub async fn diagnose(conn: &mut PgConnection, channel: Uuid, provider: Provider) -> Result<Diagnostics, sqlx::Error> {
    let last_failure = repo::last_failure(&mut *conn, channel, provider).await?;
    let found = repo::diagnose(conn, channel, provider).await?;
    Ok(Diagnostics { last_failure, ..found })
}
