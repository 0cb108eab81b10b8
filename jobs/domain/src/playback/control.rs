//! What streamers and viewers can do with the queue.

use queue::Tx;
use uuid::Uuid;

use super::{
    ExpireWaiting, PlaybackError,
    finish::{finish, give_back},
    news::{pause_event, playing},
    repo,
};
use crate::{
    accounts,
    activations::{self, Activation, AdvancePlayback, End, FreePlay, Reason, Source, Status},
    channels::Channel,
    events,
};

/// Items that one transaction of [`clear`] ends.
const CLEAR_BATCH: i64 = 500;

/// Takes what plays off the screen and gives the coins back: the given item, or the one that plays longest; what plays beside
/// others comes after them.
///
/// # Errors
/// [`PlaybackError::NothingPlays`] when nothing (or not this item) plays.
pub async fn skip(
    tx: &mut Tx,
    channel: &Channel,
    which: Option<Uuid>,
    actor: Uuid,
) -> Result<Activation, PlaybackError> {
    let mut playing = activations::lock_unfinished(&mut *tx, channel.id).await?;
    playing.sort_by_key(|activation| activation.is_overlapping);
    let mut playing = playing.into_iter().filter(|activation| which.is_none_or(|id| id == activation.id));
    let mut activation = playing.next().ok_or(PlaybackError::NothingPlays)?;
    finish(tx, &mut activation, &End::refund(Reason::Skipped), Some(actor)).await?;
    Ok(activation)
}

/// A viewer takes a waiting item back; the coins return.
///
/// # Errors
/// [`PlaybackError::NotFound`] for somebody else's, [`PlaybackError::NotQueued`] once it plays or has ended.
pub async fn withdraw(tx: &mut Tx, viewer: Uuid, id: Uuid) -> Result<Activation, PlaybackError> {
    let found = activations::lock(&mut *tx, id).await?;
    let mut activation = found.filter(|it| it.user_id == viewer).ok_or(PlaybackError::NotFound)?;
    if activation.status != Status::Queued {
        return Err(PlaybackError::NotQueued(activation.status));
    }
    let channel = activation.channel_id;
    give_back(tx, channel, std::slice::from_mut(&mut activation), Reason::Withdrawn, Some(viewer)).await?;
    Ok(activation)
}

/// Takes a waiting item out of the channel's queue; the coins return.
///
/// # Errors
/// [`PlaybackError::NotFound`] for another channel's, [`PlaybackError::NotQueued`] once it plays or has ended.
pub async fn remove(tx: &mut Tx, channel: &Channel, id: Uuid, actor: Uuid) -> Result<Activation, PlaybackError> {
    let mut activation = lock_waiting(tx, channel, id).await?;
    give_back(tx, channel.id, std::slice::from_mut(&mut activation), Reason::Skipped, Some(actor)).await?;
    Ok(activation)
}

/// A waiting item plays before all others.
///
/// # Errors
/// As [`remove`].
pub async fn move_to_front(tx: &mut Tx, channel: &Channel, id: Uuid) -> Result<Activation, PlaybackError> {
    let activation = lock_waiting(tx, channel, id).await?;
    activations::move_to_front(&mut *tx, &activation).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel.id)).await?;
    Ok(activation)
}

async fn lock_waiting(tx: &mut Tx, channel: &Channel, id: Uuid) -> Result<Activation, PlaybackError> {
    let found = activations::lock(&mut *tx, id).await?;
    let activation = found.filter(|it| it.channel_id == channel.id).ok_or(PlaybackError::NotFound)?;
    match activation.status {
        Status::Queued => Ok(activation),
        status => Err(PlaybackError::NotQueued(status)),
    }
}

/// Plays once more what has been played, for the same person and for no coins.
///
/// # Errors
/// [`PlaybackError::NotFound`] for another channel's, [`PlaybackError::NotEnded`] for what waits or plays,
/// [`PlaybackError::SenderGone`] when the person was banned or forgotten since;
/// [`PlaceError::MemeNotFound`](activations::PlaceError::MemeNotFound) when the channel has the meme no more.
pub async fn replay(tx: &mut Tx, channel: &Channel, id: Uuid) -> Result<Uuid, PlaybackError> {
    let found = activations::find(&mut *tx, id).await?;
    let past = found.filter(|it| it.channel_id == channel.id).ok_or(PlaybackError::NotFound)?;
    if past.ended_at.is_none() {
        return Err(PlaybackError::NotEnded(past.status));
    }
    let person = accounts::find(&mut *tx, past.user_id).await?;
    if person.is_none_or(|person| person.banned_at.is_some()) {
        return Err(PlaybackError::SenderGone);
    }
    let play = FreePlay {
        sender: Some(past.sender_name),
        replay_of: Some(past.id),
        ..FreePlay::new(Source::Replay, past.meme_id)
    };
    // The person's, so that it goes where the person's name goes.
    Ok(activations::place_free(tx, channel, past.user_id, &play).await?)
}

/// What [`clear`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleared {
    pub items: i64,
    /// Coins given back.
    pub refunded: i64,
    /// There is more: call again in a new transaction.
    pub more: bool,
}

/// Ends waiting items with a full refund; what plays goes on.
///
/// # Errors
/// The database refused.
pub async fn clear(tx: &mut Tx, channel: &Channel, actor: Uuid) -> Result<Cleared, PlaybackError> {
    clear_some(tx, channel.id, Some(actor)).await
}

/// As [`clear`]; without an actor, because the channel is closed.
pub(super) async fn clear_some(tx: &mut Tx, channel: Uuid, actor: Option<Uuid>) -> Result<Cleared, PlaybackError> {
    let mut waiting = activations::lock_queued(&mut *tx, channel, CLEAR_BATCH).await?;
    let items = i64::try_from(waiting.len()).unwrap_or(CLEAR_BATCH);
    let refunded = waiting.iter().map(|activation| activation.final_price).sum();
    give_back(tx, channel, &mut waiting, Reason::Cleared, actor).await?;
    Ok(Cleared { items, refunded, more: items == CLEAR_BATCH })
}

/// Holds playback: what plays stands still, nothing new starts, and no clock of a waiting item runs. Whether it was held before.
///
/// # Errors
/// The database refused.
pub async fn pause(tx: &mut Tx, channel: &Channel) -> Result<bool, PlaybackError> {
    repo::lock_lane(&mut *tx, channel.id).await?;
    let was_paused = repo::is_paused(&mut *tx, channel.id).await?;
    repo::pause(&mut *tx, channel.id).await?;
    let playing = playing(&mut *tx, channel.id).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel.id)).await?;
    events::record(tx, vec![pause_event(channel, "activation:pause", &playing)]).await?;
    Ok(was_paused)
}

/// Lets playback go on where it stood: all clocks are moved by the length of the pause. Whether it was held before.
///
/// # Errors
/// The database refused.
pub async fn resume(tx: &mut Tx, channel: &Channel) -> Result<bool, PlaybackError> {
    repo::lock_lane(&mut *tx, channel.id).await?;
    let was_paused = repo::is_paused(&mut *tx, channel.id).await?;
    repo::resume(&mut *tx, channel.id).await?;
    let playing = playing(&mut *tx, channel.id).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel.id)).await?;
    // What had waited before the pause has less patience left than the clock that the advance sets.
    queue::enqueue(tx, &ExpireWaiting { channel_id: channel.id }).await?;
    events::record(tx, vec![pause_event(channel, "activation:resume", &playing)]).await?;
    Ok(was_paused)
}
