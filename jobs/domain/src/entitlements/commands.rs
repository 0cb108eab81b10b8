//! Giving, taking and asking for features.

use queue::Tx;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Entitlement, EntitlementError, Feature, Holder, repo};
use crate::{
    accounts,
    channels::{self, Channel},
};

/// Gives the feature until then (none: for ever). One that the holder has gets the new end. What the holder had before, and
/// has now.
///
/// # Errors
/// [`EntitlementError::NoHolder`], [`EntitlementError::Past`].
pub async fn grant(
    tx: &mut Tx,
    actor: Uuid,
    feature: Feature,
    holder: Holder,
    until: Option<OffsetDateTime>,
) -> Result<(Option<Entitlement>, Entitlement), EntitlementError> {
    hold(tx, holder).await?;
    let before = repo::find(&mut *tx, feature, holder).await?;
    if let Some(before) = &before {
        repo::delete(&mut *tx, before.id).await?;
    }
    repo::insert(&mut *tx, Uuid::now_v7(), actor, feature, holder, until).await?;
    let after = repo::find(&mut *tx, feature, holder).await?.ok_or(EntitlementError::NotFound)?;
    if after.active { Ok((before, after)) } else { Err(EntitlementError::Past) }
}

/// Takes the feature away at once; what the holder had.
///
/// # Errors
/// [`EntitlementError::NoHolder`], [`EntitlementError::NotFound`].
pub async fn revoke(tx: &mut Tx, feature: Feature, holder: Holder) -> Result<Entitlement, EntitlementError> {
    hold(tx, holder).await?;
    let before = repo::find(&mut *tx, feature, holder).await?.ok_or(EntitlementError::NotFound)?;
    repo::delete(&mut *tx, before.id).await?;
    Ok(before)
}

/// Whether the channel may use the feature now: it was given to the channel or to its owner.
///
/// # Errors
/// The database refused.
pub async fn has(conn: &mut PgConnection, feature: Feature, channel: &Channel) -> Result<bool, sqlx::Error> {
    repo::has(conn, feature, channel.id, channel.owner_id).await
}

/// [`has`] for what is refused without it.
///
/// # Errors
/// [`EntitlementError::Missing`].
pub async fn require(conn: &mut PgConnection, feature: Feature, channel: &Channel) -> Result<(), EntitlementError> {
    if has(conn, feature, channel).await? { Ok(()) } else { Err(EntitlementError::Missing(feature)) }
}

/// Two who give or take at once do it one after the other.
async fn hold(tx: &mut Tx, holder: Holder) -> Result<(), EntitlementError> {
    let there = match holder {
        Holder::Person(id) => accounts::lock(&mut *tx, id).await?.is_some(),
        Holder::Channel(id) => channels::hold(&mut *tx, id).await?.is_some(),
    };
    let name = if holder.user().is_some() { "user" } else { "channel" };
    if there { Ok(()) } else { Err(EntitlementError::NoHolder(name)) }
}
