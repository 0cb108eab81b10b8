//! How a platform's API is asked, in the name of an account of ours or of the application itself. What it can be asked is in
//! a crate for each platform (`helix`).
//!
//! - [`WebApi`]: the way there. A token that the platform does not take is renewed once and the question asked again once; of
//!   any number of callers one renews ([`identity::Platforms::fresh_token`]).
//! - [`Dialect`]: what one platform says in words of its own.
//! - [`ApiError`]: why there is no answer, in the words that a job needs to decide what to do next. Nothing is retried in
//!   here: waiting is the job's, whose backoff survives restarts.
//!
//! What is answered is bounded in size and time, and understood as far as we need it: a field of another kind is an error and
//! never a panic.

mod ask;
mod error;

pub use ask::{Ask, Caller, Dialect, Meaning, Reason, WebApi};
pub use error::ApiError;
