//! What an owner of the house can do with somebody's coins.

use queue::Tx;
use uuid::Uuid;

use super::{Account, Kind, Movement, Wallet, WalletError, post, repo, updated_event};
use crate::{accounts, channels, events};

/// Of every adjustment, in the ledger: nothing there is ever changed, and what somebody wrote about a person must go with
/// the person.
const BY_HAND: &str = "by_hand";

/// A wallet after an adjustment.
#[derive(Debug, Clone)]
pub struct Adjusted {
    pub wallet: Wallet,
    pub operation_id: Uuid,
}

/// Gives (`delta` > 0) or takes coins by hand, for a reason that the person is told. The caller writes it down
/// ([`crate::acts`]).
///
/// # Errors
/// [`WalletError::Amount`] for zero or too much, [`WalletError::Reason`], [`WalletError::NotFound`] for an unknown person
/// or channel, [`WalletError::Insufficient`] when more is taken than there is.
pub async fn adjust(
    tx: &mut Tx,
    actor: Uuid,
    user: Uuid,
    channel: Uuid,
    delta: i64,
    reason: &str,
) -> Result<Adjusted, WalletError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 200 {
        return Err(WalletError::Reason);
    }
    let amount = delta.checked_abs().filter(|amount| *amount > 0).ok_or(WalletError::Amount(delta))?;
    let person = accounts::lock(&mut *tx, user).await?.ok_or(WalletError::NotFound("user"))?;
    let place = channels::find(&mut *tx, channel).await?.ok_or(WalletError::NotFound("channel"))?;
    repo::ensure(&mut *tx, person.id, place.id).await?;
    let mut locked = repo::lock_all(&mut *tx, &[(person.id, place.id)]).await?;
    let wallet = locked.of(person.id, place.id).ok_or(WalletError::NotFound("wallet"))?.id;
    let (from, to) =
        if delta > 0 { (Account::Issuer, Account::Wallet(wallet)) } else { (Account::Wallet(wallet), Account::Issuer) };
    let id = Uuid::now_v7();
    let movement = Movement {
        id,
        kind: Kind::Adjust,
        key: format!("adjust:{id}"),
        channel_id: place.id,
        actor_id: Some(actor),
        reason: Some(BY_HAND.to_owned()),
        reverses: None,
        from,
        to,
        amount,
    };
    post(&mut *tx, &mut locked, &[movement]).await?;
    let wallet = locked.of(person.id, place.id).ok_or(WalletError::NotFound("wallet"))?.clone();
    events::record(tx, vec![updated_event(&wallet, &place.slug, delta, reason, "adjust")]).await?;
    Ok(Adjusted { wallet, operation_id: id })
}
