//! The system as tests see it from outside: a database each, real sockets, a clock that is moved by hand.
//!
//! ```no_run
//! # async fn story() {
//! use harness::TestApp;
//!
//! let app = TestApp::start().await;
//! let viewer = app.login("anna", "viewer").await;
//! let me = viewer.get("/me").await.expect(200);
//! assert_eq!(me["login"], "anna");
//! app.drain().await;
//! # }
//! ```
//!
//! `tests/README.md` tells how to run stories and how to write one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "code of tests: a panic is how it reports"
)]

mod app;
mod browser;
mod client;
mod clock;
mod database;
mod leftovers;
mod memes;
mod process;
mod promise;
mod sse;
mod wait;

pub use ::runtime::roles::work::Pool;
pub use app::{Builder, SECRETS, TestApp};
pub use browser::{Browser, Look};
pub use client::{Answer, Session};
pub use database::TestDatabase;
pub use memes::Rendition;
pub use process::{MemalertsProcess, binary};
pub use sse::{Events, ServerEvent};
pub use wait::{DEADLINE, wait_until};
