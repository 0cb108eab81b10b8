//! A ban from one channel.

use time::OffsetDateTime;
use uuid::Uuid;

/// Characters of a reason.
pub(super) const MAX_REASON: usize = 200;

/// Somebody who is kept off a channel's memes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    pub user_id: Uuid,
    pub login: String,
    pub display_name: String,
    /// For the team.
    pub reason: Option<String>,
    pub banned_at: OffsetDateTime,
}
