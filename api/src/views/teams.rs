//! Words of teams.

use domain::teams::{Member, Place, TeamRole};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// What somebody may do on a channel: a moderator looks after its queue, an editor also after what it plays, the owner after
/// everything.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ChannelRole {
    Moderator,
    Editor,
    Owner,
}

impl From<TeamRole> for ChannelRole {
    fn from(role: TeamRole) -> Self {
        match role {
            TeamRole::Moderator => Self::Moderator,
            TeamRole::Editor => Self::Editor,
            TeamRole::Owner => Self::Owner,
        }
    }
}

/// What can be given.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum GivenRole {
    Moderator,
    Editor,
}

impl From<GivenRole> for TeamRole {
    fn from(role: GivenRole) -> Self {
        match role {
            GivenRole::Moderator => Self::Moderator,
            GivenRole::Editor => Self::Editor,
        }
    }
}

/// A wish for somebody's place in the team.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct NewMember {
    pub(crate) role: GivenRole,
}

/// Somebody in the team.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct MemberView {
    user_id: Uuid,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    role: ChannelRole,
    added_at: OffsetDateTime,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user_id,
            login: member.login,
            display_name: member.display_name,
            avatar_url: member.avatar_url,
            role: member.role.into(),
            added_at: member.added_at,
        }
    }
}

/// A channel that I may act on.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct MyChannelView {
    slug: String,
    name: String,
    role: ChannelRole,
    /// Its owner is banned or no streamer any more. Until that is taken back it is as if it were not there: nobody may act
    /// on it.
    closed: bool,
}

impl From<Place> for MyChannelView {
    fn from(Place { slug, name, role, closed }: Place) -> Self {
        Self { slug, name, role: role.into(), closed }
    }
}
