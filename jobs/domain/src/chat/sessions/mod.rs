//! Who reads which chat.
//!
//! One lease a process ([`renew`]), renewed every second; a chat whose holder has no lease is free and is taken over by
//! whoever looks first, under the next epoch. A holder that wakes up late finds its chats gone ([`held`]) and leaves
//! them. For the moment in which both read, messages are recorded once by their content id.

mod repo;

pub use repo::{held, release_all, renew, take, unwanted};

use uuid::Uuid;

/// A chat that this holder reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub channel_id: Uuid,
    /// The platform's name of the channel.
    pub login: String,
    /// Raised with each take-over.
    pub epoch: i64,
}
