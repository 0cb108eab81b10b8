//! Bytes in.

use std::time::Duration;

use queue::{EnqueueError, Tx};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{NewDelivery, Receipt, UnderstandWebhook, repo};

/// By how much a message's time may differ from ours. Ids are known for longer, so nothing passes both.
pub const WINDOW: Duration = Duration::from_mins(10);

/// Keeps the message and orders its understanding, once.
///
/// # Errors
/// The database refused; nothing was kept.
pub async fn receive(tx: &mut Tx, new: &NewDelivery<'_>) -> Result<Receipt, EnqueueError> {
    if is_timely(&mut *tx, new.sent_at).await? { keep(tx, new).await } else { Ok(Receipt::Stale) }
}

/// [`receive`] of what nobody else can have sent, whenever it was.
///
/// # Errors
/// The database refused; nothing was kept.
pub async fn keep(tx: &mut Tx, new: &NewDelivery<'_>) -> Result<Receipt, EnqueueError> {
    let id = Uuid::now_v7();
    if !repo::insert(&mut *tx, id, new).await? {
        return Ok(Receipt::Known);
    }
    queue::enqueue(tx, &UnderstandWebhook { delivery_id: id }).await?;
    Ok(Receipt::Kept(id))
}

/// Whether a message of that moment may be of now.
///
/// # Errors
/// The database refused.
pub async fn is_timely(conn: &mut PgConnection, sent_at: OffsetDateTime) -> Result<bool, sqlx::Error> {
    repo::is_timely(conn, sent_at, WINDOW).await
}

/// What it said is done: its bytes go, its id stays for a while.
///
/// # Errors
/// The database refused.
pub async fn understood(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    repo::drop_body(conn, id).await
}

/// Nobody understands it: its bytes wait for somebody to look.
///
/// # Errors
/// The database refused.
pub async fn fail(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    repo::set_failure(conn, id, reason).await
}
