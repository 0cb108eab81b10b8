//! What a member of a team is.

use time::OffsetDateTime;
use uuid::Uuid;

/// How far somebody may act on a channel; each may do all that the ones before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TeamRole {
    /// Looks after the queue.
    Moderator,
    /// Looks after the queue and after what there is to play.
    Editor,
    /// May do everything; nobody is given this.
    Owner,
}

impl TeamRole {
    /// As stored and as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The least role for a word that the database cannot hold (a check constraint forbids it).
    pub(super) fn parse(word: &str) -> Self {
        if word == "editor" { Self::Editor } else { Self::Moderator }
    }
}

/// A channel that somebody may act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub slug: String,
    pub name: String,
    pub role: TeamRole,
    /// Nobody may right now: see [`crate::channels::Channel::closed`].
    pub closed: bool,
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub role: TeamRole,
    pub added_at: OffsetDateTime,
}
