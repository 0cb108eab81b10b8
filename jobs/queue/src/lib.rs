//! A job queue in PostgreSQL: how work is kept, handed out, finished and never lost. Knows no business.
//!
//! - A [`Job`] is a small serialisable order with its policy as data.
//! - [`enqueue`] is the one door in; it needs a [`Tx`], so effect, event and job commit together or not at all.
//! - [`cancel`] takes a waiting order back.
//! - A pool is a [`Workers`] value: handlers registered by job type, run by apalis over our own backend.
//! - A handler answers with a [`Verdict`] or a [`JobError`]; that return value is the decision.
//! - A handler whose effect is in our database begins its transaction with [`Ctx::finish`]: fence and done are one statement.
//! - [`admin`] finds jobs and acts on them by hand.
//!
//! # What is promised
//!
//! - A committed order runs **at least once**; its effect happens **exactly once** if it is in this database and its
//!   transaction begins with [`Ctx::finish`]. An effect elsewhere carries [`Ctx::idempotency_key`].
//! - A run ends by its verdict, by its time limit or with its process. A process that is killed is noticed within five
//!   seconds, whatever its name, and its jobs run elsewhere; that costs no attempt, but from then on they run
//!   alone, in a child process where [`Settings::isolation`] says how. A job whose process dies three times is dead.
//! - Whoever lost a job (a stalled process, a late answer) can no longer write its end.
//! - A run that fails waits in its row, not in a slot: doubling from [`Retry::base`] to [`Retry::cap`], over restarts.
//! - No error of the database ends a pool: claims and acknowledgements are tried again until they succeed.
//! - Time is the database's clock (`app_now()`); how long a run takes and who is alive is told by the machines' own.
//!
//! # From an empty database to the last job
//!
//! PostgreSQL 15 or newer; beside this crate: `sqlx` 0.9 (features `postgres`, `runtime-tokio`), `tokio`, `tokio-util`, and
//! `serde` with `derive`. Queries were checked when the crate was written: build with `SQLX_OFFLINE=true`.
//!
//! ```
//! use std::time::Duration;
//!
//! use queue::{Ctx, Database, Job, Outcome, Retry, Settings, Verdict, Wakes, Workers};
//! use serde::{Deserialize, Serialize};
//! use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
//! use tokio_util::sync::CancellationToken;
//!
//! /// Holds the letter's number, not the letter.
//! #[derive(Serialize, Deserialize)]
//! struct SendLetter {
//!     letter: i64,
//! }
//!
//! impl Job for SendLetter {
//!     const NAME: &'static str = "send-letter";
//!     const POOL: &'static str = "post";
//!     /// Five runs; waits of 1, 2, 4 and 8 s between them, give or take 20 %.
//!     const RETRY: Retry = Retry::new(5, Duration::from_secs(1), Duration::from_secs(60));
//!     const TIMEOUT: Duration = Duration::from_secs(10);
//! }
//!
//! async fn send(ctx: Ctx, job: SendLetter) -> Outcome {
//!     let mut tx = ctx.db().begin().await?;
//!     // The fence: if the job has another owner by now, nothing below is written.
//!     ctx.finish(&mut tx).await?;
//!     sqlx::query("update letters set sent = true where id = $1").bind(job.letter).execute(&mut *tx).await?;
//!     tx.commit().await?;
//!     Ok(Verdict::Done)
//! }
//!
//! async fn post_office(options: PgConnectOptions) -> Result<(), Box<dyn std::error::Error>> {
//!     let pool = PgPoolOptions::new().connect_with(queue::planning(options)).await?;
//!     queue::migrate(&pool).await?;
//!     sqlx::raw_sql("create table letters (id bigint primary key, sent boolean not null)").execute(&pool).await?;
//!
//!     // What every process has, also one that only enqueues: the database, and the exchange of wake-ups.
//!     let stop = CancellationToken::new();
//!     let (wakes, outward) = Wakes::new();
//!     let db = Database::new(pool, wakes);
//!     let exchange = tokio::spawn(queue::run_exchange(db.clone(), outward, stop.clone()));
//!
//!     // A process that works: here with one pool, of at most four jobs at once.
//!     let workers = Workers::new("post", 4).handle(send);
//!     let engine = tokio::spawn(queue::run(db.clone(), vec![workers], stop.clone(), Settings::default()));
//!
//!     // The letter and the order to send it are there together, or neither is.
//!     let mut tx = db.begin().await?;
//!     sqlx::query("insert into letters (id, sent) values (1, false)").execute(&mut *tx).await?;
//!     queue::enqueue(&mut tx, &SendLetter { letter: 1 }).await?;
//!     tx.commit().await?;
//!
//!     while !sqlx::query_scalar("select sent from letters where id = 1").fetch_one(db.pool()).await? {
//!         tokio::time::sleep(Duration::from_millis(10)).await;
//!     }
//!
//!     // Nothing more is claimed, what runs is ended or given back, and then both are over.
//!     stop.cancel();
//!     engine.await??;
//!     exchange.await?;
//!     Ok(())
//! }
//! #
//! # // With a server at hand the example runs, in a database of its own.
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let Ok(url) = std::env::var("MEMALERTS_TEST_DATABASE_URL") else { return Ok(()) };
//! #     let options: PgConnectOptions = url.parse()?;
//! #     let name = format!("queue_doc_{}", std::process::id());
//! #     let admin = PgPoolOptions::new().connect_with(options.clone()).await?;
//! #     let run = |sql: String| sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&admin);
//! #     run(format!("create database {name}")).await?;
//! #     let ran = tokio::time::timeout(Duration::from_secs(60), post_office(options.database(&name))).await;
//! #     run(format!("drop database {name} with (force)")).await?;
//! #     ran?
//! # }
//! ```
//!
//! `examples/letters.rs` shows more: retries, deduplication, order, delays, giving up, and what is written about it.

#![warn(missing_docs)]

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
mod gates;
mod hand;
mod hand_over;
mod isolated;
mod janitor;
mod job;
mod limit;
mod limits;
mod lines;
mod look;
mod orders;
mod pool;
mod presence;
mod retention;
mod runner;
mod sampler;
mod schedule;
mod schema;
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
pub use limit::{Limit, Rate};
pub use orders::{Order, enqueue_all};
pub use retention::maintain;
pub use schema::migrate;
pub use together::Together;
pub use verdict::{JobError, Outcome, Verdict};
pub use wakes::{Bell, Grown, Topic, Wakes};
pub use workers::{Kind, Workers};
