//! What shall not be shown any more leaves queues and screens.

use queue::{EnqueueError, Order, Tx};
use uuid::Uuid;

use super::{
    PlaybackError, REQUEST_PATIENCE, TakeDown, Unwanted,
    finish::{finish, give_back},
    repo,
};
use crate::{
    activations::{self, Activation, End, Reason, Status},
    bans,
};

/// Waiting items of one transaction.
const BATCH: i64 = 200;

/// Orders that this leaves all queues and screens: at once, and once more when whoever was placing it is through.
///
/// # Errors
/// The job could not be written.
pub async fn order_take_down(tx: &mut Tx, unwanted: &Unwanted) -> Result<(), EnqueueError> {
    let now = TakeDown { unwanted: unwanted.clone(), again: false };
    let again = TakeDown { unwanted: unwanted.clone(), again: true };
    queue::enqueue_all(tx, vec![Order::new(&now)?, Order::new(&again)?.after(REQUEST_PATIENCE)]).await?;
    Ok(())
}

/// The channels where it may wait or play; none where the decision was taken back.
///
/// # Errors
/// The database refused.
pub async fn channels_with(tx: &mut Tx, unwanted: &Unwanted) -> Result<Vec<Uuid>, PlaybackError> {
    Ok(match unwanted {
        Unwanted::File(hash) => repo::channels_of_hidden(&mut *tx, hash).await?,
        Unwanted::Person(id) => repo::channels_of_banned(&mut *tx, *id).await?,
        Unwanted::Meme(id) => repo::channel_of_deleted(&mut *tx, *id).await?,
        Unwanted::PersonHere { person, channel } => {
            if bans::is_banned(&mut *tx, *channel, *person).await? {
                vec![*channel]
            } else {
                Vec::new()
            }
        }
    })
}

/// Ends some of it on this channel; whether there is more.
///
/// # Errors
/// The database refused.
pub async fn take_down(tx: &mut Tx, channel: Uuid, unwanted: &Unwanted) -> Result<bool, PlaybackError> {
    let found = match unwanted {
        Unwanted::File(hash) => activations::lock_unwanted(&mut *tx, channel, Some(hash), None, BATCH).await?,
        Unwanted::Person(id) | Unwanted::PersonHere { person: id, .. } => {
            activations::lock_unwanted(&mut *tx, channel, None, Some(*id), BATCH).await?
        }
        Unwanted::Meme(id) => activations::lock_queued_of(&mut *tx, channel, *id, BATCH).await?,
    };
    let is_waiting = |it: &Activation| it.status == Status::Queued;
    let (mut waiting, playing): (Vec<Activation>, Vec<Activation>) = found.into_iter().partition(is_waiting);
    for mut play in playing {
        finish(tx, &mut play, &End::refund(Reason::TakenDown), None).await?;
    }
    if !waiting.is_empty() {
        give_back(tx, channel, &mut waiting, Reason::TakenDown, None).await?;
    }
    Ok(i64::try_from(waiting.len()).is_ok_and(|ended| ended >= BATCH))
}
