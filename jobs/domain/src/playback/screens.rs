//! Screens: the overlays that show a channel now.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ExpirePlay, ExpireWaiting, PlaybackError, repo};
use crate::activations::AdvancePlayback;

/// What shows the overlay; OBS outranks a browser tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenKind {
    Obs,
    Browser,
}

impl ScreenKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Obs => "obs",
            Self::Browser => "browser",
        }
    }
}

/// A screen has come: the queue may go on.
///
/// # Errors
/// The database refused.
pub async fn arrive(tx: &mut Tx, channel_id: Uuid, screen: Uuid, kind: ScreenKind) -> Result<(), PlaybackError> {
    repo::insert_screen(&mut *tx, channel_id, screen, kind).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel_id)).await?;
    Ok(())
}

/// A screen has gone; with the last one, patience begins to count.
///
/// # Errors
/// The database refused.
pub async fn leave(tx: &mut Tx, channel_id: Uuid, screen: Uuid) -> Result<(), PlaybackError> {
    repo::delete_screen(&mut *tx, channel_id, screen).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel_id)).await?;
    Ok(())
}

/// These screens, each a channel and an id, are still there. Returns those that were known; one that was not seen for long,
/// swept meanwhile or not, has to [`arrive`] again: its queue may have been looked at and found without a screen.
///
/// # Errors
/// The database refused.
pub async fn renew(conn: &mut PgConnection, screens: &[(Uuid, Uuid)]) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    repo::renew_screens(conn, screens).await
}

/// Forgets screens that were not seen for long (their process died without a word) and wakes their channels; winds clocks
/// that stand still, because their job was given up: coins would be held for ever, and a play the queue with them; and gives
/// back what was placed on channels at the moment of their closing. Forgets
/// what screens said about plays that ended long ago.
///
/// # Errors
/// The database refused.
pub async fn sweep(tx: &mut Tx) -> Result<(), PlaybackError> {
    for (channel_id, screen) in repo::stale_screens(&mut *tx).await? {
        leave(tx, channel_id, screen).await?;
    }
    repo::trim_reports(&mut *tx).await?;
    for (activation_id, play_epoch) in repo::plays_without_clock(&mut *tx).await? {
        queue::enqueue(tx, &ExpirePlay { activation_id, play_epoch }).await?;
    }
    let mut waiting = repo::queues_without_clock(&mut *tx).await?;
    waiting.extend(repo::closed_with_something(&mut *tx).await?);
    for channel_id in waiting {
        queue::enqueue(tx, &ExpireWaiting { channel_id }).await?;
    }
    Ok(())
}
