//! A subscription.

use time::OffsetDateTime;
use uuid::Uuid;

/// A channel of which we want to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub channel_id: Uuid,
    /// Of the channel there.
    pub account: String,
}

/// A list of the platform's of what people did in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Follows,
    Redemptions,
}

impl List {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Follows => "follows",
            Self::Redemptions => "redemptions",
        }
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub channel_id: Uuid,
    pub kind: String,
    pub subscription_id: Option<String>,
    pub status: String,
    /// Names the secret of its signatures.
    pub secret_id: String,
    pub checked_at: OffsetDateTime,
    /// It was refused, or has ended, within the hour: not asked for again yet.
    pub rests: bool,
}
