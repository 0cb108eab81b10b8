//! A message in the form that all platforms share.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Category;
use crate::outbox::Provider;

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
    /// Heard long after it was said: it counts, but an answer would only confuse the chat.
    pub late: bool,
    /// Ids of roles that the channel has given the author, where the platform has such.
    pub role_ids: Vec<String>,
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

/// Which messages are shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Of this platform alone.
    pub platform: Option<Provider>,
    pub category: Option<Category>,
}

/// A message as it is shown, in lists and as the event `new_message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub id: Uuid,
    pub platform: String,
    /// The channel's slug.
    pub channel: String,
    /// The author, as the chat shows them.
    pub username: String,
    /// The author's id at the platform.
    pub user_id: String,
    pub message: String,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
    pub category: String,
}

/// The id of the message with this number, of the kind that RFC 9562 leaves to whoever makes it (version 8): clients know ids.
pub(super) fn id_of(number: i64) -> Uuid {
    let mut bytes = [0; 16];
    if let Some(end) = bytes.last_chunk_mut() {
        *end = number.to_be_bytes();
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The number behind an id; none for an id that is nothing of ours.
pub(super) fn number_of(id: Uuid) -> Option<i64> {
    let number = i64::from_be_bytes(*id.as_bytes().last_chunk()?) & (i64::MAX >> 1);
    (id_of(number) == id).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_number_and_no_other_id_does() {
        for number in [1, 7, 1 << 32, i64::MAX >> 2] {
            assert_eq!(number_of(id_of(number)), Some(number));
        }
        assert_eq!(id_of(1).get_version_num(), 8);
        assert_eq!((number_of(Uuid::nil()), number_of(Uuid::max()), number_of(Uuid::now_v7())), (None, None, None));
    }
}
