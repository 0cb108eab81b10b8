//! Starts what may start.

use queue::{Order, Tx};
use uuid::Uuid;

use super::{
    ExpirePlay, ExpireWaiting, PlaybackError, START_PATIENCE,
    news::{announcement, new_event},
    repo,
};
use crate::{
    activations::{self, Activation, Status},
    events,
};

/// Looks at the channels' queues and starts as many items as there are free slots. Where nothing can start, no lock is
/// taken: whoever frees a slot later asks again. Any number of channels costs the same number of statements.
///
/// # Errors
/// The database refused; the caller's transaction is lost.
pub async fn advance(tx: &mut Tx, channels: &[Uuid]) -> Result<(), PlaybackError> {
    let chances = repo::chances(&mut *tx, channels).await?;
    let locked: Vec<Uuid> = chances.iter().filter(|chance| chance.locked).map(|chance| chance.channel_id).collect();
    let started = if locked.is_empty() { Vec::new() } else { repo::start_next(&mut *tx, &locked).await? };

    let on_channel = |id: Uuid| started.iter().filter(|activation| activation.channel_id == id).count();
    let still_waiting: Vec<Uuid> = chances
        .iter()
        .filter(|chance| !chance.paused && usize::try_from(chance.waiting).unwrap_or(0) > on_channel(chance.channel_id))
        .map(|chance| chance.channel_id)
        .collect();
    let mut orders = clocks_of_waiting(tx, &still_waiting).await?;
    for chance in &chances {
        orders.push(announcement(chance.channel_id)?);
    }
    let mut news = Vec::with_capacity(started.len() * 2);
    for activation in &started {
        orders.push(clock_of_play(activation)?);
        news.push(new_event(activation));
        news.push(activations::updated_event(activation, Status::Playing, None));
    }
    queue::enqueue_all(tx, orders).await?;
    events::record(tx, news).await?;
    Ok(())
}

/// A screen must say that it began.
fn clock_of_play(activation: &Activation) -> Result<Order, PlaybackError> {
    let clock = ExpirePlay { activation_id: activation.id, play_epoch: activation.play_epoch };
    Ok(Order::new(&clock)?.after(START_PATIENCE))
}

/// While something waits, a clock runs that ends its patience.
pub(super) async fn clocks_of_waiting(tx: &mut Tx, channels: &[Uuid]) -> Result<Vec<Order>, PlaybackError> {
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let left = repo::patience_left(&mut *tx, channels).await?;
    let clocks = left.into_iter().map(|(channel_id, left)| Ok(Order::new(&ExpireWaiting { channel_id })?.after(left)));
    clocks.collect()
}
