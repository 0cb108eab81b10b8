//! The words of Twitch's IRC: lines to values and back. No sockets, no clock, no business.
//!
//! Three parties speak it and must agree to the byte: pool `chat` reads with it, pool `outbox` writes with it, and the
//! simulator does both. It is a crate of its own because pools cannot see each other.
//!
//! Source: PLATFORMS 1.4 and 1.5.

mod line;
mod tags;
mod token;

pub use line::{Line, ParseError};
pub use tags::Tags;
pub use token::OauthToken;
