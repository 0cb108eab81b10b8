//! Starts what may start.

use std::collections::HashMap;

use queue::{Order, Tx};
use uuid::Uuid;

use super::{
    ExpirePlay, ExpireWaiting, PlaybackError, QUEUE_PATIENCE, RELOAD_PATIENCE, SCREEN_PATIENCE, START_PATIENCE,
    news::{ANNOUNCE_EVERY, PlayView, announcements_later, new_event, told},
    repo::{self, Lane},
};
use crate::{
    activations::{self, Activation, Status},
    events,
};

/// Looks at the channels' queues, starts as many items as there are free slots, and tells how the queues stand. Where
/// nothing can start, nobody is waited for: whoever frees a slot later asks again. Any number of channels costs the same
/// number of statements.
///
/// # Errors
/// The database refused; the caller's transaction is lost.
pub async fn advance(tx: &mut Tx, channels: &[Uuid]) -> Result<(), PlaybackError> {
    let mut lanes = repo::start(&mut *tx, channels, ANNOUNCE_EVERY).await?;
    let stale: Vec<Uuid> = lanes.iter().filter(|lane| lane.stale).map(|lane| lane.look.channel_id).collect();
    if !stale.is_empty() {
        lanes.retain(|lane| !lane.stale);
        lanes.extend(repo::start(&mut *tx, &stale, ANNOUNCE_EVERY).await?);
    }

    let mut orders = Vec::new();
    let mut news = Vec::new();
    for lane in &lanes {
        if lane.waits && !lane.look.paused {
            orders.push(clock_of_waiting(lane)?);
        }
        for activation in &lane.started {
            orders.push(clock_of_play(activation)?);
            news.push(new_event(activation));
            news.push(activations::updated_event(activation, Status::Playing, None));
        }
    }
    let later: Vec<Uuid> = lanes.iter().filter(|lane| !lane.told).map(|lane| lane.look.channel_id).collect();
    orders.extend(announcements_later(&later)?);
    let playing = playing(tx, &lanes).await?;
    let looks = lanes.into_iter().filter(|lane| lane.told).map(|lane| lane.look).collect();
    news.extend(told(tx, looks, playing).await?);
    queue::enqueue_all(tx, orders).await?;
    events::record(tx, news).await?;
    Ok(())
}

/// What plays now on the channels that are told of.
async fn playing(tx: &mut Tx, lanes: &[Lane]) -> Result<HashMap<Uuid, Vec<PlayView>>, sqlx::Error> {
    let (some, none): (Vec<&Lane>, Vec<&Lane>) =
        lanes.iter().filter(|lane| lane.told).partition(|lane| lane.playing > 0);
    let some: Vec<Uuid> = some.iter().map(|lane| lane.look.channel_id).collect();
    let mut playing = if some.is_empty() { HashMap::new() } else { repo::playing(&mut *tx, &some).await? };
    for lane in none {
        let started = lane.started.iter().map(|activation| PlayView::new(activation, 0)).collect();
        playing.insert(lane.look.channel_id, started);
    }
    Ok(playing)
}

/// A screen must say that it began.
fn clock_of_play(activation: &Activation) -> Result<Order, PlaybackError> {
    Ok(Order::new(&ExpirePlay::of(activation))?.after(START_PATIENCE))
}

/// While something waits, a clock runs that ends its patience. What has just come has all of it left; where something
/// waits longer, the earlier clock runs already and stays.
fn clock_of_waiting(lane: &Lane) -> Result<Order, PlaybackError> {
    let patience = match (lane.screenless, lane.hasty) {
        (false, _) => QUEUE_PATIENCE,
        (true, false) => SCREEN_PATIENCE,
        (true, true) => RELOAD_PATIENCE,
    };
    Ok(Order::new(&ExpireWaiting { channel_id: lane.look.channel_id })?.after(patience))
}
