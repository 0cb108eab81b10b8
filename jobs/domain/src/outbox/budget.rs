//! What a bot account may do within the platform's window. One row an account and action: the window slides over real
//! moments, so no burst at its edge exceeds the limit, and all processes share it.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Provider, repo};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Send,
    Join,
}

impl Action {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Join => "join",
        }
    }
}

/// So many actions in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub count: u16,
    pub window: Duration,
}

/// Takes one action from the account's budget; `Some(wait)` when nothing is left for that long. Locks the account's row
/// until the caller's transaction ends: commit soon.
///
/// # Errors
/// The database refused.
pub async fn take(
    conn: &mut PgConnection,
    account: &str,
    action: Action,
    limit: Limit,
) -> Result<Option<Duration>, sqlx::Error> {
    if repo::take_budget(conn, account, action.as_str(), i32::from(limit.count), limit.window.as_secs_f64()).await? {
        return Ok(None);
    }
    let seconds = repo::budget_wait(conn, account, action.as_str(), limit.window.as_secs_f64()).await?;
    // Never zero: a wait of nothing would be a hot loop when the clock's grain hides the rest.
    Ok(Some(Duration::from_secs_f64(seconds.max(0.05))))
}

/// A chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub channel_id: Uuid,
    pub provider: Provider,
}

/// Takes the account's turn in this chat, where it says one thing each `spacing`; `Some(wait)` when the next turn comes after
/// that long. Locks the row of the account and the chat until the caller's transaction ends.
///
/// # Errors
/// The database refused.
pub async fn take_turn(
    conn: &mut PgConnection,
    place: Place,
    account: &str,
    spacing: Duration,
) -> Result<Option<Duration>, sqlx::Error> {
    if spacing.is_zero() || repo::take_turn(conn, place, account, spacing.as_secs_f64()).await? {
        return Ok(None);
    }
    let seconds = repo::turn_wait(conn, place, account, spacing.as_secs_f64()).await?;
    Ok(Some(Duration::from_secs_f64(seconds.clamp(0.05, spacing.as_secs_f64().max(0.05)))))
}
