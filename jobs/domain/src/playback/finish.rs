//! Ends of items, whoever brings them about: the coins are settled, everybody is told, and the queue goes on.

use queue::Tx;
use uuid::Uuid;

use super::{ExpirePlay, PlaybackError, news::stop_event};
use crate::{
    activations::{self, Activation, AdvancePlayback, End, Reason},
    events,
};

/// Ends a play that the transaction has locked, and stops its clock.
pub(super) async fn finish(
    tx: &mut Tx,
    activation: &mut Activation,
    end: &End,
    actor: Option<Uuid>,
) -> Result<(), PlaybackError> {
    let mut news = activations::settle(tx, std::slice::from_mut(activation), end, actor).await?;
    if let Some(reason) = end.reason() {
        news.push(stop_event(activation, reason));
    }
    queue::cancel(tx, &ExpirePlay::of(activation)).await?;
    queue::enqueue(tx, &AdvancePlayback::of(activation.channel_id)).await?;
    events::record(tx, news).await?;
    Ok(())
}

/// Ends items of the channel that wait and that the transaction has locked.
pub(super) async fn give_back(
    tx: &mut Tx,
    channel: Uuid,
    waiting: &mut [Activation],
    reason: Reason,
    actor: Option<Uuid>,
) -> Result<(), PlaybackError> {
    let news = activations::settle(tx, waiting, &End::refund(reason), actor).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel)).await?;
    events::record(tx, news).await?;
    Ok(())
}
