//! Playback: which item plays on a channel's screens, decided here and nowhere else.
//!
//! - A channel's queue is rows of `activations`; [`advance`] starts the next one when a slot is free, a screen is there and
//!   playback is not paused. Everything that may free or fill a slot enqueues `AdvancePlayback`.
//! - A play is one interval on the server's clock, shown by all screens. The first screen that says `started` starts the
//!   clock; `done` in time captures the coins; anything else refunds them.
//! - `queue:state` tells how a queue stands, by whoever changed it and at most four times a second a channel.
//! - A screen that comes back is told the playing item with its elapsed time ([`playing`]) and never plays one twice: the
//!   play's epoch is in every word between server and screen.

mod acknowledge;
mod advance;
mod control;
mod error;
mod expire;
mod finish;
mod jobs;
mod news;
mod repo;
mod screens;
mod take_down;

pub use acknowledge::{Report, ReportedState, acknowledge};
pub use advance::advance;
pub use control::{Cleared, clear, move_to_front, pause, remove, replay, resume, skip, withdraw};
pub use error::PlaybackError;
pub use expire::{Overdue, close_with, expire_play, expire_waiting, follow_role, overdue};
pub use jobs::{AnnounceQueue, ExpirePlay, ExpireWaiting, SweepScreens, TakeDown, Unwanted};
pub use news::{PlayView, QueueState, Upcoming, announce, playing, queue_state};
pub use screens::{ScreenKind, arrive, leave, renew, sweep};
pub use take_down::{channels_with, order_take_down, take_down};

use std::time::Duration;

/// A screen must say `started` within this time after the start was sent.
pub const START_PATIENCE: Duration = Duration::from_secs(10);
/// A play must end within its length and this much more.
pub const END_PATIENCE: Duration = Duration::from_secs(5);
/// How long an item waits for any screen.
pub const SCREEN_PATIENCE: Duration = Duration::from_secs(120);
/// The same on a channel that lets nothing wait for one: an overlay that is loaded anew is back by then.
pub const RELOAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long an item waits at all.
pub const QUEUE_PATIENCE: Duration = Duration::from_hours(6);
/// A clock that is this late stands still.
pub const CLOCK_LATE: Duration = Duration::from_secs(30);
/// A screen that was not seen for this long is gone.
pub const SCREEN_STALE: Duration = Duration::from_secs(40);
/// A request that was let in before a decision is over by then.
const REQUEST_PATIENCE: Duration = Duration::from_secs(60);
