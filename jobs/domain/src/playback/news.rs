//! What screens, panel and page are told about playback.

use std::{collections::HashMap, time::Duration};

use queue::{Order, Tx};
use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AnnounceQueue, PlaybackError, repo};
use crate::{
    activations::{self, Activation, Reason},
    channels::Channel,
    events::{self, Audience, NewEvent, Stream},
};

/// `queue:state` is told at most four times a second.
pub(super) const ANNOUNCE_EVERY: Duration = Duration::from_millis(250);
/// Items that screens are told of before they play.
const UPCOMING: i64 = 3;

/// An item that plays, as `activation:new` and `overlay:state` say it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayView {
    pub id: Uuid,
    pub meme_id: Uuid,
    #[serde(rename = "type")]
    pub media_type: String,
    pub file_url: String,
    /// Milliseconds.
    pub duration_ms: i32,
    /// Per cent.
    pub volume: i16,
    /// Decibels that make it as loud as everything else; none where there is nothing to hear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain_db: Option<f64>,
    pub title: String,
    pub sender_display_name: String,
    pub play_epoch: i64,
    /// When a screen began to show it; null until one has.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// Milliseconds since then, without pauses; 0 until a screen has begun.
    pub elapsed_ms: i64,
    /// As [`activations::Source`] has it.
    pub source: String,
}

impl PlayView {
    pub(super) fn new(activation: &Activation, elapsed_ms: i64) -> Self {
        Self {
            id: activation.id,
            meme_id: activation.meme_id,
            media_type: activation.media_type.clone(),
            file_url: activation.file_url(),
            duration_ms: activation.duration_ms,
            volume: activation.volume,
            gain_db: activation.gain_db,
            title: activation.title.clone(),
            sender_display_name: activation.sender_name.clone(),
            play_epoch: activation.play_epoch,
            started_at: activation.started_at,
            elapsed_ms,
            source: activation.source.clone(),
        }
    }
}

/// An item that will play soon: what a screen needs to have its file at hand.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upcoming {
    #[serde(rename = "type")]
    pub media_type: String,
    pub file_url: String,
}

/// How a channel's queue stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueState {
    pub playing: Vec<PlayView>,
    /// Items that wait.
    pub queued_count: i64,
    pub playback_paused: bool,
    pub intake_paused: bool,
    /// Screens connected now.
    pub screens: i64,
    /// The first items that wait, in the order of play; for screens and panel, so that nobody else is told the surprise.
    /// None while nothing waits, or no screen is there to make ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Vec<Upcoming>>,
}

impl QueueState {
    /// As everybody may know it.
    #[must_use]
    pub fn public(self) -> Self {
        Self { next: None, ..self }
    }
}

/// What plays on the channel now, with elapsed times, in the order of the starts.
///
/// # Errors
/// The database refused.
pub async fn playing(conn: &mut PgConnection, channel: Uuid) -> Result<Vec<PlayView>, sqlx::Error> {
    Ok(repo::playing(conn, &[channel]).await?.remove(&channel).unwrap_or_default())
}

/// How the channel's queue stands now.
///
/// # Errors
/// `RowNotFound` when there is no such channel.
pub async fn queue_state(conn: &mut PgConnection, channel: Uuid) -> Result<QueueState, sqlx::Error> {
    let looks = repo::look(&mut *conn, &[channel]).await?;
    let playing = repo::playing(&mut *conn, &[channel]).await?;
    let (_, state) = queue_states(conn, looks, playing).await?.pop().ok_or(sqlx::Error::RowNotFound)?;
    Ok(state)
}

/// How the channels' queues stand, with the streams that are told of it; `playing` is what plays on them.
async fn queue_states(
    conn: &mut PgConnection,
    looks: Vec<repo::Look>,
    mut playing: HashMap<Uuid, Vec<PlayView>>,
) -> Result<Vec<(Stream, QueueState)>, sqlx::Error> {
    let ready = looks.iter().filter(|look| look.queued > 0 && look.screens > 0);
    let waiting: Vec<Uuid> = ready.map(|look| look.channel_id).collect();
    let mut next: HashMap<Uuid, Vec<Upcoming>> = HashMap::new();
    if !waiting.is_empty() {
        for activation in activations::list_upcoming(conn, &waiting, UPCOMING).await? {
            let item = Upcoming { media_type: activation.media_type.clone(), file_url: activation.file_url() };
            next.entry(activation.channel_id).or_default().push(item);
        }
    }
    let states = looks.into_iter().map(|look| {
        let state = QueueState {
            playing: playing.remove(&look.channel_id).unwrap_or_default(),
            queued_count: look.queued,
            playback_paused: look.paused,
            intake_paused: look.intake_paused,
            screens: look.screens,
            next: next.remove(&look.channel_id),
        };
        (Stream::Channel(look.slug), state)
    });
    Ok(states.collect())
}

/// Tells everybody how the channels' queues stand; the last act of the transaction.
///
/// # Errors
/// The database refused.
pub async fn announce(tx: &mut Tx, channels: &[Uuid]) -> Result<(), PlaybackError> {
    let announced = announcements(tx, channels).await?;
    queue::enqueue_all(tx, announced.later).await?;
    events::record(tx, announced.now).await?;
    Ok(())
}

/// News of queues: what is told in this transaction, and the orders for what must wait.
pub(super) struct Announcements {
    pub(super) now: Vec<NewEvent>,
    pub(super) later: Vec<Order>,
}

/// How the channels' queues stand, for those that were quiet long enough; the others are told soon, once for all changes
/// until then.
pub(super) async fn announcements(tx: &mut Tx, channels: &[Uuid]) -> Result<Announcements, PlaybackError> {
    if channels.is_empty() {
        return Ok(Announcements { now: Vec::new(), later: Vec::new() });
    }
    let due = repo::take_word(&mut *tx, channels, ANNOUNCE_EVERY).await?;
    let mut now = Vec::new();
    if !due.is_empty() {
        let looks = repo::look(&mut *tx, &due).await?;
        let playing = repo::playing(&mut *tx, &due).await?;
        now = told(tx, looks, playing).await?;
    }
    let waiting: Vec<Uuid> = channels.iter().filter(|id| !due.contains(id)).copied().collect();
    Ok(Announcements { now, later: announcements_later(&waiting)? })
}

/// `queue:state` of the channels.
pub(super) async fn told(
    tx: &mut Tx,
    looks: Vec<repo::Look>,
    playing: HashMap<Uuid, Vec<PlayView>>,
) -> Result<Vec<NewEvent>, sqlx::Error> {
    let states = queue_states(&mut *tx, looks, playing).await?;
    Ok(states.into_iter().flat_map(|(stream, state)| state_events(stream, state)).collect())
}

/// Has the queues' states told soon, once for all changes until then.
pub(super) fn announcements_later(channels: &[Uuid]) -> Result<Vec<Order>, queue::EnqueueError> {
    let orders =
        channels.iter().map(|&channel_id| Ok(Order::new(&AnnounceQueue { channel_id })?.after(ANNOUNCE_EVERY)));
    orders.collect()
}

/// One event, or two where there is something that not everybody may know.
fn state_events(stream: Stream, state: QueueState) -> Vec<NewEvent> {
    if state.next.is_none() {
        return vec![NewEvent::new(stream, EVERYBODY, "queue:state", &state)];
    }
    let behind = NewEvent::new(stream.clone(), BACKSTAGE, "queue:state", &state);
    vec![behind, NewEvent::new(stream, Audience::PUBLIC, "queue:state", &state.public())]
}

const BACKSTAGE: Audience = Audience::OVERLAY.and(Audience::PANEL);
const EVERYBODY: Audience = BACKSTAGE.and(Audience::PUBLIC);

/// `activation:new`: show this.
pub(super) fn new_event(activation: &Activation) -> NewEvent {
    event(activation, "activation:new", &PlayView::new(activation, 0))
}

/// `activation:started`: a screen began; others join in at the elapsed time.
pub(super) fn started_event(activation: &Activation) -> NewEvent {
    event(activation, "activation:started", &PlayView::new(activation, 0))
}

/// `activation:stop`: take it off the screen.
pub(super) fn stop_event(activation: &Activation, reason: Reason) -> NewEvent {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Stop {
        id: Uuid,
        play_epoch: i64,
        reason: &'static str,
    }
    let data = Stop { id: activation.id, play_epoch: activation.play_epoch, reason: reason.as_str() };
    event(activation, "activation:stop", &data)
}

/// `activation:pause` or `activation:resume` with what is on the screens.
pub(super) fn pause_event(channel: &Channel, name: &'static str, playing: &[PlayView]) -> NewEvent {
    #[derive(Serialize)]
    struct Items<'a> {
        items: &'a [PlayView],
    }
    NewEvent::new(channel.stream(), EVERYBODY, name, &Items { items: playing })
}

fn event(activation: &Activation, name: &'static str, data: &impl Serialize) -> NewEvent {
    NewEvent::new(Stream::Channel(activation.channel_slug.clone()), EVERYBODY, name, data)
}
