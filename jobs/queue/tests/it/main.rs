//! The queue on a real database: what it promises, one sentence a test.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests look from outside")]

mod administration;
mod bounds;
mod cancelling;
mod crashes;
mod dedupe;
mod draining;
mod handing_over;
mod history;
mod last_wish;
mod limits;
mod order;
mod outages;
mod pickup;
mod process;
mod running;
mod schedules;
mod schema;
mod stage;
mod together;
mod verdicts;
