//! What is looked at, and by whom.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::media::MediaType;

/// Somebody whom an admin lets look after all channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseModerator {
    pub user_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub granted_at: OffsetDateTime,
}

/// Something to show, and where it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedAsset {
    pub id: Uuid,
    pub kind: MediaType,
    pub file_hash: String,
    /// Milliseconds.
    pub duration_ms: i32,
    pub created_at: OffsetDateTime,
    pub hidden_at: Option<OffsetDateTime>,
    pub deleted_at: Option<OffsetDateTime>,
    /// Title and channel of the oldest of its memes.
    pub title: Option<String>,
    pub channel_slug: Option<String>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    All,
    Hidden,
}
