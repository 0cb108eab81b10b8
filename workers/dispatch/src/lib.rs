//! Pool `dispatch`: seconds matter, and money is attached.
//!
//! Each handler finishes its job and does its work in one transaction, so a worker that dies or is too late writes
//! nothing. To add a job: its payload in the noun's `jobs.rs` in `domain`, a file here, a line in [`workers`].

mod advance_playback;
mod announce_queue;
mod audit_money;
mod expire_play;
mod expire_waiting;
mod housekeeping;
mod roll_up_plays;
mod rotate_keys;
mod take_down;
mod telemetry;

use std::{sync::Arc, time::Duration};

use domain::{access::Vault, keys::RotateKeys};
use queue::{JobError, Workers};

/// The pool's name, as in the Procfile.
pub const POOL: &str = "dispatch";

/// The most jobs that share a transaction: few enough to be over soon, enough that a rush of purchases does not cost a
/// commit each.
const BATCH: usize = 64;
/// As [`BATCH`]; one of these may name all the channels that were bought on in one commit.
const ADVANCE_BATCH: usize = 16;

/// The pool's handlers, for up to `concurrency` jobs at once; `vault` is the one of this process.
#[must_use]
pub fn workers(concurrency: usize, vault: &Arc<Vault>) -> Workers {
    telemetry::describe();
    let vault = vault.clone();
    Workers::new(POOL, concurrency)
        .handle_together(ADVANCE_BATCH, advance_playback::handle)
        .handle(expire_play::handle)
        .handle(expire_waiting::handle)
        .handle(take_down::handle)
        .handle_together(BATCH, announce_queue::handle)
        .handle(audit_money::handle)
        .handle::<RotateKeys, _, _>(move |ctx, job| rotate_keys::handle(ctx, job, vault.clone()))
        .handle(housekeeping::sweep_screens)
        .handle(housekeeping::forget_budgets)
        .handle(housekeeping::forget_requests)
        .handle(housekeeping::trim_events)
        .handle(housekeeping::forget_sessions)
        .handle(housekeeping::forget_attempts)
        .handle(housekeeping::forget_tokens)
        .handle(housekeeping::forget_pending_coins)
        .handle(roll_up_plays::handle)
        .every(Duration::from_secs(10), || domain::playback::SweepScreens {})
        .every(Duration::from_mins(10), || domain::budgets::ForgetBudgets {})
        .every(Duration::from_hours(1), || domain::requests::ForgetRequests {})
        .every(Duration::from_hours(1), || domain::sessions::ForgetSessions {})
        .every(Duration::from_hours(1), || domain::attempts::ForgetAttempts {})
        .every(Duration::from_hours(1), || domain::tokens::ForgetTokens {})
        .every(Duration::from_hours(1), || domain::adjustments::ForgetPendingCoins {})
        .every(Duration::from_mins(10), || domain::events::TrimEvents {})
        .every(Duration::from_mins(1), || domain::stats::RollUpPlays {})
        .every(Duration::from_hours(24), || domain::audit::AuditMoney {})
}

/// Playback fails only where the database does: worth another try.
fn retry(error: impl std::fmt::Display) -> JobError {
    JobError::retry(error)
}
