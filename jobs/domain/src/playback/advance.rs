//! Starts what may start.

use queue::{Order, Tx};
use uuid::Uuid;

use super::{
    ExpirePlay, ExpireWaiting, PlaybackError, QUEUE_PATIENCE, SCREEN_PATIENCE, START_PATIENCE,
    news::{announcements, announcements_later, new_event},
    repo,
};
use crate::{
    activations::{self, Activation, Status},
    events,
};

/// Looks at the channels' queues and starts as many items as there are free slots. Where nothing can start, no lock is
/// taken to start it: whoever frees a slot later asks again. Any number of channels costs the same number of statements.
///
/// # Errors
/// The database refused; the caller's transaction is lost.
pub async fn advance(tx: &mut Tx, channels: &[Uuid]) -> Result<(), PlaybackError> {
    let chances = repo::chances(&mut *tx, channels).await?;
    let locked: Vec<Uuid> = chances.iter().filter(|chance| chance.locked).map(|chance| chance.channel_id).collect();
    let started = if locked.is_empty() { Vec::new() } else { repo::start_next(&mut *tx, &locked).await? };

    let on_channel = |id: Uuid| started.iter().filter(|activation| activation.channel_id == id).count();
    let mut orders = Vec::new();
    for chance in &chances {
        let waits = usize::try_from(chance.waiting).unwrap_or(0) > on_channel(chance.channel_id);
        if waits && !chance.paused {
            orders.push(clock_of_waiting(chance.channel_id, chance.screenless)?);
        }
    }
    let mut news = Vec::with_capacity(started.len() * 2);
    for activation in &started {
        orders.push(clock_of_play(activation)?);
        news.push(new_event(activation));
        news.push(activations::updated_event(activation, Status::Playing, None));
    }
    // Where something starts, screens wait for exactly that: the queue's state is told after it.
    let (starting, standing): (Vec<Uuid>, Vec<Uuid>) = channels.iter().partition(|id| on_channel(**id) > 0);
    orders.extend(announcements_later(&starting)?);
    let announced = announcements(tx, &standing).await?;
    orders.extend(announced.later);
    news.extend(announced.now);
    queue::enqueue_all(tx, orders).await?;
    events::record(tx, news).await?;
    Ok(())
}

/// A screen must say that it began.
fn clock_of_play(activation: &Activation) -> Result<Order, PlaybackError> {
    let clock = ExpirePlay { activation_id: activation.id, play_epoch: activation.play_epoch };
    Ok(Order::new(&clock)?.after(START_PATIENCE))
}

/// While something waits, a clock runs that ends its patience. What has just come has all of it left; where something
/// waits longer, the earlier clock runs already and stays.
fn clock_of_waiting(channel_id: Uuid, screenless: bool) -> Result<Order, PlaybackError> {
    let patience = if screenless { SCREEN_PATIENCE } else { QUEUE_PATIENCE };
    Ok(Order::new(&ExpireWaiting { channel_id })?.after(patience))
}
