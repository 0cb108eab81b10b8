//! Words of people.

use domain::{
    accounts::{Role, User},
    channels::Channel,
};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// What a person may do.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum UserRole {
    Viewer,
    Streamer,
    Admin,
}

impl From<Role> for UserRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Streamer => Self::Streamer,
            Role::Admin => Self::Admin,
        }
    }
}

/// The person behind the session.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct MeView {
    id: Uuid,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    role: UserRole,
    /// The person's own channel.
    channel_id: Option<Uuid>,
    channel_slug: Option<String>,
    created_at: OffsetDateTime,
}

impl MeView {
    pub(crate) fn new(user: User, channel: Option<Channel>) -> Self {
        Self {
            id: user.id,
            login: user.login,
            display_name: user.display_name,
            avatar_url: user.avatar_url,
            role: user.role.into(),
            channel_id: channel.as_ref().map(|channel| channel.id),
            channel_slug: channel.map(|channel| channel.slug),
            created_at: user.created_at,
        }
    }
}
