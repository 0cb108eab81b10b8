//! Centrifugo's client protocol, version 2, in JSON (PLATFORMS 7): words, rules and a client. No business.
//!
//! It is a crate of its own because the pool that listens and the simulator that plays the platform must agree to the byte.

mod client;
mod frame;
mod machine;

pub use client::{Client, ConnectError};
pub use frame::{Command, Malformed, Publication, Push, Refusal, Request, Said, Saying, commands, sayings};
pub use machine::{Again, Closed, Event, Position, Recovery};
