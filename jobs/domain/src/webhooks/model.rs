//! A message of a platform.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::identities::Provider;

/// What the message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something happened.
    Notification,
    /// We are told no more.
    Revocation,
    /// A line of a chat, which tells what a webhook may tell, too.
    Line,
}

impl Kind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Revocation => "revocation",
            Self::Line => "line",
        }
    }

    pub(super) fn parse(word: &str) -> Self {
        match word {
            "revocation" => Self::Revocation,
            "line" => Self::Line,
            _ => Self::Notification,
        }
    }
}

/// A message that has proven whose it is.
#[derive(Debug, Clone)]
pub struct NewDelivery<'a> {
    pub provider: Provider,
    pub message_id: &'a str,
    pub kind: Kind,
    /// By the platform's clock.
    pub sent_at: OffsetDateTime,
    pub body: &'a [u8],
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    Kept(Uuid),
    /// It was told before.
    Known,
    /// It is too old, or of a time to come.
    Stale,
}

/// A message that is to be understood.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: Uuid,
    pub provider: String,
    pub message_id: String,
    pub kind: Kind,
    pub sent_at: OffsetDateTime,
    pub body: Vec<u8>,
}
