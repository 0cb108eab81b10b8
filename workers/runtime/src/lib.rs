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

pub use cli::Cli;
pub use commands::run;
