//! Tokens that a streamer gives to one thing each: a source in OBS, a dock, a program.
//!
//! - A token is 256 random bits behind a prefix that names its kind ([`Secret`]); only its SHA-256 is kept, so it is shown once.
//! - Beside them stand the channel's own links to the overlay and to the credits, which can be shown again and are rotated instead of
//!   revoked. Their rows here are made when they are first looked at or used; that of the overlay is named after the channel.
//! - A revoked token counts as an ended session: the same list ([`ended_since`]) under the same wake-up
//!   ([`crate::sessions::MATTER`]), so that no request asks the database whether its token is still good.
//! - [`sight`] notes from which networks tokens come. Two of them at the same time are an alarm, until the streamer says that
//!   both are theirs.

mod commands;
mod error;
mod jobs;
mod model;
mod repo;

pub use commands::{change, create, find_good, list, open_door, revoke, rotate_own, sight};
pub use error::TokenError;
pub use jobs::ForgetTokens;
pub use model::{Alarm, Change, Kind, NewToken, Opened, Program, Scope, Secret, Sighting, Token};
pub use repo::{ended_since, forget_old, reset, revoke_all};
