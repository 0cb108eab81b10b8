//! Lines in, messages out.

use queue::{EnqueueError, Tx};
use sqlx::{Acquire, PgConnection};
use uuid::Uuid;

use super::{ChatMessage, IngestChatBatch, RawLine, Removal, repo};
use crate::outbox::Provider;

/// Keeps the lines and orders their understanding.
///
/// # Errors
/// The database refused; nothing was kept.
pub async fn receive(tx: &mut Tx, platform: Provider, lines: &[RawLine]) -> Result<Uuid, EnqueueError> {
    let id = Uuid::now_v7();
    repo::insert_batch(tx, id, platform, lines).await?;
    queue::enqueue(tx, &IngestChatBatch { batch_id: id }).await?;
    Ok(id)
}

/// What came of [`record`].
#[derive(Debug, Default)]
pub struct Recorded {
    /// Places (in the given slice) of messages that nobody had recorded before.
    pub fresh: Vec<usize>,
    /// Places of messages that the database would not take, and why.
    pub refused: Vec<(usize, String)>,
}

/// Records the messages, each once. One insert for all; if the database refuses their data, one by one, so that a single
/// message it cannot keep does not take the others along.
///
/// # Errors
/// The database refused for another reason than the data.
pub async fn record(
    conn: &mut PgConnection,
    platform: Provider,
    messages: &[ChatMessage],
) -> Result<Recorded, sqlx::Error> {
    if messages.is_empty() {
        return Ok(Recorded::default());
    }
    let mut all = conn.begin().await?;
    match repo::insert_messages(&mut all, platform, messages).await {
        Ok(new) => {
            all.commit().await?;
            return Ok(Recorded { fresh: places(messages, new), refused: Vec::new() });
        }
        Err(error) if is_about_data(&error) => all.rollback().await?,
        Err(error) => return Err(error),
    }
    let mut recorded = Recorded::default();
    for (place, message) in messages.iter().enumerate() {
        let mut one = conn.begin().await?;
        match repo::insert_messages(&mut one, platform, std::slice::from_ref(message)).await {
            Ok(new) => {
                one.commit().await?;
                recorded.fresh.extend((!new.is_empty()).then_some(place));
            }
            Err(error) if is_about_data(&error) => {
                one.rollback().await?;
                recorded.refused.push((place, error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(recorded)
}

/// Notes that messages are gone, read before or after this.
///
/// # Errors
/// The database refused.
pub async fn remove(conn: &mut PgConnection, platform: Provider, removals: &[Removal]) -> Result<(), sqlx::Error> {
    repo::insert_removals(conn, platform, removals).await
}

/// Puts a line aside, with its bytes and the reason.
///
/// # Errors
/// The database refused.
pub async fn bury(
    conn: &mut PgConnection,
    platform: Provider,
    line: &RawLine,
    reason: &str,
) -> Result<(), sqlx::Error> {
    repo::insert_dead_letter(conn, platform, line, reason).await
}

/// Forgets up to `limit` messages, as many lines that were put aside and as many notes of what is gone, all past their time.
/// Returns the largest count: less than `limit` means that nothing old is left.
///
/// # Errors
/// The database refused.
pub async fn trim(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let messages = repo::trim_messages(conn, limit).await?;
    let letters = repo::trim_dead_letters(conn, limit).await?;
    let batches = repo::trim_batches(conn, limit).await?;
    let removals = repo::trim_removals(conn, limit).await?;
    Ok(messages.max(letters).max(batches).max(removals))
}

/// The first place of each new message; a second reading within the same slice is not fresh.
fn places(messages: &[ChatMessage], mut new: Vec<(Uuid, String)>) -> Vec<usize> {
    let mut fresh = Vec::with_capacity(new.len());
    new.sort_unstable();
    let mut seen = vec![false; new.len()];
    for (place, message) in messages.iter().enumerate() {
        let key = (message.channel_id, &message.content_id);
        if let Ok(found) = new.binary_search_by(|(channel, content)| (*channel, content).cmp(&key))
            && !std::mem::replace(&mut seen[found], true)
        {
            fresh.push(place);
        }
    }
    fresh
}

/// SQLSTATE class 22 (data) and 23 (constraints), and bytes that PostgreSQL's text cannot hold.
fn is_about_data(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}
