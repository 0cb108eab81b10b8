//! The door: what may be asked, in which words. Checks, writes, enqueues and answers; anything slow is a job.
//!
//! - [`routes`]: one noun a file; a method is an operation of `openapi.yaml`.
//! - [`views`]: the wire's words of each noun. [`problems`]: its failures. [`auth`]: who asks, and how it is proven.
//! - [`hub`]: realtime, one log of encoded frames per stream.

mod again;
mod app;
mod auth;
mod budgets;
mod explain;
mod form;
mod gate;
mod headers;
mod hub;
mod idempotency;
mod language;
mod limits;
mod optional;
mod origins;
mod pace;
mod paging;
mod patience;
mod places;
mod placing;
mod problem;
mod problems;
mod range;
mod routes;
mod screens;
mod security;
mod server;
mod service;
mod sightings;
mod spec;
mod sse;
mod stored;
mod telemetry;
mod views;
mod vkvideo;

pub use app::{App, AppState, Environment, Secret, Secrets, Settings};
pub use budgets::{ForwardedBy, Limits, Network};
pub use server::serve;
pub use service::endpoint;
pub use spec::{spec_json, spec_yaml};
