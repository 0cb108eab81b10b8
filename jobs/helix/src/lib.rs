//! Twitch's API (PLATFORMS 1.2, 1.3, 1.6), in the name of an account of ours or of the application itself.
//!
//! - [`Helix`]: the way there. A token that Twitch does not take is renewed once and the question asked again once; of any
//!   number of callers one renews ([`identity::Platforms::fresh_token`]).
//! - [`HelixError`]: why there is no answer, in the words that a job needs to decide what to do next. Nothing is retried in
//!   here: waiting is the job's, whose backoff survives restarts.
//! - `users`, `streams`, `messages`, `moderation`, `lists`, `subscriptions`: what is asked, a file a noun.
//!
//! It is where `TWITCH_URL` says, with the client of `TWITCH_CLIENT_ID`. What it answers is bounded in size and time, and
//! understood as far as we need it: a field of another kind is an error and never a panic.

mod ask;
mod error;
mod lists;
mod messages;
mod moderation;
mod streams;
mod subscriptions;
mod users;

pub use ask::{Caller, Helix};
pub use error::HelixError;
pub use lists::{Follower, Redemption, Reward};
pub use messages::Said;
pub use streams::Stream;
pub use subscriptions::{Subscription, Wanted};
pub use users::User;
