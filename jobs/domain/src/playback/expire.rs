//! Ends of patience: plays without an end, and items that wait for ever.

use std::time::Duration;

use queue::{Order, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ExpireWaiting, PlaybackError, control::clear_some, finish::finish, news::announcements, repo};
use crate::{
    accounts::User,
    activations::{self, End, Reason, Status},
    channels::{self, Channel},
    events, mails,
};

/// Whether a play is past its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It has ended, or was started anew: nothing to watch.
    Over,
    /// Look again after this long.
    NotYet(Duration),
    /// Give the coins back.
    Now,
}

/// Looks at a play's clock, without a lock.
///
/// # Errors
/// The database refused.
pub async fn overdue(conn: &mut PgConnection, activation: Uuid, play_epoch: i64) -> Result<Overdue, sqlx::Error> {
    repo::overdue(conn, activation, play_epoch).await
}

/// Ends a play that is past its deadline; one that is not (any more) is left alone.
///
/// # Errors
/// The database refused.
pub async fn expire_play(tx: &mut Tx, activation: Uuid, play_epoch: i64) -> Result<(), PlaybackError> {
    let Some(mut activation) = activations::lock(&mut *tx, activation).await? else { return Ok(()) };
    if activation.status != Status::Playing || repo::overdue(&mut *tx, activation.id, play_epoch).await? != Overdue::Now
    {
        return Ok(());
    }
    let reason = if activation.started_at.is_some() { Reason::NeverEnded } else { Reason::NoScreenStarted };
    finish(tx, &mut activation, &End::refund(reason), None).await
}

/// Ends waiting items that are past their patience and sets the clock for the next one. A closed channel has none with
/// anything.
///
/// # Errors
/// The database refused.
pub async fn expire_waiting(tx: &mut Tx, channel_id: Uuid) -> Result<(), PlaybackError> {
    let Some(look) = repo::look(&mut *tx, &[channel_id]).await?.pop() else { return Ok(()) };
    let Some(channel) = channels::find(&mut *tx, channel_id).await? else { return Ok(()) };
    if channel.closed {
        return empty(tx, &channel).await;
    }
    if look.paused {
        // Resuming moves all clocks and asks again.
        return Ok(());
    }
    let mut news = Vec::new();
    for (reason, patience_over) in repo::impatient(&mut *tx, channel_id).await? {
        let mut ended = Vec::with_capacity(patience_over.len());
        for id in patience_over {
            let locked = activations::lock(&mut *tx, id).await?;
            ended.extend(locked.filter(|activation| activation.status == Status::Queued));
        }
        news.extend(activations::settle(tx, &mut ended, &End::refund(reason), None).await?);
    }
    let announced = announcements(tx, &[channel_id]).await?;
    let mut orders = announced.later;
    if let Some(left) = repo::patience_left(&mut *tx, channel_id).await? {
        orders.push(Order::new(&ExpireWaiting { channel_id })?.after(left));
    }
    news.extend(announced.now);
    queue::enqueue_all(tx, orders).await?;
    events::record(tx, news).await?;
    Ok(())
}

/// This person was banned or has another role: what waits and plays on a channel that is closed by that is given back at
/// once.
///
/// # Errors
/// The database refused.
pub async fn close_with(tx: &mut Tx, owner: Uuid) -> Result<(), PlaybackError> {
    if let Some(Channel { id, closed: true, .. }) = channels::find_of_owner(&mut *tx, owner).await? {
        queue::enqueue(tx, &ExpireWaiting { channel_id: id }).await?;
    }
    Ok(())
}

/// What follows when somebody has another role, whoever gave it: the channel of who streams no more is emptied, and the
/// person hears of it by mail, where any are sent.
///
/// # Errors
/// The database refused.
pub async fn follow_role(tx: &mut Tx, user: &User, sends_mails: bool) -> Result<(), PlaybackError> {
    close_with(tx, user.id).await?;
    if sends_mails {
        mails::tell(tx, user.id, mails::Kind::RoleChanged, Some(user.role.as_str()), None).await?;
    }
    Ok(())
}

/// Nobody sees it: what plays and what waits goes back to its viewers, some of it at a time.
async fn empty(tx: &mut Tx, channel: &Channel) -> Result<(), PlaybackError> {
    for mut activation in activations::lock_unfinished(&mut *tx, channel.id).await? {
        finish(tx, &mut activation, &End::refund(Reason::Cleared), None).await?;
    }
    if clear_some(tx, channel.id, None).await?.more {
        queue::enqueue(tx, &ExpireWaiting { channel_id: channel.id }).await?;
    }
    Ok(())
}
