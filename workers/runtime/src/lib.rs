//! The process: what it reads at boot, how it starts, what it says, how it ends. Binary `memalerts`.
//!
//! A role is what a process does: `api`, `work <pool>...`, or `all` of it. [`roles`] puts together the crates that do
//! the work; nothing of the business is decided here.

mod cli;
mod client;
mod commands;
mod console;
mod demo;
mod demo_data;
mod failpoints;

pub mod boot;
pub mod config;
pub mod lifecycle;
pub mod roles;
pub mod telemetry;

/// Version and commit, e.g. `0.1.0+1a2b3c4d5e6f`: what `memalerts --version` prints and `/health` shows.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("MEMALERTS_BUILD"));

pub use cli::Cli;
pub use commands::run;
