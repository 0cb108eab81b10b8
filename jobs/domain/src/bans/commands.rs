//! Who is kept off, and who is let in again; each is written down.

use queue::Tx;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Ban, BanError, model::MAX_REASON, repo};
use crate::{
    accounts,
    acts::{self, Act, By},
    channels::Channel,
    teams, unseen,
};

/// People whom one channel keeps off, at most.
const MOST: i64 = 10_000;

/// The channel keeps this person off from now on. Whether that is news is said beside the ban; one that is not keeps its reason.
/// The caller orders what follows from it: what the person has waiting, and what the person has sent in.
///
/// # Errors
/// [`BanError::NoSuchPerson`], [`BanError::Owner`], [`BanError::InTeam`], [`BanError::Reason`], [`BanError::TooMany`].
pub async fn put(
    tx: &mut Tx,
    by: &By,
    actor: Uuid,
    channel: &Channel,
    user: Uuid,
    reason: Option<&str>,
) -> Result<(Ban, bool), BanError> {
    let reason = reason.map(|reason| unseen::plain(reason, MAX_REASON + 1)).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        return Err(BanError::Reason);
    }
    if user == channel.owner_id {
        return Err(BanError::Owner);
    }
    // The channel before the person, as by all who lock both.
    repo::lock(&mut *tx, channel.id).await?;
    let person = accounts::lock(&mut *tx, user).await?.ok_or(BanError::NoSuchPerson)?;
    if teams::role_of(&mut *tx, channel.id, person.id).await?.is_some() {
        return Err(BanError::InTeam);
    }
    let is_news = repo::put(&mut *tx, channel.id, person.id, actor, reason.as_deref(), MOST).await?;
    if is_news {
        let act = Act::new("ban_from_channel").to(person.id).on(channel.id).because(reason.as_deref());
        acts::note(&mut *tx, by, act.changing(json!({ "banned": false }), json!({ "banned": true }))).await?;
    }
    let ban = repo::find(&mut *tx, channel.id, person.id).await?;
    Ok((ban.ok_or(BanError::TooMany(MOST))?, is_news))
}

/// The channel lets this person in again.
///
/// # Errors
/// [`BanError::NoSuchPerson`] also for somebody whom the channel does not keep off.
pub async fn remove(tx: &mut Tx, by: &By, channel: &Channel, user: Uuid) -> Result<(), BanError> {
    // Whoever acts on the ban right now holds the person.
    let person = accounts::lock(&mut *tx, user).await?.ok_or(BanError::NoSuchPerson)?;
    if !repo::remove(&mut *tx, channel.id, person.id).await? {
        return Err(BanError::NoSuchPerson);
    }
    let act = Act::new("unban_from_channel").to(person.id).on(channel.id);
    acts::note(&mut *tx, by, act.changing(json!({ "banned": true }), json!({ "banned": false }))).await?;
    Ok(())
}

/// Whether this person may send something in to the channel.
///
/// # Errors
/// [`BanError::Banned`].
pub async fn refuse(conn: &mut PgConnection, channel: Uuid, user: Uuid) -> Result<(), BanError> {
    if repo::is_banned(conn, channel, user).await? { Err(BanError::Banned) } else { Ok(()) }
}
