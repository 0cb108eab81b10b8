//! What can be done with credits.

use std::time::Duration;

use queue::{Options, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ChatterEvent, CreditsConfig, CreditsError, DonorEvent, ForgetCreditsSession, PublishCredits, RelayChatter, Seen,
    repo,
};
use crate::{
    access,
    channels::{self, Channel},
    events::{self, Audience, NewEvent, Stream},
    outbox::Provider,
    tokens,
};

/// `credits:state` is told at most this often.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes of a style.
const MAX_STYLE: usize = 16 * 1024;

/// Sightings outlive their session by this long: a relay job, which reads them, tries for half a day.
const SESSION_KEPT: Duration = Duration::from_hours(24);

/// Notices people in a chat; each new one of the session is relayed to every target. Returns how many were new.
///
/// # Errors
/// The database refused.
pub async fn sight(tx: &mut Tx, platform: Provider, seen: &[Seen], targets: &[String]) -> Result<usize, CreditsError> {
    if seen.is_empty() || targets.is_empty() {
        return Ok(0);
    }
    let new = repo::insert_sightings(tx, platform, seen).await?;
    for &sighting_id in &new {
        for target in targets {
            queue::enqueue(tx, &RelayChatter { sighting_id, target: target.clone() }).await?;
        }
    }
    Ok(new.len())
}

/// Tells the credits of the channels anew: somebody was banned there, whom they do not name any more.
///
/// # Errors
/// The database refused.
pub async fn tell_anew(tx: &mut Tx, channels: &[Uuid]) -> Result<(), CreditsError> {
    for channel in channels {
        changed(tx, *channel).await?;
    }
    Ok(())
}

/// Adds a chatter, once by the event's id.
///
/// # Errors
/// [`CreditsError::ChannelNotFound`]; [`CreditsError::Invalid`] for a name or id that is empty or too long.
pub async fn add_chatter(tx: &mut Tx, event_id: &str, event: &ChatterEvent) -> Result<(), CreditsError> {
    let name = named("displayName", &event.display_name)?;
    let user_id = named("userId", &event.user_id)?;
    let Some(channel) = apply(tx, event_id, &event.channel_slug).await? else { return Ok(()) };
    let session = repo::session(tx, channel.id).await?;
    let new = repo::insert_chatter(tx, session, channel.id, user_id, name, link(event.avatar_url.as_deref())).await?;
    if new { changed(tx, channel.id).await } else { Ok(()) }
}

/// Adds a donation, once by the event's id.
///
/// # Errors
/// [`CreditsError::ChannelNotFound`]; [`CreditsError::Invalid`] for a name that is empty or too long or a currency that
/// is not three letters.
pub async fn add_donor(tx: &mut Tx, event_id: &str, event: &DonorEvent) -> Result<(), CreditsError> {
    let name = named("name", &event.name)?;
    let currency = event.currency.trim().to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(CreditsError::Invalid { field: "currency", problem: "three letters, e.g. RUB" });
    }
    let Some(channel) = apply(tx, event_id, &event.channel_slug).await? else { return Ok(()) };
    let session = repo::session(tx, channel.id).await?;
    let avatar = link(event.avatar_url.as_deref());
    repo::add_donation(tx, session, channel.id, name, &currency, event.amount, avatar).await?;
    changed(tx, channel.id).await
}

/// The session that a [`reset`] ended, if there was one, and the one that it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    pub over: Option<Uuid>,
    pub present: Uuid,
}

/// Begins a new session: the credits are empty, and who writes from now on is new.
///
/// # Errors
/// The database refused.
pub async fn reset(tx: &mut Tx, channel_id: Uuid) -> Result<Sessions, CreditsError> {
    let over = repo::lock_session_id(tx, channel_id).await?;
    let present = Uuid::now_v7();
    repo::new_session(tx, channel_id, present).await?;
    if let Some(session_id) = over {
        let later = Options { delay: Some(SESSION_KEPT), ..Options::default() };
        queue::enqueue_with(tx, &ForgetCreditsSession { session_id }, later).await?;
    }
    changed(tx, channel_id).await?;
    Ok(Sessions { over, present })
}

/// What [`publish`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    Done,
    /// The last value was told less than a second ago: again in this time.
    TooSoon(Duration),
}

/// Records `credits:state` for the overlay, unless the last one is younger than a second.
///
/// # Errors
/// The database refused.
pub async fn publish(tx: &mut Tx, channel_id: Uuid) -> Result<Published, sqlx::Error> {
    // Locked first: of two that run at once, the second sees when the first one told.
    let Some(session) = repo::lock_session(tx, channel_id).await? else { return Ok(Published::Done) };
    if let Some(age) = session.published_ago
        && age < PUBLISH_INTERVAL.as_secs_f64()
    {
        let rest = PUBLISH_INTERVAL.as_secs_f64() - age.max(0.0);
        return Ok(Published::TooSoon(Duration::from_secs_f64(rest.max(0.01))));
    }
    let state = repo::state(tx, channel_id).await?;
    repo::set_published(tx, channel_id).await?;
    let event = NewEvent::new(Stream::Channel(session.slug), Audience::CREDITS, "credits:state", &state);
    events::record(tx, vec![event]).await?;
    Ok(Published::Done)
}

/// Sets how the overlay shall look (`None`: as it comes) and tells it at once.
///
/// # Errors
/// [`CreditsError::Invalid`] for what is no JSON object or too long.
pub async fn set_style(tx: &mut Tx, channel: &Channel, style: Option<&str>) -> Result<CreditsConfig, CreditsError> {
    let invalid = |problem| CreditsError::Invalid { field: "creditsStyleJson", problem };
    if style.is_some_and(|style| style.len() > MAX_STYLE) {
        return Err(invalid("at most 16384 bytes"));
    }
    if style.is_some_and(|style| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(style).is_err()) {
        return Err(invalid("must be a JSON object"));
    }
    repo::set_style(tx, channel.id, style).await?;
    let config = CreditsConfig { credits_style_json: style.map(str::to_owned) };
    let event = NewEvent::new(channel.stream(), Audience::CREDITS.and(Audience::PANEL), "credits:config", &config);
    events::record(tx, vec![event]).await?;
    Ok(config)
}

/// Makes a new credits token the only good one.
///
/// # Errors
/// [`CreditsError::ChannelNotFound`], or the database refused.
pub async fn rotate_token(tx: &mut Tx, channel_id: Uuid) -> Result<Channel, CreditsError> {
    repo::raise_token(tx, channel_id).await?;
    let channel = channels::find(tx, channel_id).await?.ok_or(CreditsError::ChannelNotFound)?;
    // Before the event is recorded: streams are locked last.
    tokens::reset(&mut *tx, channel.credits_token_id).await?;
    events::record(tx, vec![channels::revoked_event(&channel, access::Purpose::Credits)]).await?;
    Ok(channel)
}

/// Forgets ids of events that no sender can repeat any more: a signature is good for minutes, a relay job for a day.
/// Returns how many.
///
/// # Errors
/// The database refused.
pub async fn forget_old_events(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    repo::delete_old_events(conn).await
}

/// Forgets up to `limit` sightings, as many chatters and as many donors of a session that is over. Returns the largest
/// count: less than `limit` means that nothing of it is left.
///
/// # Errors
/// The database refused.
pub async fn forget_session(conn: &mut PgConnection, session_id: Uuid, limit: i64) -> Result<u64, sqlx::Error> {
    let sightings = repo::delete_sightings(conn, session_id, limit).await?;
    let chatters = repo::delete_chatters(conn, session_id, limit).await?;
    let donors = repo::delete_donors(conn, session_id, limit).await?;
    Ok(sightings.max(chatters).max(donors))
}

/// The channel that the event is for; `None` when the event was applied before.
async fn apply(tx: &mut Tx, event_id: &str, slug: &str) -> Result<Option<Channel>, CreditsError> {
    if event_id.is_empty() || event_id.len() > 128 {
        return Err(CreditsError::Invalid { field: "event", problem: "1 to 128 bytes" });
    }
    let channel = channels::find_by_slug(tx, slug).await?.ok_or(CreditsError::ChannelNotFound)?;
    Ok(repo::insert_event(tx, event_id).await?.then_some(channel))
}

async fn changed(tx: &mut Tx, channel_id: Uuid) -> Result<(), CreditsError> {
    queue::enqueue(tx, &PublishCredits { channel_id }).await?;
    Ok(())
}

fn named<'a>(field: &'static str, value: &'a str) -> Result<&'a str, CreditsError> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > 100 || value.chars().any(char::is_control) {
        return Err(CreditsError::Invalid { field, problem: "1 to 100 characters on one line" });
    }
    Ok(value)
}

/// A picture's address, if it is one that a page may load.
fn link(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url.starts_with("https://") && url.len() <= 2048)
}
