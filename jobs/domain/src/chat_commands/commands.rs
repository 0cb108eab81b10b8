//! What a streamer does with commands.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Change, ChatCommand, CommandError, Counter, MAX_COMMANDS, MAX_COUNTERS, NewCommand, matching::normalize, model,
    repo,
};
use crate::channels;

/// Makes a command for the channel.
///
/// # Errors
/// [`CommandError::Invalid`], [`CommandError::Taken`], [`CommandError::TooMany`], or the database refused.
pub async fn create(tx: &mut Tx, channel: Uuid, new: NewCommand) -> Result<ChatCommand, CommandError> {
    let new = new.checked()?;
    model::not_ours("trigger", &new.words(), &[])?;
    // Two who make the same command, or the last one, come one after the other.
    channels::hold(&mut *tx, channel).await?;
    if repo::count(&mut *tx, channel).await? >= MAX_COMMANDS {
        return Err(CommandError::TooMany);
    }
    let id = Uuid::now_v7();
    free(&mut *tx, channel, id, &new.words()).await?;
    repo::insert(&mut *tx, id, channel, &new).await?;
    repo::find(&mut *tx, channel, id).await?.ok_or(CommandError::NotFound)
}

/// Changes the channel's command, and says what it was and what it is.
///
/// # Errors
/// As [`create`]; [`CommandError::NotFound`]; [`CommandError::Empty`] when nothing is to be changed.
pub async fn change(
    tx: &mut Tx,
    channel: Uuid,
    id: Uuid,
    change: Change,
) -> Result<(ChatCommand, ChatCommand), CommandError> {
    if change == Change::default() {
        return Err(CommandError::Empty);
    }
    channels::hold(&mut *tx, channel).await?;
    let before = repo::find(&mut *tx, channel, id).await?.ok_or(CommandError::NotFound)?;
    let new = change.of(&before).checked()?;
    // One of before there was auto-moderation stays changeable.
    model::not_ours("trigger", &new.words(), &Change::default().of(&before).words())?;
    free(&mut *tx, channel, id, &new.words()).await?;
    repo::update(&mut *tx, id, &new).await?;
    let after = repo::find(&mut *tx, channel, id).await?.ok_or(CommandError::NotFound)?;
    Ok((before, after))
}

/// Removes the channel's command; says what it was.
///
/// # Errors
/// [`CommandError::NotFound`], or the database refused.
pub async fn delete(tx: &mut Tx, channel: Uuid, id: Uuid) -> Result<ChatCommand, CommandError> {
    let before = repo::find(&mut *tx, channel, id).await?.ok_or(CommandError::NotFound)?;
    repo::delete(&mut *tx, id).await?;
    Ok(before)
}

/// Makes a command with this trigger and response, unless something is called by it already.
///
/// # Errors
/// The database refused.
pub async fn ensure(tx: &mut Tx, channel: Uuid, trigger: &str, response: &str) -> Result<(), sqlx::Error> {
    channels::hold(&mut *tx, channel).await?;
    let normalized = normalize(trigger);
    if repo::taken(&mut *tx, channel, None, std::slice::from_ref(&normalized)).await?.is_some() {
        return Ok(());
    }
    repo::insert_plain(&mut *tx, Uuid::now_v7(), channel, trigger, &normalized, response).await
}

/// Sets the channel's counter, which need not be there; what it was and what it is.
///
/// # Errors
/// [`CommandError::Invalid`] for the name, [`CommandError::TooManyCounters`], or the database refused.
pub async fn set_counter(
    tx: &mut Tx,
    channel: Uuid,
    name: &str,
    value: i64,
) -> Result<(Option<Counter>, Counter), CommandError> {
    let name = model::counter_name(name)?;
    channels::hold(&mut *tx, channel).await?;
    let before = repo::counter(&mut *tx, channel, &name).await?;
    if before.is_none() && repo::count_counters(&mut *tx, channel).await? >= MAX_COUNTERS {
        return Err(CommandError::TooManyCounters);
    }
    Ok((before, repo::set_counter(&mut *tx, channel, &name, value).await?))
}

/// Removes the channel's counter; it begins at 0 again when an answer counts it. What it was.
///
/// # Errors
/// [`CommandError::NoCounter`], or the database refused.
pub async fn drop_counter(tx: &mut Tx, channel: Uuid, name: &str) -> Result<Counter, CommandError> {
    repo::delete_counter(&mut *tx, channel, name).await?.ok_or(CommandError::NoCounter)
}

/// None of these words calls another command of the channel, nor the one that tells how long the stream runs, once the
/// streamer has named it.
async fn free(conn: &mut PgConnection, channel: Uuid, id: Uuid, words: &[String]) -> Result<(), CommandError> {
    let taken = match repo::taken(&mut *conn, channel, Some(id), words).await? {
        Some(word) => Some(word),
        None => repo::taken_by_duration(conn, channel, words).await?,
    };
    taken.map_or(Ok(()), |word| Err(CommandError::Taken(word)))
}
