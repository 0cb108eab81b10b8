//! Words of people.

use std::collections::HashMap;

use domain::{
    accounts::{self, Role, User},
    channels::Channel,
    passwords::Credentials,
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

impl From<UserRole> for Role {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Viewer => Self::Viewer,
            UserRole::Streamer => Self::Streamer,
            UserRole::Admin => Self::Admin,
        }
    }
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
    /// Of an account with a password.
    email: Option<String>,
    /// Whether the address was proven to be mine.
    is_verified: bool,
    created_at: OffsetDateTime,
}

impl MeView {
    pub(crate) fn new(user: User, channel: Option<Channel>, credentials: Option<Credentials>) -> Self {
        Self {
            is_verified: credentials.as_ref().is_some_and(|credentials| credentials.is_verified),
            email: credentials.and_then(|credentials| credentials.email),
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

/// A person as admins see one.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct UserView {
    id: Uuid,
    login: String,
    display_name: String,
    avatar_url: Option<String>,
    role: UserRole,
    created_at: OffsetDateTime,
    /// Since when the person is banned; absent when not.
    banned_at: Option<OffsetDateTime>,
    /// What was said of why; in the list, and in the answer to a ban.
    ban_reason: Option<String>,
    /// May look at queues, jobs and the log of acts, whatever the role.
    observer: bool,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            login: user.login,
            display_name: user.display_name,
            avatar_url: user.avatar_url,
            role: user.role.into(),
            created_at: user.created_at,
            banned_at: user.banned_at,
            ban_reason: None,
            observer: user.observer,
        }
    }
}

impl UserView {
    pub(crate) fn banned_because(self, reason: Option<String>) -> Self {
        Self { ban_reason: reason, ..self }
    }
}

/// A part of the list of people, by login.
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(crate) struct UserPageView {
    users: Vec<UserView>,
    /// `after` of the next page; absent on the last.
    next: Option<String>,
}

impl UserPageView {
    /// Of what was found, which is one more than `limit` when there is a next page.
    pub(crate) fn new(mut found: Vec<User>, mut ban_reasons: HashMap<Uuid, String>, limit: usize) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|user| user.login.clone());
        let seen = |user: User| {
            let reason = ban_reasons.remove(&user.id);
            UserView::from(user).banned_because(reason)
        };
        Self { users: found.into_iter().map(seen).collect(), next }
    }
}

/// A wish for somebody's role.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct NewRole {
    pub(crate) role: UserRole,
}

/// A wish to ban somebody.
#[derive(Debug, Object)]
#[oai(example)]
pub(crate) struct Ban {
    /// For the log, and for the person, who hears it by mail and at each login.
    #[oai(validator(max_length = 200))]
    pub(crate) reason: Option<String>,
}

/// Colours of the pages.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// How somebody likes the pages.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct PreferencesView {
    theme: Theme,
    /// Memes in lists move by themselves.
    autoplay_memes_enabled: bool,
    /// Without a sound when looked at closely.
    meme_modal_muted: bool,
}

impl From<accounts::Preferences> for PreferencesView {
    fn from(preferences: accounts::Preferences) -> Self {
        Self {
            theme: match preferences.theme {
                accounts::Theme::Light => Theme::Light,
                accounts::Theme::Dark => Theme::Dark,
            },
            autoplay_memes_enabled: preferences.autoplay_memes,
            meme_modal_muted: preferences.mute_memes,
        }
    }
}

/// New values for some preferences; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct PreferencesPatch {
    theme: Option<Theme>,
    autoplay_memes_enabled: Option<bool>,
    meme_modal_muted: Option<bool>,
}

impl From<PreferencesPatch> for accounts::PreferencesChange {
    fn from(patch: PreferencesPatch) -> Self {
        Self {
            theme: patch.theme.map(|theme| match theme {
                Theme::Light => accounts::Theme::Light,
                Theme::Dark => accounts::Theme::Dark,
            }),
            autoplay_memes: patch.autoplay_memes_enabled,
            mute_memes: patch.meme_modal_muted,
        }
    }
}
