//! The queue: how work is kept, handed out, finished and never lost. Knows no business.
//!
//! - A [`Job`] is a small serialisable order with its policy as data.
//! - [`enqueue`] is the one door in; it needs a [`Tx`], so effect, event and job commit together or not at all.
//! - [`cancel`] takes a waiting order back.
//! - A pool is a [`Workers`] value: handlers registered by job type, run by apalis over our own backend.
//! - A handler answers with a [`Verdict`] or a [`JobError`]; that return value is the decision.
//! - A handler whose effect is in our database begins its transaction with [`Ctx::finish`]: fence and done are one statement.

mod acknowledger;
pub mod admin;
mod backend;
mod bounds;
mod cancel;
mod claim;
mod context;
mod database;
mod engine;
mod enqueue;
mod exchange;
mod fetcher;
mod hand_over;
mod isolated;
mod janitor;
mod job;
mod orders;
mod pool;
mod presence;
mod retention;
mod runner;
mod sampler;
mod schedule;
mod settle;
mod telemetry;
pub mod testing;
mod together;
pub mod trace;
mod verdict;
mod wakes;
mod workers;

pub use cancel::{cancel, cancel_all};
pub use context::{Ctx, Stale};
pub use database::{Database, Tx, planning};
pub use engine::{Settings, run};
pub use enqueue::{EnqueueError, Enqueued, Options, enqueue, enqueue_with};
pub use exchange::{run_exchange, wake_everybody};
pub use isolated::{Isolation, RunAloneError, run_alone};
pub use job::{Dedupe, Job, JobId, Retry};
pub use orders::{Order, enqueue_all};
pub use retention::maintain;
pub use together::Together;
pub use verdict::{JobError, Outcome, Verdict};
pub use wakes::{Bell, Grown, Topic, Wakes};
pub use workers::{Kind, Workers};
