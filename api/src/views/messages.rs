//! Words of messages of chats.

use domain::chat::{self, Shown};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// What a message is, as far as its words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum MessageCategory {
    Question,
    Reaction,
    General,
}

impl From<MessageCategory> for chat::Category {
    fn from(category: MessageCategory) -> Self {
        match category {
            MessageCategory::Question => Self::Question,
            MessageCategory::Reaction => Self::Reaction,
            MessageCategory::General => Self::General,
        }
    }
}

/// A message of a chat, in the form that all platforms share.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct MessageView {
    id: Uuid,
    platform: String,
    /// The channel's slug.
    channel: String,
    /// As the chat shows it.
    username: String,
    /// The author's id at the platform.
    user_id: String,
    message: String,
    /// When it was sent.
    timestamp: OffsetDateTime,
    /// `question`: a word ends with a question mark; else `reaction`: an exclamation mark at the end, or a word of cheer or laughter
    /// (`круто`, `wow`, `хаха`); else `general`.
    category: String,
}

impl From<Shown> for MessageView {
    fn from(shown: Shown) -> Self {
        Self {
            id: shown.id,
            platform: shown.platform,
            channel: shown.channel,
            username: shown.username,
            user_id: shown.user_id,
            message: shown.message,
            timestamp: shown.timestamp,
            category: shown.category,
        }
    }
}

/// Which part of a list this is.
#[derive(Debug, Object)]
pub(crate) struct Pagination {
    /// From 1.
    page: i64,
    /// Items of a page.
    limit: i64,
    /// Items in all.
    total: i64,
    /// Pages in all.
    pages: i64,
}

impl Pagination {
    pub(crate) fn new(page: i64, limit: i64, total: i64) -> Self {
        Self { page, limit, total, pages: (total + limit - 1) / limit }
    }
}

/// A part of what the chats show.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct MessagePageView {
    pub(crate) messages: Vec<MessageView>,
    pub(crate) pagination: Pagination,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_as_many_as_hold_all() {
        let pages = |total| Pagination::new(1, 50, total).pages;
        assert_eq!((pages(0), pages(1), pages(50), pages(51)), (0, 1, 1, 2));
    }
}
