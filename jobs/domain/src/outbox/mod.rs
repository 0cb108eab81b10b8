//! What our bots are to say, each message with its fate.
//!
//! A message is a row and a job ([`SendChatMessage`]), made in one transaction by [`put`]. Its way:
//!
//! ```text
//! pending -> processing -> sent
//!    ^           |-------> failed    refused for good, too old, or out of attempts
//!    '-----------|                   refused for now, or never written
//!                '-------> unknown   written, and the connection was lost before the answer
//! ```
//!
//! `processing` is committed before the first byte is written. A run that finds its message there knows that an earlier
//! one may have said it: the message is `unknown` and is never written again. It becomes `sent` when our own message is
//! read in the chat ([`read_back`]), which may happen before or after the doubt.
//!
//! Who asked for a message ([`Source`]) says how long it lives, how many of its kind may wait, and how much of the account's
//! budget it leaves to what matters more. What nobody has asked for by hand is said once for whatever it is about
//! ([`put_once`]).
//!
//! Order: one message at a time for each provider and channel ([`SendChatMessage::order_key`]). Budgets belong to the
//! bot account and are shared by all processes ([`budget`]).

pub mod budget;
mod commands;
mod error;
mod jobs;
mod model;
mod repo;
mod text;

pub use commands::{Claim, begin, defer, drop_stale, fail, lose, put, put_once, read_back, sent};
pub use error::OutboxError;
pub use jobs::{EndStaleMessages, SendChatMessage, TrimOutbox};
pub use model::{OutboxMessage, Provider, Source, Status, UnknownProvider};
pub use repo::{find, pending, speakers, trim};
pub use text::{MAX_CHARS, Text, TextError};
