//! A feature, and who has it.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

/// What can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Feature {
    /// More overlay presets than everybody has: [`MORE_PRESETS`](crate::channels::MORE_PRESETS).
    MorePresets,
    /// An account of the channel's own that speaks in its chat.
    CustomBot,
}

impl Feature {
    /// As stored and as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MorePresets => "more_presets",
            Self::CustomBot => "custom_bot",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom a feature is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// For the person's own channel, too.
    Person(Uuid),
    Channel(Uuid),
}

impl Holder {
    pub(super) const fn user(self) -> Option<Uuid> {
        if let Self::Person(id) = self { Some(id) } else { None }
    }

    pub(super) const fn channel(self) -> Option<Uuid> {
        if let Self::Channel(id) = self { Some(id) } else { None }
    }
}

/// A feature that somebody has or had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    pub id: Uuid,
    pub feature: Feature,
    /// One of the two holders.
    pub user_id: Option<Uuid>,
    pub login: Option<String>,
    pub channel_id: Option<Uuid>,
    pub channel_slug: Option<String>,
    pub granted_by: Uuid,
    pub granted_at: OffsetDateTime,
    /// None: for ever.
    pub expires_at: Option<OffsetDateTime>,
    /// Its time is not over.
    pub active: bool,
}
