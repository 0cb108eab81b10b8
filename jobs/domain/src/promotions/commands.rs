//! What a streamer does with promotions.

use queue::Tx;
use uuid::Uuid;

use super::{Change, MAX_PROMOTIONS, NewPromotion, Promotion, PromotionError, repo};

/// Makes a promotion for the channel.
///
/// # Errors
/// [`PromotionError::Invalid`], [`PromotionError::TooMany`], or the database refused.
pub async fn create(tx: &mut Tx, channel: Uuid, new: &NewPromotion) -> Result<Promotion, PromotionError> {
    new.check()?;
    if repo::count_not_ended(&mut *tx, channel).await? >= MAX_PROMOTIONS {
        return Err(PromotionError::TooMany);
    }
    let id = Uuid::now_v7();
    repo::insert(&mut *tx, id, channel, new).await?;
    repo::find(&mut *tx, channel, id).await?.ok_or(PromotionError::NotFound)
}

/// Changes the channel's promotion, and says what it was and what it is. Plays that were placed before keep their price.
///
/// # Errors
/// [`PromotionError::NotFound`], [`PromotionError::Invalid`], or the database refused.
pub async fn change(
    tx: &mut Tx,
    channel: Uuid,
    id: Uuid,
    change: Change,
) -> Result<(Promotion, Promotion), PromotionError> {
    repo::lock(&mut *tx, &[id]).await?;
    let before = repo::find(&mut *tx, channel, id).await?.ok_or(PromotionError::NotFound)?;
    let new = change.of(&before);
    new.check()?;
    repo::update(&mut *tx, id, &new).await?;
    let after = repo::find(&mut *tx, channel, id).await?.ok_or(PromotionError::NotFound)?;
    Ok((before, after))
}

/// Ends the channel's promotion and takes it off the list; says what it was.
///
/// # Errors
/// [`PromotionError::NotFound`], or the database refused.
pub async fn delete(tx: &mut Tx, channel: Uuid, id: Uuid) -> Result<Promotion, PromotionError> {
    repo::lock(&mut *tx, &[id]).await?;
    let before = repo::find(&mut *tx, channel, id).await?.ok_or(PromotionError::NotFound)?;
    repo::delete(&mut *tx, id).await?;
    Ok(before)
}
