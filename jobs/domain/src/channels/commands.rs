//! What can be done with a channel.

use queue::Tx;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Channel, ChannelError, Home, SettingsChange, parse_slug, repo};
use crate::{
    access::{self, Keys, Purpose},
    accounts::{self, Role, User},
    events::{self, Audience, NewEvent},
    identities::Provider,
};

/// Opens a channel for a person, who becomes a streamer.
///
/// # Errors
/// [`ChannelError::HasChannel`], [`ChannelError::SlugTaken`], [`ChannelError::Invalid`].
pub async fn open(conn: &mut PgConnection, owner: Uuid, slug: &str, name: &str) -> Result<Channel, ChannelError> {
    let slug = parse_slug(slug)?;
    SettingsChange { name: Some(name.to_owned()), ..SettingsChange::default() }.check()?;
    // Who is being forgotten right now leaves no channel behind.
    accounts::lock(&mut *conn, owner).await?.ok_or(ChannelError::NotFound)?;
    if repo::find_of_owner(&mut *conn, owner).await?.is_some() {
        return Err(ChannelError::HasChannel);
    }
    let id = Uuid::now_v7();
    if !repo::insert(&mut *conn, id, &slug, owner, name).await? {
        return Err(ChannelError::SlugTaken(slug));
    }
    accounts::promote(&mut *conn, owner, Role::Streamer).await?;
    repo::find(conn, id).await?.ok_or(ChannelError::NotFound)
}

/// The streamer's channel, made under the login as slug if there is none; linked to the Twitch account of that login.
/// Used where a login itself proves the account (dev login, demo data).
///
/// # Errors
/// [`ChannelError::SlugTaken`] when somebody else has the slug.
pub async fn ensure(conn: &mut PgConnection, owner: &User) -> Result<Channel, ChannelError> {
    if let Some(channel) = repo::find_of_owner(&mut *conn, owner.id).await? {
        return Ok(channel);
    }
    let channel = open(&mut *conn, owner.id, &owner.login, &owner.display_name).await?;
    repo::set_login(&mut *conn, channel.id, Provider::Twitch, &owner.login).await?;
    repo::find(conn, channel.id).await?.ok_or(ChannelError::NotFound)
}

/// Links the channel to its owner's own account on the platform ([`repo::own_account`]), if there is one; what the channel was
/// linked to before is forgotten then, and so is the account by a channel of somebody who had it before. A login name is never
/// asked for: whoever owns the account has shown it. Returns what the channel is linked to now.
///
/// # Errors
/// The database refused.
pub async fn link(tx: &mut Tx, channel: &Channel, platform: Provider) -> Result<Option<Home>, sqlx::Error> {
    match repo::own_account(&mut *tx, channel.id, platform).await? {
        Some((account, login)) => link_to(tx, channel, platform, &account, &login).await,
        None => repo::home(&mut *tx, channel.id, platform).await,
    }
}

/// [`link`] to what the platform itself has named as the owner's.
///
/// # Errors
/// The database refused.
pub async fn link_to(
    tx: &mut Tx,
    channel: &Channel,
    platform: Provider,
    account: &str,
    login: &str,
) -> Result<Option<Home>, sqlx::Error> {
    repo::take_from_others(&mut *tx, channel.owner_id, platform, account).await?;
    repo::name_account(&mut *tx, channel.id, platform, account, login).await?;
    repo::home(&mut *tx, channel.id, platform).await
}

/// Changes settings and tells overlay and panel.
///
/// # Errors
/// [`ChannelError::Invalid`] names the field and the range.
pub async fn change_settings(
    tx: &mut Tx,
    id: Uuid,
    change: &SettingsChange,
) -> Result<(Channel, Channel), ChannelError> {
    change.check()?;
    let before = repo::lock(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?;
    repo::update(&mut *tx, id, change).await?;
    let channel = repo::find(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?;
    let mut told = vec![config_event(&channel)];
    if change.submissions_enabled.is_some() || change.submissions_only_when_live.is_some() {
        told.push(submissions_event(&channel));
    }
    events::record(tx, told).await?;
    Ok((before, channel))
}

/// What becomes of the switch for submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
    /// The other way round than it is.
    Over,
}

/// Switches submissions, and tells panel and public if that is news. Says whether they were on before.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn switch_submissions(tx: &mut Tx, id: Uuid, switch: Switch) -> Result<(bool, Channel), ChannelError> {
    let before = repo::lock(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?.submissions_enabled;
    let after = match switch {
        Switch::On => true,
        Switch::Off => false,
        Switch::Over => !before,
    };
    if before != after {
        let change = SettingsChange { submissions_enabled: Some(after), ..SettingsChange::default() };
        repo::update(&mut *tx, id, &change).await?;
    }
    let channel = repo::find(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?;
    if before != after {
        events::record(tx, vec![submissions_event(&channel)]).await?;
    }
    Ok((before, channel))
}

/// `submissions:status`: whether viewers may send memes in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubmissionsStatus {
    enabled: bool,
    only_when_live: bool,
}

fn submissions_event(channel: &Channel) -> NewEvent {
    let status =
        SubmissionsStatus { enabled: channel.submissions_enabled, only_when_live: channel.submissions_only_when_live };
    NewEvent::new(channel.stream(), Audience::PANEL.and(Audience::PUBLIC), "submissions:status", &status)
}

/// Makes another link that switches submissions the only good one.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn rotate_switch(conn: &mut PgConnection, id: Uuid) -> Result<Channel, ChannelError> {
    repo::raise_switch(&mut *conn, id).await?;
    repo::find(conn, id).await?.ok_or(ChannelError::NotFound)
}

/// The open channel whose submissions this token switches.
///
/// # Errors
/// [`ChannelError::TokenRefused`] for a token that is malformed or rotated, and for that of a closed channel.
pub async fn with_switch(conn: &mut PgConnection, keys: &Keys, token: &str) -> Result<Channel, ChannelError> {
    let id = access::switched_channel(token).ok_or(ChannelError::TokenRefused)?;
    let channel = repo::find(conn, id).await?.ok_or(ChannelError::TokenRefused)?;
    let good = access::switch_matches(keys, id, channel.submissions_token_version, token);
    if good && !channel.closed { Ok(channel) } else { Err(ChannelError::TokenRefused) }
}

/// The streamer is live from now on, or is not any more. The channel before and after.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn set_live(tx: &mut Tx, id: Uuid, live: bool) -> Result<(Channel, Channel), ChannelError> {
    let before = repo::lock(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?;
    repo::set_live(&mut *tx, id, live).await?;
    Ok((before, repo::find(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?))
}

/// Makes a new overlay token the only good one.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn rotate_overlay_token(tx: &mut Tx, id: Uuid) -> Result<Channel, ChannelError> {
    repo::raise_overlay_token(&mut *tx, id).await?;
    let channel = repo::find(&mut *tx, id).await?.ok_or(ChannelError::NotFound)?;
    events::record(tx, vec![revoked_event(&channel, Purpose::Overlay)]).await?;
    Ok(channel)
}

/// Tells every process that tokens older than the channel's present one are dead, so that their open streams end.
#[must_use]
pub fn revoked_event(channel: &Channel, purpose: Purpose) -> NewEvent {
    let (name, version) = match purpose {
        Purpose::Overlay => ("overlay:revoked", channel.overlay_token_version),
        Purpose::Credits => ("credits:revoked", channel.credits_token_version),
    };
    NewEvent::new(channel.stream(), Audience::NOBODY, name, &Revoked { version })
}

/// `overlay:revoked` and `credits:revoked`: the oldest version that still counts.
#[derive(Serialize)]
struct Revoked {
    version: i32,
}

/// Closes (or opens) the channel for new activations; what waits or plays goes on. Whether it was closed before.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn set_intake_paused(conn: &mut PgConnection, id: Uuid, paused: bool) -> Result<bool, ChannelError> {
    repo::set_intake_paused(conn, id, paused).await?.ok_or(ChannelError::NotFound)
}

/// The channel whose present token this is.
///
/// # Errors
/// [`ChannelError::TokenRefused`] for a token that is malformed, of another door, or rotated.
pub async fn with_token(
    conn: &mut PgConnection,
    keys: &Keys,
    purpose: Purpose,
    token: &str,
) -> Result<Channel, ChannelError> {
    let id = access::named_channel(purpose, token).ok_or(ChannelError::TokenRefused)?;
    let channel = repo::find(conn, id).await?.ok_or(ChannelError::TokenRefused)?;
    let version = match purpose {
        Purpose::Overlay => channel.overlay_token_version,
        Purpose::Credits => channel.credits_token_version,
    };
    if access::token_matches(keys, purpose, id, version, token) { Ok(channel) } else { Err(ChannelError::TokenRefused) }
}

/// `overlay:config`: how an overlay shall show what it gets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OverlayConfig<'a> {
    overlay_mode: &'static str,
    overlay_show_sender: bool,
    overlay_max_concurrent: i16,
    overlay_style_json: Option<&'a str>,
}

/// The channel's present `overlay:config`.
#[must_use]
pub fn config_event(channel: &Channel) -> NewEvent {
    let config = OverlayConfig {
        overlay_mode: channel.overlay_mode.as_str(),
        overlay_show_sender: channel.overlay_show_sender,
        overlay_max_concurrent: channel.overlay_max_concurrent,
        overlay_style_json: channel.overlay_style_json.as_deref(),
    };
    NewEvent::new(channel.stream(), Audience::OVERLAY.and(Audience::PANEL), "overlay:config", &config)
}
