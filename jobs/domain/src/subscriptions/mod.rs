//! What platforms are asked to tell us of channels.
//!
//! Wanted is what a channel's bot needs while it is on ([`wanted`]); what there is says the platform. The job
//! [`SyncSubscriptions`] (pool `outbox`) compares the two whenever a bot is switched, and every few minutes: it makes what is
//! missing, ends what nobody wants, and makes anew what has ended. [`PollStreams`] asks who is live, for what was told while
//! nobody heard it; [`FindMissed`] compares what people did with the platform's lists, for the same reason.

mod jobs;
mod model;
mod repo;

pub use jobs::{FindMissed, PollStreams, SyncSubscriptions};
pub use model::{Known, List, Wanted};
pub use repo::{forget, known, note, note_polled, polled, revoked, unnamed, wanted};
