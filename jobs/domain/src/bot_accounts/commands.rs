//! Giving and taking seats, and who has one.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BotAccountError, Fallback, Seated, Sender, model::needed, repo};
use crate::{
    accounts::{self, Role},
    channels::{self, Channel},
    entitlements::{self, Feature},
    identities::{self, Linked, Provider, Seat},
};

/// Lets the account speak; who did until now. Whoever linked it must have the right to say so now: it may be gone since the link began.
///
/// # Errors
/// [`BotAccountError::Forbidden`], [`BotAccountError::Entitlement`]; [`BotAccountError::OnlyWayIn`], as nobody logs in with the
/// account for all channels.
pub async fn seat(
    tx: &mut Tx,
    by: Uuid,
    seat: Seat,
    provider: Provider,
    linked: &Linked,
) -> Result<Option<Seated>, BotAccountError> {
    match seat {
        Seat::Default => {
            let person = accounts::find(&mut *tx, by).await?;
            if person.is_none_or(|person| person.role != Role::Admin) {
                return Err(BotAccountError::Forbidden);
            }
            // With one that was not linked before they did not come.
            if !linked.is_new && !identities::has_another_way_in(&mut *tx, by, linked.account.id).await? {
                return Err(BotAccountError::OnlyWayIn);
            }
        }
        Seat::Channel(id) => {
            let channel = channels::find(&mut *tx, id).await?.filter(|channel| channel.owner_id == by);
            let channel = channel.ok_or(BotAccountError::Forbidden)?;
            entitlements::require(&mut *tx, Feature::CustomBot, &channel).await?;
        }
    }
    let before = repo::find(&mut *tx, seat, provider).await?;
    repo::put(&mut *tx, seat, provider, linked.account.id).await?;
    Ok(before)
}

/// Frees the seat; who had it. What is still to be said is said by whoever is next.
///
/// # Errors
/// [`BotAccountError::NotFound`] when nobody had it.
pub async fn remove(tx: &mut Tx, seat: Seat, provider: Provider) -> Result<Seated, BotAccountError> {
    let before = repo::find(&mut *tx, seat, provider).await?.ok_or(BotAccountError::NotFound)?;
    if repo::delete(&mut *tx, seat, provider).await? { Ok(before) } else { Err(BotAccountError::NotFound) }
}

/// Accounts that may moderate in the channel's chat, as far as they were granted all of these scopes: its own bot while there is a
/// right to it, the bot for all, its owner's account. Whether they are moderators there says the platform.
///
/// # Errors
/// The database refused.
pub async fn moderators(
    conn: &mut PgConnection,
    channel: &Channel,
    provider: Provider,
    scopes: &[&str],
) -> Result<Vec<Sender>, sqlx::Error> {
    let own_bot = entitlements::has(&mut *conn, Feature::CustomBot, channel).await?;
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    repo::moderators(conn, channel, provider, &scopes, own_bot).await
}

/// Who speaks in the channel's chat now: the channel's own account, the one for all channels, or whom the settings name.
///
/// # Errors
/// The database refused.
pub async fn resolve(
    conn: &mut PgConnection,
    channel: &Channel,
    provider: Provider,
    fallback: &Fallback,
) -> Result<Option<Sender>, sqlx::Error> {
    let scope = needed(provider);
    if let Some(own) = repo::of_channel(&mut *conn, channel.id, provider, scope).await? {
        // Without the right to it, it is locked until there is one again.
        if entitlements::has(&mut *conn, Feature::CustomBot, channel).await? {
            return Ok(Some(own));
        }
    }
    if let Some(default) = repo::of_all(&mut *conn, provider, scope).await? {
        return Ok(Some(default));
    }
    if let Some(user) = fallback.user_id
        && let Some(sender) = repo::of_user(&mut *conn, user, provider, scope).await?
    {
        return Ok(Some(sender));
    }
    // The other two name an account on Twitch.
    if provider != Provider::Twitch {
        return Ok(None);
    }
    if let Some(subject) = &fallback.subject
        && let Some(sender) = repo::of_subject(&mut *conn, subject, provider, scope).await?
    {
        return Ok(Some(sender));
    }
    match &fallback.login {
        Some(login) => repo::of_login(conn, login, provider, scope).await,
        None => Ok(None),
    }
}
