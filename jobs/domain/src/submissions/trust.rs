//! People whose submissions a channel takes unseen.

use queue::Tx;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{SubmissionError, repo};
use crate::{
    accounts,
    acts::{self, Act, By},
    channels::Channel,
};

/// People whom one channel trusts, at most.
const MOST: i64 = 1000;

/// Somebody whom a channel trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    pub user_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub added_at: OffsetDateTime,
}

/// Whom the channel trusts, by login.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<Trusted>, sqlx::Error> {
    repo::trust::list(conn, channel).await
}

/// The channel takes what this person sends in from now on unseen.
///
/// # Errors
/// [`SubmissionError::NoSuchPerson`], [`SubmissionError::TooManyTrusted`].
pub async fn put(tx: &mut Tx, by: &By, adder: Uuid, channel: &Channel, user: Uuid) -> Result<Trusted, SubmissionError> {
    // The channel before the person, as by all who lock both.
    repo::trust::lock(&mut *tx, channel.id).await?;
    let person = accounts::lock(&mut *tx, user).await?.ok_or(SubmissionError::NoSuchPerson)?;
    if repo::trust::put(&mut *tx, channel.id, person.id, adder, MOST).await? {
        note(tx, by, channel, user, false).await?;
    }
    let found = repo::trust::find(&mut *tx, channel.id, user).await?;
    found.ok_or(SubmissionError::TooManyTrusted(MOST))
}

/// The channel's team looks at what this person sends in again.
///
/// # Errors
/// [`SubmissionError::NoSuchPerson`] also for somebody whom the channel does not trust.
pub async fn remove(tx: &mut Tx, by: &By, channel: &Channel, user: Uuid) -> Result<(), SubmissionError> {
    if !repo::trust::remove(&mut *tx, channel.id, user).await? {
        return Err(SubmissionError::NoSuchPerson);
    }
    note(tx, by, channel, user, true).await
}

async fn note(tx: &mut Tx, by: &By, channel: &Channel, user: Uuid, trusted: bool) -> Result<(), SubmissionError> {
    let act = Act::new("change_trust").to(user).on(channel.id);
    let act = act.changing(json!({ "trusted": trusted }), json!({ "trusted": !trusted }));
    Ok(acts::note(&mut *tx, by, act).await?)
}
