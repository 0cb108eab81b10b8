//! The credits: who wrote in the chat and who donated, since the last reset.
//!
//! Two sides, which may be two instances:
//! - **Sending.** Each person first seen in a chat in this session is a *sighting* ([`sight`]) with one job
//!   [`RelayChatter`] for each target, so that a target that is down does not lose the other's. The request is signed
//!   ([`signature`]) and carries the sighting's id as event id.
//! - **Receiving.** [`add_chatter`] and [`add_donor`] apply an event once by that id, and order [`PublishCredits`]:
//!   a wake-up that tells the overlay the whole state, at most once a second, the last value always.
//!
//! A [`reset`] begins a new session and orders [`ForgetCreditsSession`] for the old one.

mod commands;
mod error;
mod jobs;
mod model;
mod repo;
pub mod signature;

pub use commands::{
    Published, Sessions, add_chatter, add_donor, forget_old_events, forget_session, publish, reset, rotate_token,
    set_style, sight, tell_anew,
};
pub use error::CreditsError;
pub use jobs::{ForgetCreditsEvents, ForgetCreditsSession, PublishCredits, RelayChatter};
pub use model::{Amount, Chatter, ChatterEvent, CreditsConfig, CreditsState, Donor, DonorEvent, Seen, Sighting};
pub use repo::{config, sighting, state};
