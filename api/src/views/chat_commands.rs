//! Words of commands and what is beside them.

use domain::chat_commands::{self, Change, ChatCommand, Counter, DurationChange, DurationSettings, NewCommand};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

/// Where the words of a command stand in a message that calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum Matching {
    /// At its beginning.
    Command,
    /// Anywhere, as words of their own.
    Keyword,
}

impl From<Matching> for chat_commands::Matching {
    fn from(matching: Matching) -> Self {
        match matching {
            Matching::Command => Self::Command,
            Matching::Keyword => Self::Keyword,
        }
    }
}

impl From<chat_commands::Matching> for Matching {
    fn from(matching: chat_commands::Matching) -> Self {
        match matching {
            chat_commands::Matching::Command => Self::Command,
            chat_commands::Matching::Keyword => Self::Keyword,
        }
    }
}

/// What somebody is in a chat on Twitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ChatRole {
    Vip,
    Moderator,
    Subscriber,
    /// Kept, and lets nobody in: no chat says who follows.
    Follower,
}

impl From<ChatRole> for chat_commands::Role {
    fn from(role: ChatRole) -> Self {
        match role {
            ChatRole::Vip => Self::Vip,
            ChatRole::Moderator => Self::Moderator,
            ChatRole::Subscriber => Self::Subscriber,
            ChatRole::Follower => Self::Follower,
        }
    }
}

impl From<chat_commands::Role> for ChatRole {
    fn from(role: chat_commands::Role) -> Self {
        match role {
            chat_commands::Role::Vip => Self::Vip,
            chat_commands::Role::Moderator => Self::Moderator,
            chat_commands::Role::Subscriber => Self::Subscriber,
            chat_commands::Role::Follower => Self::Follower,
        }
    }
}

/// What the bots of a channel answer.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct CommandView {
    id: Uuid,
    channel_id: Uuid,
    trigger: String,
    /// Other words that call it.
    aliases: Vec<String>,
    response: String,
    matching: Matching,
    enabled: bool,
    only_when_live: bool,
    /// Logins, lower case.
    allowed_users: Vec<String>,
    allowed_roles: Vec<ChatRole>,
    vkvideo_allowed_role_ids: Vec<String>,
    cooldown_seconds: i32,
    user_cooldown_seconds: i32,
    /// Answers in all.
    uses: i64,
    last_used_at: Option<OffsetDateTime>,
    /// What of this is kept and has no effect, and why.
    notes: Vec<String>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<ChatCommand> for CommandView {
    fn from(command: ChatCommand) -> Self {
        let mut notes = Vec::new();
        if command.allowed_roles.contains(&chat_commands::Role::Follower) {
            notes.push("follower: no chat says who follows, so this role lets nobody in".to_owned());
        }
        Self {
            id: command.id,
            channel_id: command.channel_id,
            trigger: command.trigger,
            aliases: command.aliases,
            response: command.response,
            matching: command.matching.into(),
            enabled: command.enabled,
            only_when_live: command.only_when_live,
            allowed_users: command.allowed_users,
            allowed_roles: command.allowed_roles.into_iter().map(Into::into).collect(),
            vkvideo_allowed_role_ids: command.vkvideo_allowed_role_ids,
            cooldown_seconds: command.cooldown_seconds,
            user_cooldown_seconds: command.user_cooldown_seconds,
            uses: command.uses,
            last_used_at: command.last_used_at,
            notes,
            created_at: command.created_at,
            updated_at: command.updated_at,
        }
    }
}

/// A command to be made.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewCommandView {
    /// What calls it: 1 to 50 characters, in any case.
    trigger: String,
    /// 1 to 450 characters, with variables; what is longer than a chat message when it is said is cut.
    response: String,
    /// At most 10 other words that call it.
    aliases: Option<Vec<String>>,
    // `command` when absent. Described here: a description of an enum becomes an `allOf`, which generators cannot read.
    matching: Option<Matching>,
    /// True when absent.
    enabled: Option<bool>,
    /// False when absent.
    only_when_live: Option<bool>,
    /// At most 100 logins, with or without `@`. They and whoever has one of the roles are answered; everybody when nobody is
    /// named; the broadcaster always.
    allowed_users: Option<Vec<String>>,
    /// On Twitch; other chats do not tell them, and there they do not count.
    allowed_roles: Option<Vec<ChatRole>>,
    /// At most 100 ids of roles, of 1 to 128 characters; on VK Video.
    vkvideo_allowed_role_ids: Option<Vec<String>>,
    /// 0 to 86400 seconds after an answer in which there is no other one; 0 when absent.
    cooldown_seconds: Option<i32>,
    /// The same for each viewer.
    user_cooldown_seconds: Option<i32>,
}

impl From<NewCommandView> for NewCommand {
    fn from(view: NewCommandView) -> Self {
        let roles = view.allowed_roles.unwrap_or_default();
        Self {
            trigger: view.trigger,
            aliases: view.aliases.unwrap_or_default(),
            response: view.response,
            matching: view.matching.map(Into::into).unwrap_or_default(),
            enabled: view.enabled.unwrap_or(true),
            only_when_live: view.only_when_live.unwrap_or(false),
            allowed_users: view.allowed_users.unwrap_or_default(),
            allowed_roles: roles.into_iter().map(Into::into).collect(),
            vkvideo_allowed_role_ids: view.vkvideo_allowed_role_ids.unwrap_or_default(),
            cooldown_seconds: view.cooldown_seconds.unwrap_or(0),
            user_cooldown_seconds: view.user_cooldown_seconds.unwrap_or(0),
        }
    }
}

/// New values for a command; what is absent stays. At least one.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct CommandPatch {
    /// 1 to 50 characters.
    trigger: Option<String>,
    /// 1 to 450 characters, with variables.
    response: Option<String>,
    /// At most 10, in place of those that there are.
    aliases: Option<Vec<String>>,
    matching: Option<Matching>,
    enabled: Option<bool>,
    only_when_live: Option<bool>,
    /// At most 100 logins, in place of those that there are.
    allowed_users: Option<Vec<String>>,
    /// In place of those that there are.
    allowed_roles: Option<Vec<ChatRole>>,
    /// At most 100, in place of those that there are.
    vkvideo_allowed_role_ids: Option<Vec<String>>,
    /// 0 to 86400.
    cooldown_seconds: Option<i32>,
    /// 0 to 86400.
    user_cooldown_seconds: Option<i32>,
}

impl From<CommandPatch> for Change {
    fn from(patch: CommandPatch) -> Self {
        Self {
            trigger: patch.trigger,
            aliases: patch.aliases,
            response: patch.response,
            matching: patch.matching.map(Into::into),
            enabled: patch.enabled,
            only_when_live: patch.only_when_live,
            allowed_users: patch.allowed_users,
            allowed_roles: patch.allowed_roles.map(|roles| roles.into_iter().map(Into::into).collect()),
            vkvideo_allowed_role_ids: patch.vkvideo_allowed_role_ids,
            cooldown_seconds: patch.cooldown_seconds,
            user_cooldown_seconds: patch.user_cooldown_seconds,
        }
    }
}

/// A number that answers count: `{counter:deaths}`.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct CounterView {
    name: String,
    value: i64,
    updated_at: OffsetDateTime,
}

impl From<Counter> for CounterView {
    fn from(counter: Counter) -> Self {
        Self { name: counter.name, value: counter.value, updated_at: counter.updated_at }
    }
}

/// What a counter shall say.
#[derive(Debug, Object)]
#[oai(example, deny_unknown_fields)]
pub(crate) struct CounterWish {
    /// The next answer that counts it says one more.
    pub(crate) value: i64,
}

/// The command that tells for how long the stream runs.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct StreamDurationView {
    enabled: bool,
    trigger: String,
    response_template: String,
    /// Minutes: a stream that comes back within them goes on, and its break counts.
    break_credit_minutes: i32,
    only_when_live: bool,
    /// Absent while nothing was ever changed.
    updated_at: Option<OffsetDateTime>,
}

impl From<DurationSettings> for StreamDurationView {
    fn from(settings: DurationSettings) -> Self {
        Self {
            enabled: settings.enabled,
            trigger: settings.trigger,
            response_template: settings.response,
            break_credit_minutes: settings.break_credit_minutes,
            only_when_live: settings.only_when_live,
            updated_at: settings.updated_at,
        }
    }
}

/// New values for it; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct StreamDurationPatch {
    enabled: Option<bool>,
    /// 1 to 50 characters that call no other command.
    trigger: Option<String>,
    /// 1 to 450 characters, with `{hours}`, `{minutes}` and `{totalMinutes}`.
    response_template: Option<String>,
    /// 0 to 1440.
    break_credit_minutes: Option<i32>,
    only_when_live: Option<bool>,
}

impl From<StreamDurationPatch> for DurationChange {
    fn from(patch: StreamDurationPatch) -> Self {
        Self {
            enabled: patch.enabled,
            trigger: patch.trigger,
            response: patch.response_template,
            break_credit_minutes: patch.break_credit_minutes,
            only_when_live: patch.only_when_live,
        }
    }
}
