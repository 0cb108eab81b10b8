//! How coins come into a channel, and out of it again.

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

/// An adjustment by hand.
#[derive(Debug, Clone, Copy)]
pub struct Adjustment<'a> {
    /// Of the operation, which happens once.
    pub id: Uuid,
    pub user: Uuid,
    pub channel: Uuid,
    /// Coins to give (above 0) or to take.
    pub delta: i64,
    /// 1 to 200 characters, for the person.
    pub reason: &'a str,
}

impl<'a> Adjustment<'a> {
    /// One that was never made before.
    #[must_use]
    pub fn new(user: Uuid, channel: Uuid, delta: i64, reason: &'a str) -> Self {
        Self { id: Uuid::now_v7(), user, channel, delta, reason }
    }
}

/// Gives or takes coins by hand, for a reason that the person is told. The caller writes it down ([`crate::acts`]).
///
/// # Errors
/// [`WalletError::Amount`] for zero or too much, [`WalletError::Reason`], [`WalletError::NotFound`] for an unknown person
/// or channel, [`WalletError::Insufficient`] when more is taken than there is.
pub async fn adjust(tx: &mut Tx, actor: Uuid, adjustment: Adjustment<'_>) -> Result<Adjusted, WalletError> {
    let Adjustment { id, user, channel, delta, .. } = adjustment;
    let reason = check_reason(adjustment.reason)?;
    let person = accounts::lock(&mut *tx, user).await?.ok_or(WalletError::NotFound("user"))?;
    let place = channels::find(&mut *tx, channel).await?.ok_or(WalletError::NotFound("channel"))?;
    let issue = Issue {
        id,
        kind: Kind::Adjust,
        key: format!("adjust:{id}"),
        actor: Some(actor),
        user: person.id,
        channel: place.id,
        slug: &place.slug,
        delta,
        why: BY_HAND,
        told: reason,
    };
    Ok(Adjusted { wallet: self::issue(tx, issue).await?, operation_id: id })
}

/// What somebody says of coins that they give or take, without the space around it.
///
/// # Errors
/// [`WalletError::Reason`].
pub(crate) fn check_reason(reason: &str) -> Result<&str, WalletError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 200 || reason.contains('\0') {
        return Err(WalletError::Reason);
    }
    Ok(reason)
}

/// Coins from a channel's issuer to one wallet, or back.
pub(crate) struct Issue<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    /// Unique for ever.
    pub(crate) key: String,
    pub(crate) actor: Option<Uuid>,
    pub(crate) user: Uuid,
    pub(crate) channel: Uuid,
    pub(crate) slug: &'a str,
    /// Coins to give (above 0) or to take.
    pub(crate) delta: i64,
    /// A fixed word, in the ledger for ever.
    pub(crate) why: &'static str,
    /// The reason in `wallet:updated`.
    pub(crate) told: &'a str,
}

/// Moves the coins and tells the person, as the transaction's last act; the wallet after it, opened if there was none.
///
/// # Errors
/// [`WalletError::Amount`], [`WalletError::Insufficient`], [`WalletError::AlreadyPosted`].
pub(crate) async fn issue(tx: &mut Tx, issue: Issue<'_>) -> Result<Wallet, WalletError> {
    let Issue { user, channel, delta, .. } = issue;
    let amount = delta.checked_abs().filter(|amount| *amount > 0).ok_or(WalletError::Amount(delta))?;
    repo::ensure(&mut *tx, user, channel).await?;
    let mut locked = repo::lock_all(&mut *tx, &[(user, channel)]).await?;
    let wallet = locked.of(user, channel).ok_or(WalletError::NotFound("wallet"))?.id;
    let (from, to) =
        if delta > 0 { (Account::Issuer, Account::Wallet(wallet)) } else { (Account::Wallet(wallet), Account::Issuer) };
    let source = issue.kind.as_str();
    let movement = Movement {
        id: issue.id,
        kind: issue.kind,
        key: issue.key,
        channel_id: channel,
        actor_id: issue.actor,
        reason: Some(issue.why.to_owned()),
        reverses: None,
        from,
        to,
        amount,
    };
    post(&mut *tx, &mut locked, &[movement]).await?;
    let wallet = locked.of(user, channel).ok_or(WalletError::NotFound("wallet"))?.clone();
    events::record(tx, vec![updated_event(&wallet, issue.slug, delta, issue.told, source)]).await?;
    Ok(wallet)
}
