//! Asking for an adjustment, and deciding about it.

use queue::Tx;
use uuid::Uuid;

use super::{AdjustmentError, AdjustmentStatus, Asked, PendingAdjustment, repo};
use crate::{
    accounts, channels, grants,
    wallets::{self, Adjusted, Adjustment, WalletError},
};

/// Coins that one operation moves, at most.
const MOST: i64 = 1_000_000_000_000;

/// Adjusts the wallet at once, or lets the adjustment wait for another admin where it, with what this admin moved in the
/// wallet or let wait for its person ([`grants`]) within a day, is above `approval_above`.
///
/// # Errors
/// As [`wallets::adjust`]; what waits is refused for its words and numbers at once, and for missing coins once it is made.
pub async fn ask(
    tx: &mut Tx,
    actor: Uuid,
    wish: Adjustment<'_>,
    approval_above: Option<i64>,
) -> Result<Asked, AdjustmentError> {
    let reason = wallets::check_reason(wish.reason)?;
    let amount = wish.delta.checked_abs().filter(|amount| (1..=MOST).contains(amount));
    let amount = amount.ok_or(WalletError::Amount(wish.delta))?;
    // One after the other: two halves at once would each see nothing of the other.
    accounts::lock(&mut *tx, wish.user).await?.ok_or(WalletError::NotFound("user"))?;
    channels::find(&mut *tx, wish.channel).await?.ok_or(WalletError::NotFound("channel"))?;
    if let Some(most) = approval_above {
        let promised = grants::promised_lately(tx, actor, wish.user, wish.channel).await?;
        let moved = wallets::moved_by_hand(&mut *tx, actor, wish.channel, &[wish.user], None).await?;
        let lately = promised.saturating_add(moved);
        if lately.saturating_add(amount) > most {
            repo::insert(&mut *tx, actor, wish, reason).await?;
            let waits = repo::find(&mut *tx, wish.id).await?.ok_or(AdjustmentError::NotFound)?;
            return Ok(Asked::Waits(waits));
        }
    }
    Ok(Asked::Done(wallets::adjust(tx, actor, wish).await?))
}

/// Another admin agrees: the adjustment is made. The wallet after it, and the adjustment as it is now.
///
/// # Errors
/// [`AdjustmentError::NotFound`], [`AdjustmentError::Over`], [`AdjustmentError::Own`], [`AdjustmentError::NoAdmin`];
/// [`WalletError::Insufficient`] when more is taken than there is (it waits on).
pub async fn approve(tx: &mut Tx, actor: Uuid, id: Uuid) -> Result<(Adjusted, PendingAdjustment), AdjustmentError> {
    let pending = lock_pending(tx, id).await?;
    if pending.asked_by == actor {
        return Err(AdjustmentError::Own);
    }
    if !pending.asker_is_admin {
        return Err(AdjustmentError::NoAdmin);
    }
    let PendingAdjustment { user_id: user, channel_id: channel, delta, .. } = pending;
    // Before the wallet, whose movement ends in an event: streams are locked last.
    repo::decide(&mut *tx, id, AdjustmentStatus::Approved, actor).await?;
    let reason = pending.reason.as_deref().unwrap_or_default();
    let adjusted = wallets::adjust(tx, pending.asked_by, Adjustment { id, user, channel, delta, reason }).await?;
    Ok((adjusted, repo::find(&mut *tx, id).await?.ok_or(AdjustmentError::NotFound)?))
}

/// An admin does not agree, or takes back what they asked for: the adjustment is not made.
///
/// # Errors
/// [`AdjustmentError::NotFound`], [`AdjustmentError::Over`].
pub async fn refuse(tx: &mut Tx, actor: Uuid, id: Uuid) -> Result<PendingAdjustment, AdjustmentError> {
    lock_pending(tx, id).await?;
    repo::decide(&mut *tx, id, AdjustmentStatus::Refused, actor).await?;
    repo::find(&mut *tx, id).await?.ok_or(AdjustmentError::NotFound)
}

async fn lock_pending(tx: &mut Tx, id: Uuid) -> Result<PendingAdjustment, AdjustmentError> {
    let found = repo::lock(&mut *tx, id).await?.ok_or(AdjustmentError::NotFound)?;
    match found.status {
        AdjustmentStatus::Pending => Ok(found),
        status => Err(AdjustmentError::Over(status)),
    }
}
