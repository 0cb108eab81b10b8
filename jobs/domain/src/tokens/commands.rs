//! What becomes of tokens.

use queue::{Topic, Tx};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    Change, Kind, NewToken, Opened, Program, Secret, Sighting, Token, TokenError,
    model::check_name,
    repo::{self, Raised},
};
use crate::{
    access::{Keys, Purpose},
    acts::{self, Act, By},
    channels::{self, Channel, ChannelError},
    events::{self, Audience, NewEvent, Stream},
    mails::{self, MailError},
    sessions,
};

/// Tokens of one channel, at most.
const MOST: i64 = 50;

/// The channel's tokens: its own links to the overlay and to the credits first, then the others, the oldest first.
///
/// # Errors
/// The database refused.
pub async fn list(conn: &mut PgConnection, channel: &Channel) -> Result<Vec<Token>, sqlx::Error> {
    repo::insert_own(&mut *conn, &[channel.id, channel.credits_token_id]).await?;
    repo::list(conn, channel.id, None).await
}

/// Makes a token for the channel. What it is can be told once: only its hash is kept.
///
/// # Errors
/// [`TokenError::Invalid`], [`TokenError::Full`].
pub async fn create(tx: &mut Tx, by: &By, channel: &Channel, wish: &NewToken) -> Result<(Token, Secret), TokenError> {
    let scopes = wish.check()?;
    if repo::lock_count(&mut *tx, channel.id).await? >= MOST {
        return Err(TokenError::Full(MOST));
    }
    let (id, secret) = (Uuid::now_v7(), Secret::new(wish.kind));
    if !repo::insert(&mut *tx, id, channel.id, wish, &scopes, &Secret::hash(secret.expose())).await? {
        return Err(TokenError::Invalid { field: "expiresAt", problem: "a time that is yet to come" });
    }
    let token = find(&mut *tx, channel.id, id).await?;
    note(tx, by, Act::new("create_token").on(channel.id).with(id), None, Some(&token)).await?;
    Ok((token, secret))
}

/// Renames the channel's token, or takes its alarm back.
///
/// # Errors
/// [`TokenError::NotFound`], [`TokenError::Invalid`].
pub async fn change(tx: &mut Tx, by: &By, channel: &Channel, id: Uuid, change: &Change) -> Result<Token, TokenError> {
    let before = locked(tx, channel, id).await?;
    if let Some(name) = &change.name {
        check_name(name)?;
        repo::rename(&mut *tx, id, name).await?;
    }
    if change.acknowledge_alarm {
        repo::acknowledge(&mut *tx, id).await?;
    }
    let after = find(tx, channel.id, id).await?;
    note(tx, by, Act::new("change_token").on(channel.id).with(id), Some(&before), Some(&after)).await?;
    Ok(after)
}

/// Revokes the channel's token: it opens nothing from the commit on, and what it has opened ends.
///
/// # Errors
/// [`TokenError::NotFound`]; [`TokenError::Own`] for the link that is rotated instead.
pub async fn revoke(tx: &mut Tx, by: &By, channel: &Channel, id: Uuid) -> Result<(), TokenError> {
    let token = locked(tx, channel, id).await?;
    if token.own {
        return Err(TokenError::Own);
    }
    repo::revoke(&mut *tx, id).await?;
    note(tx, by, Act::new("revoke_token").on(channel.id).with(id), Some(&token), None).await?;
    tx.wake(Topic::Matter(sessions::MATTER.into()));
    Ok(())
}

/// Makes another link to the overlay the only good one of the channel's own; tokens of its sources go on.
///
/// # Errors
/// The channel is gone, or the database refused.
pub async fn rotate_own(tx: &mut Tx, channel: Uuid) -> Result<Channel, ChannelError> {
    // Before the event is recorded: streams are locked last.
    repo::reset(&mut *tx, channel).await?;
    channels::rotate_overlay_token(tx, channel).await
}

/// The channel that the token in an address opens: one of its own links, or the token of one source.
///
/// # Errors
/// [`ChannelError::TokenRefused`] for a token that is malformed, of another door, rotated, revoked or over, and for all of a
/// channel that is closed; they are good again when that is taken back.
pub async fn open_door(
    conn: &mut PgConnection,
    keys: &Keys,
    purpose: Purpose,
    token: &str,
) -> Result<Opened, ChannelError> {
    if purpose == Purpose::Overlay && Secret::kind_of(token) == Some(Kind::Overlay) {
        let found = repo::find_overlay(&mut *conn, &Secret::hash(token)).await?;
        let (id, channel) = found.ok_or(ChannelError::TokenRefused)?;
        let channel = channels::find(&mut *conn, channel).await?.ok_or(ChannelError::TokenRefused)?;
        return Ok(Opened { channel: if_open(channel)?, token: id, revocable: true });
    }
    let channel = channels::with_token(&mut *conn, keys, purpose, token).await?;
    let token = match purpose {
        Purpose::Overlay => channel.id,
        Purpose::Credits => channel.credits_token_id,
    };
    Ok(Opened { channel: if_open(channel)?, token, revocable: false })
}

fn if_open(channel: Channel) -> Result<Channel, ChannelError> {
    channel.if_open().map_err(|_| ChannelError::TokenRefused)
}

/// The dock or program that this token proves, if it is good.
///
/// # Errors
/// The database refused.
pub async fn find_good(conn: &mut PgConnection, token: &str) -> Result<Option<Program>, sqlx::Error> {
    match Secret::kind_of(token) {
        Some(Kind::Dock | Kind::Api) => repo::find_program(conn, &Secret::hash(token)).await,
        Some(Kind::Overlay) | None => Ok(None),
    }
}

/// Notes from where tokens are used right now. Who comes from two networks at the same time is told of to the streamer: a
/// network from which nothing came for ten minutes has been left; by mail, too, where mails are sent.
///
/// # Errors
/// The database refused.
pub async fn sight(tx: &mut Tx, sightings: &[Sighting], by_mail: bool) -> Result<(), MailError> {
    let ids: Vec<Uuid> = sightings.iter().map(|sighting| sighting.token).collect();
    repo::insert_own(&mut *tx, &ids).await?;
    let there = repo::lock(&mut *tx, &ids).await?;
    let sightings: Vec<Sighting> =
        sightings.iter().filter(|sighting| there.contains(&sighting.token)).cloned().collect();
    repo::write(&mut *tx, &sightings).await?;
    let raised = repo::raise(&mut *tx, &there).await?;
    for found in raised.iter().filter(|_| by_mail) {
        let Raised { owner, name, network, other, .. } = found;
        mails::tell(tx, *owner, mails::Kind::TokenElsewhere, Some(&format!("{name} ({network}, {other})")), None)
            .await?;
    }
    Ok(events::record(tx, raised.into_iter().map(alarm).collect()).await?)
}

/// `token:second_address`: which token, and from where.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecondAddress {
    token_id: Uuid,
    kind: String,
    name: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    address: String,
    other_address: String,
}

fn alarm(raised: Raised) -> NewEvent {
    tracing::warn!(token = %raised.id, channel = raised.slug, "a token comes from two networks");
    let words = SecondAddress {
        token_id: raised.id,
        kind: raised.kind,
        name: raised.name,
        at: raised.at,
        address: raised.network,
        other_address: raised.other,
    };
    NewEvent::new(Stream::Channel(raised.slug), Audience::OWNER, "token:second_address", &words)
}

async fn find(conn: &mut PgConnection, channel: Uuid, id: Uuid) -> Result<Token, TokenError> {
    repo::list(conn, channel, Some(id)).await?.pop().ok_or(TokenError::NotFound)
}

async fn locked(conn: &mut PgConnection, channel: &Channel, id: Uuid) -> Result<Token, TokenError> {
    if id == channel.id || id == channel.credits_token_id {
        repo::insert_own(&mut *conn, &[id]).await?;
    }
    repo::lock(&mut *conn, &[id]).await?;
    find(conn, channel.id, id).await
}

async fn note(
    tx: &mut Tx,
    by: &By,
    act: Act,
    before: Option<&Token>,
    after: Option<&Token>,
) -> Result<(), sqlx::Error> {
    let words = |token: Option<&Token>| {
        token.map_or(Value::Null, |token| {
            let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
            let alarm = token.alarm.is_some();
            let expires_at = token.expires_at.and_then(|at| at.format(&Rfc3339).ok());
            json!({ "kind": token.kind.as_str(), "name": token.name, "scopes": scopes, "expiresAt": expires_at, "alarm": alarm })
        })
    };
    acts::note(&mut *tx, by, act.changing(words(before), words(after))).await
}
