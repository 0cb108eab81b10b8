//! Coins that wait, and their end.

use std::collections::{BTreeMap, BTreeSet};

use queue::Tx;
use uuid::Uuid;

use super::{DEFAULT_DAYS, Grant, GrantError, GrantStatus, NewGrant, Payee, model, model::Name, repo};
use crate::{
    channels,
    events::{self, NewEvent},
    identities::{self, Identity, Provider},
    wallets::{self, Account, Kind, Movement, WalletError},
};

/// In the ledger, for ever.
const WHY: &str = "pending_grant";

/// Lets coins wait for somebody. What one admin gives one person in one channel within a day counts together, by which account or
/// by hand: with more than `approval_above` another admin must agree ([`approve`]). Whose an account is may be known only when
/// somebody comes with it: [`pay`] looks again.
///
/// # Errors
/// [`GrantError::NoChannel`], or a word or number is beyond its limits.
pub async fn create(
    tx: &mut Tx,
    actor: Uuid,
    new: &NewGrant,
    approval_above: Option<i64>,
) -> Result<Grant, GrantError> {
    new.check()?;
    let channel = channels::find(&mut *tx, new.channel_id).await?.ok_or(GrantError::NoChannel)?;
    let status = match approval_above {
        Some(most) => {
            // One after the other: two halves at once would each see nothing of the other.
            repo::hold_maker(&mut *tx, actor).await?;
            let people = identities::owners(&mut *tx, new.provider, new.payee.id(), new.payee.login()).await?;
            let lately = promised(tx, actor, channel.id, &people, vec![new.payee.at(new.provider)]).await?;
            let moved = wallets::moved_by_hand(&mut *tx, actor, channel.id, &people, None).await?;
            let given = lately.saturating_add(moved).saturating_add(new.amount);
            if given > most { GrantStatus::Unapproved } else { GrantStatus::Waiting }
        }
        None => GrantStatus::Waiting,
    };
    let id = Uuid::now_v7();
    repo::insert(&mut *tx, id, actor, channel.id, new, (status, approval_above)).await?;
    repo::find(&mut *tx, id).await?.ok_or(GrantError::NotFound)
}

/// Coins that this admin alone let wait for the person in the channel within a day, whether they were paid since or not. Nobody
/// gives any in this admin's name meanwhile, until the end of the transaction.
///
/// # Errors
/// The database refused.
pub async fn promised_lately(tx: &mut Tx, actor: Uuid, user: Uuid, channel: Uuid) -> Result<i64, sqlx::Error> {
    repo::hold_maker(&mut *tx, actor).await?;
    promised(tx, actor, channel, &[user], Vec::new()).await
}

/// The same for these people, and whoever else has one of these `names`.
async fn promised(
    tx: &mut Tx,
    actor: Uuid,
    channel: Uuid,
    people: &[Uuid],
    mut names: Vec<Name>,
) -> Result<i64, sqlx::Error> {
    for person in people {
        names.extend(identities::list(&mut *tx, *person).await?.iter().map(Name::of));
    }
    repo::promised_lately(&mut *tx, actor, channel, people, &names).await
}

/// Coins that a channel's own rules promise to somebody who is not here yet.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    pub id: Uuid,
    pub channel: Uuid,
    /// In whose name: the channel's owner.
    pub by: Uuid,
    pub provider: Provider,
    /// The account's id there.
    pub account: &'a str,
    /// Coins, above 0.
    pub amount: i64,
    /// For the person.
    pub reason: &'a str,
}

/// Lets them wait. The caller holds the identity ([`crate::identities::hold_owner`]).
///
/// # Errors
/// The database refused, or a word or number is beyond its limits.
pub async fn promise(tx: &mut Tx, promise: &Promise<'_>) -> Result<(), WalletError> {
    let new = NewGrant {
        channel_id: promise.channel,
        provider: promise.provider,
        payee: Payee::Id(promise.account.to_owned()),
        amount: promise.amount,
        reason: promise.reason.to_owned(),
        days: DEFAULT_DAYS,
    };
    Ok(repo::insert(&mut *tx, promise.id, promise.by, promise.channel, &new, (GrantStatus::Waiting, None)).await?)
}

/// Takes a promise back, if it was not paid.
///
/// # Errors
/// The database refused.
pub async fn withdraw(tx: &mut Tx, id: Uuid) -> Result<(), sqlx::Error> {
    let waiting = repo::lock(&mut *tx, id).await?.is_some_and(|grant| grant.status != GrantStatus::Paid);
    if waiting {
        repo::delete(&mut *tx, id).await?;
    }
    Ok(())
}

/// Another admin agrees: from now on it waits for its person.
///
/// # Errors
/// [`GrantError::NotFound`], [`GrantError::Own`], [`GrantError::Over`] for one that needs nobody's agreement (any more).
pub async fn approve(tx: &mut Tx, actor: Uuid, id: Uuid) -> Result<Grant, GrantError> {
    let grant = repo::lock(&mut *tx, id).await?.ok_or(GrantError::NotFound)?;
    if grant.status != GrantStatus::Unapproved {
        return Err(GrantError::Over(grant.status));
    }
    if grant.created_by == actor {
        return Err(GrantError::Own);
    }
    repo::approve(&mut *tx, id, actor).await?;
    repo::find(&mut *tx, id).await?.ok_or(GrantError::NotFound)
}

/// Takes back what was not paid, with all that it says about whom.
///
/// # Errors
/// [`GrantError::NotFound`], [`GrantError::Over`] when it was paid.
pub async fn revoke(tx: &mut Tx, id: Uuid) -> Result<Grant, GrantError> {
    let grant = repo::lock(&mut *tx, id).await?.ok_or(GrantError::NotFound)?;
    if grant.status == GrantStatus::Paid {
        return Err(GrantError::Over(grant.status));
    }
    repo::delete(&mut *tx, id).await?;
    Ok(grant)
}

/// Pays what waits for the account that a platform has just vouched for to the person whose it is; says how many grants that
/// were. One that is, with what else its admin gave this person, more than one admin may give waits for another one. The caller holds the identity ([`crate::identities::log_in`], [`crate::identities::link`]); this is the
/// transaction's last act.
///
/// # Errors
/// The database refused.
pub async fn pay(tx: &mut Tx, user: Uuid, identity: &Identity) -> Result<usize, WalletError> {
    let name = Some(model::name(&identity.login)).filter(|name| !name.is_empty());
    let waiting = repo::lock_waiting(&mut *tx, identity.provider, &identity.subject, name.as_deref()).await?;
    let waiting = not_too_large(tx, user, waiting).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let slugs: BTreeMap<Uuid, &str> =
        waiting.iter().map(|grant| (grant.channel_id, grant.channel_slug.as_str())).collect();
    for channel in slugs.keys() {
        wallets::ensure(&mut *tx, user, *channel).await?;
    }
    let owners: Vec<(Uuid, Uuid)> = slugs.keys().map(|channel| (user, *channel)).collect();
    let mut locked = wallets::lock_all(&mut *tx, &owners).await?;
    let mut news: Vec<NewEvent> = Vec::with_capacity(waiting.len());
    for grant in &waiting {
        let wallet = locked.of(user, grant.channel_id).ok_or(WalletError::NotFound("wallet"))?.id;
        let movement = Movement {
            id: grant.id,
            kind: Kind::Grant,
            key: format!("grant:{}", grant.id),
            channel_id: grant.channel_id,
            actor_id: Some(grant.created_by),
            reason: Some(WHY.to_owned()),
            reverses: None,
            from: Account::Issuer,
            to: Account::Wallet(wallet),
            amount: grant.amount,
        };
        wallets::post(&mut *tx, &mut locked, &[movement]).await?;
        let wallet = locked.of(user, grant.channel_id).ok_or(WalletError::NotFound("wallet"))?;
        news.push(wallets::updated_event(wallet, &grant.channel_slug, grant.amount, &grant.reason, "grant"));
    }
    events::record(tx, news).await?;
    Ok(waiting.len())
}

/// Those of the grants that need nobody's agreement, or have it, as paid; the others wait for that now.
async fn not_too_large(tx: &mut Tx, user: Uuid, waiting: Vec<Grant>) -> Result<Vec<Grant>, sqlx::Error> {
    let makers: BTreeSet<Uuid> =
        waiting.iter().filter(|grant| grant.alone_up_to().is_some()).map(|grant| grant.created_by).collect();
    for maker in makers {
        repo::hold_maker(&mut *tx, maker).await?;
    }
    let mut paid = Vec::with_capacity(waiting.len());
    for grant in waiting {
        if let Some(most) = grant.alone_up_to() {
            let (maker, channel, at) = (grant.created_by, grant.channel_id, Some(grant.created_at));
            let beside = repo::paid_beside(&mut *tx, &grant, user).await?;
            let moved = wallets::moved_by_hand(&mut *tx, maker, channel, &[user], at).await?;
            if beside.saturating_add(moved).saturating_add(grant.amount) > most {
                repo::hold_back(&mut *tx, grant.id).await?;
                continue;
            }
        }
        // At once: the next one counts it.
        repo::set_paid(&mut *tx, grant.id, user).await?;
        paid.push(grant);
    }
    Ok(paid)
}
