//! The steps of a message.

use std::time::Duration;

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{OutboxError, OutboxMessage, Provider, SendChatMessage, Source, Status, Text, budget, repo};

/// Makes the message and its job in the caller's transaction.
///
/// # Errors
/// The text is empty or does not fit into one message; the database refused.
pub async fn put(
    tx: &mut Tx,
    channel_id: Uuid,
    provider: Provider,
    source: Source,
    text: &Text,
) -> Result<OutboxMessage, OutboxError> {
    // Without a key there is nothing that it could repeat.
    insert(tx, channel_id, provider, source, text, None).await?.ok_or(OutboxError::Database(sqlx::Error::RowNotFound))
}

/// [`put`] of what nobody has asked for by hand: once for each `about`, and only while not too many of its kind wait
/// ([`Source::most_waiting`]). None: it was there, or there is no room.
///
/// # Errors
/// The database refused.
pub async fn put_once(
    tx: &mut Tx,
    channel_id: Uuid,
    provider: Provider,
    source: Source,
    text: &Text,
    about: &str,
) -> Result<Option<OutboxMessage>, OutboxError> {
    if let Some(most) = source.most_waiting()
        && repo::pending(&mut *tx, channel_id, provider, Some(source)).await? >= most
    {
        return Ok(None);
    }
    insert(tx, channel_id, provider, source, text, Some(about)).await
}

async fn insert(
    tx: &mut Tx,
    channel_id: Uuid,
    provider: Provider,
    source: Source,
    text: &Text,
    about: Option<&str>,
) -> Result<Option<OutboxMessage>, OutboxError> {
    let id = Uuid::now_v7();
    let Some(message) = repo::insert(tx, id, channel_id, provider, source, text.as_str(), about).await? else {
        return Ok(None);
    };
    queue::enqueue(tx, &SendChatMessage { message_id: id, provider, channel_id }).await?;
    Ok(Some(message))
}

/// What [`begin`] found.
#[derive(Debug)]
pub enum Claim {
    /// The message is now `processing`: commit, then write it once.
    Write {
        text: String,
        /// The platform's name of the channel.
        channel: String,
        /// The platform dropped the last try as a copy of another message.
        vary: bool,
    },
    /// The account has no budget left for this long: roll back, so that nothing of it is taken.
    Wait(Duration),
    /// Nothing is to be sent: the message has ended, or an earlier run left it in doubt.
    Nothing,
    /// Its time is over, or the channel has no account on the platform: [`fail`] it with this reason.
    Hopeless(&'static str),
}

/// Claims the message for one write by `account`, at least `spacing` after what it has last said in the same chat.
///
/// # Errors
/// The database refused.
pub async fn begin(
    conn: &mut PgConnection,
    id: Uuid,
    account: &str,
    limit: budget::Limit,
    spacing: Duration,
) -> Result<Claim, sqlx::Error> {
    let Some(due) = repo::lock_due(conn, id).await? else { return Ok(Claim::Nothing) };
    match due.status {
        Status::Pending => {}
        Status::Processing => {
            repo::settle_lost(conn, id, "the run before this one ended after it began to write").await?;
            return Ok(Claim::Nothing);
        }
        Status::Sent | Status::Failed | Status::Unknown => return Ok(Claim::Nothing),
    }
    if due.expired {
        return Ok(Claim::Hopeless("stale: not sent in time"));
    }
    let Some(channel) = due.channel else { return Ok(Claim::Hopeless("the channel has no account on the platform")) };
    // Whoever waits behind it in the same chat must not wait for what it leaves to others.
    let left = if repo::is_ahead_of_more(conn, id).await? { 0 } else { due.source.leaves() };
    let limit = budget::Limit { count: limit.count - (limit.count * left / 100).min(limit.count - 1), ..limit };
    let place = budget::Place { channel_id: due.channel_id, provider: due.provider };
    // Whoever waits gives back what was taken before, with the transaction.
    if let Some(wait) = budget::take_turn(conn, place, account, spacing).await? {
        return Ok(Claim::Wait(wait));
    }
    if let Some(wait) = budget::take(conn, account, budget::Action::Send, limit).await? {
        return Ok(Claim::Wait(wait));
    }
    repo::set_processing(conn, id, account).await?;
    Ok(Claim::Write {
        text: due.message,
        channel,
        vary: matches!(due.last_error.as_deref(), Some("msg_duplicate" | "msg_r9k")),
    })
}

/// The platform confirmed the message.
///
/// # Errors
/// The database refused.
pub async fn sent(conn: &mut PgConnection, id: Uuid, provider_message_id: Option<&str>) -> Result<(), sqlx::Error> {
    repo::set_sent(conn, id, provider_message_id).await
}

/// The message was certainly not said; a later run may try again.
///
/// # Errors
/// The database refused.
pub async fn defer(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    repo::set_pending(conn, id, reason).await
}

/// The message was certainly not said and never will be.
///
/// # Errors
/// The database refused.
pub async fn fail(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    repo::set_failed(conn, id, reason).await
}

/// The message was written and the answer never came: `unknown`, or `sent` when it was read back meanwhile.
///
/// # Errors
/// The database refused.
pub async fn lose(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<Status, sqlx::Error> {
    repo::settle_lost(conn, id, reason).await
}

/// A message of our account (its login, in lower case) was read in the chat: the oldest one of it with this text that is written and
/// not yet read back. Settles a
/// message in doubt, also one whose doubt is still to come. Returns whether there was one.
///
/// # Errors
/// The database refused.
pub async fn read_back(
    conn: &mut PgConnection,
    channel_id: Uuid,
    provider: Provider,
    account: &str,
    text: &str,
) -> Result<bool, sqlx::Error> {
    repo::set_read_back(conn, channel_id, provider, account, Text::plain(text)).await
}

/// Ends messages that were left behind by dead jobs: `pending` past their time fails, `processing` is in doubt.
/// Returns how many.
///
/// # Errors
/// The database refused.
pub async fn drop_stale(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    repo::end_stale(conn).await
}
