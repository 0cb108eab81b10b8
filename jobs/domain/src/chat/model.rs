//! A message in the form that all platforms share.

use time::OffsetDateTime;
use uuid::Uuid;

/// What the author is in the channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles {
    pub broadcaster: bool,
    pub moderator: bool,
    pub vip: bool,
    pub subscriber: bool,
}

impl Roles {
    /// As the table keeps them.
    pub(super) fn bits(self) -> i16 {
        i16::from(self.broadcaster)
            | i16::from(self.moderator) << 1
            | i16::from(self.vip) << 2
            | i16::from(self.subscriber) << 3
    }
}

/// A message that a viewer (or our own bot) wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    pub channel_id: Uuid,
    /// The platform's id, or a hash of the content where it gives none: two readings of one message agree in it.
    pub content_id: String,
    pub author_id: String,
    /// Lower case.
    pub author_login: String,
    /// As the chat shows it.
    pub author_name: String,
    pub roles: Roles,
    pub text: String,
    pub sent_at: OffsetDateTime,
    /// Written in another channel and only shown here: recorded, never answered.
    pub foreign: bool,
}

/// Messages that somebody has taken out of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub channel_id: Uuid,
    pub of: Removed,
    /// What was sent until then is gone.
    pub at: OffsetDateTime,
}

/// What is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// The message with this content id.
    Message(String),
    /// All that this person (the id there) has written.
    Author {
        id: String,
        /// The person was sent away for good, and not for a while.
        banned: bool,
    },
    All,
}

/// A line as it came from the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLine {
    /// `None` where the line does not tell.
    pub channel_id: Option<Uuid>,
    pub bytes: Vec<u8>,
}

/// Lines that were read together.
#[derive(Debug, Clone)]
pub struct Batch {
    pub id: Uuid,
    pub platform: String,
    pub lines: Vec<RawLine>,
    pub received_at: OffsetDateTime,
}
