//! Why a bot is silent: what must hold so that it reads and writes, as it is now.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::repo;
use crate::{
    bot_accounts::{self, Fallback},
    channels::Channel,
    entitlements::{self, Feature},
    outbox::{Provider, Status},
};

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
    /// The account that speaks there: one that is linked here, else the one that reads there or wrote last; none while nobody
    /// knows.
    pub account: Option<String>,
    /// Since when one of the processes reads this chat; none while nobody does.
    pub reads_since: Option<OffsetDateTime>,
    /// Messages that wait for their turn.
    pub waiting: i64,
    pub oldest_waiting_at: Option<OffsetDateTime>,
    /// The last message that was not sent, or of which nobody knows.
    pub last_failure: Option<Failure>,
    /// It has said something since then.
    pub heard_since: bool,
    /// What the platform does not tell us of the channel, though we asked: the platform's word for it, and why (`forbidden`,
    /// `failed`, or the platform's own word).
    pub untold: Vec<(String, String)>,
    /// Why the last thing that auto-moderation wanted done was not done; none while it is off, or does what it wants.
    pub unmoderated: Option<String>,
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

/// Looks at the channel's bot; `fallback` is whom the settings name.
///
/// # Errors
/// The database refused.
pub async fn diagnose(
    conn: &mut PgConnection,
    channel: &Channel,
    provider: Provider,
    fallback: &Fallback,
) -> Result<Diagnostics, sqlx::Error> {
    let found = repo::diagnose(&mut *conn, channel.id, provider).await?;
    let linked = bot_accounts::resolve(&mut *conn, channel, provider.into(), fallback).await?;
    let last_failure = repo::last_failure(&mut *conn, channel.id, provider).await?;
    let heard_since = match &last_failure {
        Some(failure) => repo::heard_since(&mut *conn, channel.id, provider, failure.at).await?,
        None => false,
    };
    Ok(Diagnostics {
        account: linked.map(|sender| sender.login).or(found.account),
        last_failure,
        heard_since,
        untold: repo::untold(&mut *conn, channel.id, provider).await?,
        unmoderated: repo::unmoderated(&mut *conn, channel.id, provider).await?,
        custom_bot: entitlements::has(conn, Feature::CustomBot, channel).await?,
        ..found
    })
}
