//! Changes of a team; each is written down with what was before and after.

use queue::Tx;
use serde_json::json;

use super::{Member, TeamError, TeamRole, repo};
use crate::{
    accounts::{self, User},
    acts::{self, Act, By},
    channels::{self, Channel},
};

/// People in one team, at most.
const MOST: i64 = 100;

/// Takes the person with this login into the channel's team, or gives them another role in it. Whether that is news is said beside
/// the member.
///
/// # Errors
/// [`TeamError::NoSuchPerson`], [`TeamError::Owner`], [`TeamError::Banned`], [`TeamError::Full`].
pub async fn put(
    tx: &mut Tx,
    by: &By,
    owner: &User,
    channel: &Channel,
    login: &str,
    role: TeamRole,
) -> Result<(Member, bool), TeamError> {
    let user = person(tx, login).await?.ok_or(TeamError::NoSuchPerson)?;
    if user.id == channel.owner_id {
        return Err(TeamError::Owner);
    }
    let size = repo::lock_size(&mut *tx, channel.id).await?;
    // Whoever is being forgotten right now is nobody here.
    let user = accounts::lock(&mut *tx, user.id).await?.ok_or(TeamError::NoSuchPerson)?;
    if user.banned_at.is_some() {
        return Err(TeamError::Banned);
    }
    let before = repo::role_of(&mut *tx, channel.id, user.id).await?;
    if before.is_none() && size >= MOST {
        return Err(TeamError::Full(MOST));
    }
    let is_news = before != Some(role);
    if is_news {
        repo::put(&mut *tx, channel.id, user.id, role, owner.id).await?;
        note(tx, by, channel, &user, before, Some(role)).await?;
    }
    let team = repo::list(&mut *tx, channel.id).await?;
    let member = team.into_iter().find(|member| member.user_id == user.id).ok_or(TeamError::NoMember)?;
    Ok((member, is_news))
}

/// Takes the person with this login out of the channel's team; says who it was.
///
/// # Errors
/// [`TeamError::NoMember`].
pub async fn remove(tx: &mut Tx, by: &By, channel: &Channel, login: &str) -> Result<User, TeamError> {
    let user = person(tx, login).await?.ok_or(TeamError::NoMember)?;
    let before = repo::remove(&mut *tx, channel.id, user.id).await?.ok_or(TeamError::NoMember)?;
    note(tx, by, channel, &user, Some(before), None).await?;
    Ok(user)
}

/// The person leaves the team of the channel with this slug.
///
/// # Errors
/// [`TeamError::NoTeam`], also where there is no such channel; [`TeamError::Owner`].
pub async fn leave(tx: &mut Tx, by: &By, user: &User, slug: &str) -> Result<(), TeamError> {
    let channel = channels::find_by_slug(&mut *tx, slug).await?.ok_or(TeamError::NoTeam)?;
    if channel.owner_id == user.id {
        return Err(TeamError::Owner);
    }
    let before = repo::remove(&mut *tx, channel.id, user.id).await?.ok_or(TeamError::NoTeam)?;
    note(tx, by, &channel, user, Some(before), None).await
}

async fn person(tx: &mut Tx, login: &str) -> Result<Option<User>, sqlx::Error> {
    match accounts::parse_login(login) {
        Ok(login) => accounts::find_by_login(&mut *tx, &login).await,
        // A word that is no login is nobody's.
        Err(_) => Ok(None),
    }
}

async fn note(
    tx: &mut Tx,
    by: &By,
    channel: &Channel,
    user: &User,
    before: Option<TeamRole>,
    after: Option<TeamRole>,
) -> Result<(), TeamError> {
    let role = |role: Option<TeamRole>| json!({ "role": role.map(TeamRole::as_str) });
    let act = Act::new("change_team").to(user.id).on(channel.id).changing(role(before), role(after));
    acts::note(&mut *tx, by, act).await?;
    Ok(())
}
