//! Rules of a channel.

use queue::Tx;
use uuid::Uuid;

use super::{Change, NewRule, RewardError, Rule, repo};
use crate::channels;

/// Of one channel.
pub const MAX_RULES: i64 = 100;

/// Makes a rule.
///
/// # Errors
/// [`RewardError::Invalid`], [`RewardError::Taken`], [`RewardError::TooMany`].
pub async fn create(tx: &mut Tx, channel: Uuid, new: &NewRule) -> Result<Rule, RewardError> {
    new.check()?;
    // One after the other: two at once would each see the other's place free.
    channels::hold(&mut *tx, channel).await?.ok_or(RewardError::NotFound)?;
    if repo::count(&mut *tx, channel).await? >= MAX_RULES {
        return Err(RewardError::TooMany(MAX_RULES));
    }
    let id = Uuid::now_v7();
    if !repo::insert(&mut *tx, id, channel, new).await? {
        return Err(RewardError::Taken);
    }
    repo::find(&mut *tx, channel, id).await?.ok_or(RewardError::NotFound)
}

/// Changes a rule, for what happens from now on. The rule before and after.
///
/// # Errors
/// [`RewardError::NotFound`], [`RewardError::Invalid`].
pub async fn change(tx: &mut Tx, channel: Uuid, id: Uuid, change: Change) -> Result<(Rule, Rule), RewardError> {
    let before = repo::lock(&mut *tx, channel, id).await?.ok_or(RewardError::NotFound)?;
    let new = NewRule {
        trigger: before.trigger,
        reward_id: before.reward_id.clone(),
        coins: change.coins.unwrap_or(before.coins),
        per: change.per.unwrap_or(before.per),
        least: change.least.unwrap_or(before.least),
        enabled: change.enabled.unwrap_or(before.enabled),
    };
    new.check()?;
    repo::update(&mut *tx, id, &new).await?;
    let after = repo::find(&mut *tx, channel, id).await?.ok_or(RewardError::NotFound)?;
    Ok((before, after))
}

/// Ends a rule; what it gave stays given. The rule as it was.
///
/// # Errors
/// [`RewardError::NotFound`].
pub async fn delete(tx: &mut Tx, channel: Uuid, id: Uuid) -> Result<Rule, RewardError> {
    let before = repo::lock(&mut *tx, channel, id).await?.ok_or(RewardError::NotFound)?;
    repo::delete(&mut *tx, id).await?;
    Ok(before)
}
