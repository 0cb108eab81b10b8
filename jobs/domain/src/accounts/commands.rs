//! What an admin can do with people. Each act is written down with what was before and after, and ends all sessions of the
//! person.
//!
//! Whoever is banned, or is no streamer any more, is shut out of the own channel, too, which is closed to everybody:
//! whatever reads it ends at once, and it opens again when that is taken back.
//!
//! Admins act on people one after the other: two who take the role from each other must not both succeed.

use queue::Tx;
use serde_json::json;
use uuid::Uuid;

use super::{AccountError, BanNews, Role, User, repo};
use crate::{
    acts::{self, Act, By},
    events::{self, NewEvent},
    sessions::{self, EndReason},
};

/// Gives the person another role. One that the person has already changes nothing; whether it did is said beside the person.
///
/// # Errors
/// [`AccountError::NotFound`], [`AccountError::Own`] when `actor` is that person, [`AccountError::LastAdmin`],
/// [`AccountError::NoAdmin`] when `actor` is none any more.
pub async fn change_role(
    tx: &mut Tx,
    by: &By,
    actor: Uuid,
    user: Uuid,
    role: Role,
) -> Result<(User, bool), AccountError> {
    let before = other(tx, actor, user).await?;
    keep_one(tx, actor, &before, role < Role::Admin).await?;
    let after = grant(tx, by, user, role).await?;
    Ok((after, before.role != role))
}

/// The same, for whoever is nobody here: an operator at a command line.
///
/// # Errors
/// [`AccountError::NotFound`].
pub async fn grant(tx: &mut Tx, by: &By, user: Uuid, role: Role) -> Result<User, AccountError> {
    let before = repo::lock(&mut *tx, user).await?.ok_or(AccountError::NotFound)?;
    if before.role == role {
        return Ok(before);
    }
    repo::set_role(&mut *tx, user, role).await?;
    sessions::end_all_of_user(tx, user, None, EndReason::Role).await?;
    let act = Act::new("change_role").to(user);
    let act = act.changing(json!({ "role": before.role.as_str() }), json!({ "role": role.as_str() }));
    acts::note(&mut *tx, by, act).await?;
    let after = User { role, ..before.clone() };
    shut_doors(tx, &before, &after).await?;
    Ok(after)
}

/// Takes the person's sessions and lets the person open no others, until [`unban`]. One who is banned already remains so
/// since then; what is said of why then takes the place of what was said before.
///
/// # Errors
/// As [`change_role`].
pub async fn ban(
    tx: &mut Tx,
    by: &By,
    actor: Uuid,
    user: Uuid,
    reason: Option<&str>,
) -> Result<(User, BanNews), AccountError> {
    let (user, is_news) = set_banned(tx, by, actor, user, true, reason).await?;
    if is_news {
        return Ok((user, BanNews::Banned));
    }
    let before = acts::last_reason(&mut *tx, user.id, "ban").await?;
    if reason.is_none() || reason == before.as_deref() {
        return Ok((user, BanNews::None));
    }
    let act = Act::new("ban").to(user.id).because(reason);
    acts::note(&mut *tx, by, act.changing(json!({ "reason": before }), json!({ "reason": reason }))).await?;
    Ok((user, BanNews::Reason))
}

/// The person may log in again.
///
/// # Errors
/// As [`change_role`].
pub async fn unban(tx: &mut Tx, by: &By, actor: Uuid, user: Uuid) -> Result<(User, bool), AccountError> {
    set_banned(tx, by, actor, user, false, None).await
}

async fn set_banned(
    tx: &mut Tx,
    by: &By,
    actor: Uuid,
    user: Uuid,
    banned: bool,
    reason: Option<&str>,
) -> Result<(User, bool), AccountError> {
    let before = other(tx, actor, user).await?;
    keep_one(tx, actor, &before, banned).await?;
    if before.banned_at.is_some() == banned {
        return Ok((before, false));
    }
    repo::set_banned(&mut *tx, user, banned).await?;
    if banned {
        sessions::end_all_of_user(tx, user, None, EndReason::Ban).await?;
    }
    let act = Act::new(if banned { "ban" } else { "unban" }).to(user).because(reason);
    acts::note(&mut *tx, by, act.changing(json!({ "banned": !banned }), json!({ "banned": banned }))).await?;
    let after = repo::find(&mut *tx, user).await?.ok_or(AccountError::NotFound)?;
    shut_doors(tx, &before, &after).await?;
    Ok((after, true))
}

/// Ends what reads the person's channel, when it closes with the person.
async fn shut_doors(tx: &mut Tx, before: &User, after: &User) -> Result<(), AccountError> {
    if !before.may_stream() || after.may_stream() {
        return Ok(());
    }
    let Some(slug) = repo::channel_of(&mut *tx, after.id).await? else { return Ok(()) };
    Ok(events::record(tx, NewEvent::shut(&slug).into()).await?)
}

/// The person may look at the pages of ops from now on, or may not any more.
///
/// # Errors
/// As [`change_role`].
pub async fn set_observer(tx: &mut Tx, by: &By, actor: Uuid, user: Uuid, observer: bool) -> Result<User, AccountError> {
    let before = hold_other(tx, actor, user).await?;
    if before.observer == observer {
        return Ok(before);
    }
    repo::set_observer(&mut *tx, user, observer).await?;
    let act = Act::new("change_observer").to(user);
    acts::note(&mut *tx, by, act.changing(json!({ "observer": before.observer }), json!({ "observer": observer })))
        .await?;
    Ok(User { observer, ..before })
}

/// Somebody on whom an admin acts in a way that takes no admin: held until the end of the transaction.
///
/// # Errors
/// [`AccountError::NotFound`], [`AccountError::Own`], [`AccountError::NoAdmin`].
pub async fn hold_other(tx: &mut Tx, actor: Uuid, user: Uuid) -> Result<User, AccountError> {
    let found = other(tx, actor, user).await?;
    keep_one(tx, actor, &found, false).await?;
    Ok(found)
}

/// Somebody else than who acts: an admin who could shut out themselves might be the last one. No other admin acts on
/// anybody until the end of the transaction.
async fn other(tx: &mut Tx, actor: Uuid, user: Uuid) -> Result<User, AccountError> {
    repo::hold_admins(&mut *tx).await?;
    let found = repo::lock(&mut *tx, user).await?.ok_or(AccountError::NotFound)?;
    if found.id == actor { Err(AccountError::Own) } else { Ok(found) }
}

/// Whoever acts may have been an admin when the request came, and none any more when it was its turn; `takes`: it takes one.
async fn keep_one(tx: &mut Tx, actor: Uuid, user: &User, takes: bool) -> Result<(), AccountError> {
    let is_admin = |user: &User| user.role == Role::Admin && user.banned_at.is_none();
    if takes && is_admin(user) && repo::is_last_admin(&mut *tx, user.id).await? {
        return Err(AccountError::LastAdmin);
    }
    let actor = repo::find(&mut *tx, actor).await?;
    if actor.as_ref().is_some_and(is_admin) { Ok(()) } else { Err(AccountError::NoAdmin) }
}
