//! Words of auto-moderation.

use domain::automod::{self, Act, Change, Permit, Settings};
use poem_openapi::{Enum, Object};
use time::OffsetDateTime;
use uuid::Uuid;

use super::bots::Provider;

/// What is done about a message that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum AutomodAction {
    /// Nothing: the rule does not hold.
    Off,
    /// The message is taken away.
    Delete,
    /// That, and its author is warned.
    Warn,
    /// Its author is kept out of the chat for a while, and the messages go.
    Timeout,
}

impl From<AutomodAction> for automod::Action {
    fn from(action: AutomodAction) -> Self {
        match action {
            AutomodAction::Off => Self::Off,
            AutomodAction::Delete => Self::Delete,
            AutomodAction::Warn => Self::Warn,
            AutomodAction::Timeout => Self::Timeout,
        }
    }
}

impl From<automod::Action> for AutomodAction {
    fn from(action: automod::Action) -> Self {
        match action {
            automod::Action::Off => Self::Off,
            automod::Action::Delete => Self::Delete,
            automod::Action::Warn => Self::Warn,
            automod::Action::Timeout => Self::Timeout,
        }
    }
}

/// A role that the rules may leave alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ExemptRole {
    Vip,
    Subscriber,
}

impl From<ExemptRole> for automod::Role {
    fn from(role: ExemptRole) -> Self {
        match role {
            ExemptRole::Vip => Self::Vip,
            ExemptRole::Subscriber => Self::Subscriber,
        }
    }
}

impl From<automod::Role> for ExemptRole {
    fn from(role: automod::Role) -> Self {
        match role {
            automod::Role::Vip => Self::Vip,
            automod::Role::Subscriber => Self::Subscriber,
        }
    }
}

/// How a chat is moderated.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct AutomodView {
    enabled: bool,
    links_action: AutomodAction,
    /// Hosts that may be linked to, with all below them. Our own always may.
    allowed_hosts: Vec<String>,
    caps_action: AutomodAction,
    /// Per cent of the letters that may be capital.
    caps_percent: i32,
    /// Messages with fewer letters are not looked at.
    caps_letters: i32,
    repeats_action: AutomodAction,
    /// So many times somebody may say the same within a minute, or a word may follow itself.
    repeats_most: i32,
    zalgo_action: AutomodAction,
    /// So many marks a letter may bear.
    zalgo_marks: i32,
    /// Roles that may do all of it, beside the broadcaster and moderators.
    exempt: Vec<ExemptRole>,
    /// How long a timeout is.
    timeout_seconds: i32,
    /// After so many offences of a person each further one is a timeout, twice as long each time; 0: never.
    escalate_after: i32,
    /// Offences count for so many minutes.
    escalate_within_minutes: i32,
    /// For so long a permit lets somebody post links.
    permit_seconds: i32,
    /// Absent while nothing was ever changed.
    updated_at: Option<OffsetDateTime>,
}

impl From<Settings> for AutomodView {
    fn from(settings: Settings) -> Self {
        Self {
            enabled: settings.enabled,
            links_action: settings.links.into(),
            allowed_hosts: settings.allowed_hosts,
            caps_action: settings.caps.into(),
            caps_percent: settings.caps_percent,
            caps_letters: settings.caps_letters,
            repeats_action: settings.repeats.into(),
            repeats_most: settings.repeats_most,
            zalgo_action: settings.zalgo.into(),
            zalgo_marks: settings.zalgo_marks,
            exempt: settings.exempt.into_iter().map(Into::into).collect(),
            timeout_seconds: settings.timeout_seconds,
            escalate_after: settings.escalate_after,
            escalate_within_minutes: settings.escalate_minutes,
            permit_seconds: settings.permit_seconds,
            updated_at: settings.updated_at,
        }
    }
}

/// New values; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct AutomodPatch {
    enabled: Option<bool>,
    links_action: Option<AutomodAction>,
    /// At most 200, in place of those that there are.
    allowed_hosts: Option<Vec<String>>,
    caps_action: Option<AutomodAction>,
    /// 10 to 100.
    caps_percent: Option<i32>,
    /// 5 to 500.
    caps_letters: Option<i32>,
    repeats_action: Option<AutomodAction>,
    /// 1 to 50.
    repeats_most: Option<i32>,
    zalgo_action: Option<AutomodAction>,
    /// 1 to 50.
    zalgo_marks: Option<i32>,
    /// In place of those that there are.
    exempt: Option<Vec<ExemptRole>>,
    /// 1 to 1209600.
    timeout_seconds: Option<i32>,
    /// 0 to 100.
    escalate_after: Option<i32>,
    /// 1 to 10080.
    escalate_within_minutes: Option<i32>,
    /// 5 to 3600.
    permit_seconds: Option<i32>,
}

impl From<AutomodPatch> for Change {
    fn from(patch: AutomodPatch) -> Self {
        Self {
            enabled: patch.enabled,
            links: patch.links_action.map(Into::into),
            allowed_hosts: patch.allowed_hosts,
            caps: patch.caps_action.map(Into::into),
            caps_percent: patch.caps_percent,
            caps_letters: patch.caps_letters,
            repeats: patch.repeats_action.map(Into::into),
            repeats_most: patch.repeats_most,
            zalgo: patch.zalgo_action.map(Into::into),
            zalgo_marks: patch.zalgo_marks,
            exempt: patch.exempt.map(|roles| roles.into_iter().map(Into::into).collect()),
            timeout_seconds: patch.timeout_seconds,
            escalate_after: patch.escalate_after,
            escalate_minutes: patch.escalate_within_minutes,
            permit_seconds: patch.permit_seconds,
        }
    }
}

/// Somebody who may post links for a while.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct PermitView {
    id: Uuid,
    provider: Provider,
    /// Their name in the chat, in lower case.
    login: String,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

impl From<Permit> for PermitView {
    fn from(permit: Permit) -> Self {
        Self {
            id: permit.id,
            provider: permit.provider.into(),
            login: permit.login,
            created_at: permit.created_at,
            expires_at: permit.expires_at,
        }
    }
}

/// Who shall be let; on Twitch when no provider is named.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewPermitView {
    /// Their name in the chat, with or without `@`.
    pub(crate) login: String,
    // Described at the object: a description here becomes an `allOf` of an enum, which generators of clients cannot read.
    pub(crate) provider: Option<Provider>,
    /// 5 to 3600; as long as the settings say when absent.
    pub(crate) seconds: Option<i32>,
}

/// The rule that a message broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum AutomodRule {
    Links,
    Caps,
    Repeats,
    Zalgo,
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum AutomodStatus {
    Pending,
    Done,
    /// It was not done; `error` says why.
    Failed,
}

/// What was done about a message.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct AutomodActView {
    id: Uuid,
    provider: String,
    /// Who wrote it.
    login: String,
    display_name: String,
    message: String,
    rule: AutomodRule,
    action: AutomodAction,
    /// Of a timeout.
    seconds: Option<i32>,
    status: AutomodStatus,
    /// Why it was not done, or not yet.
    error: Option<String>,
    /// The account that did it.
    done_by: Option<String>,
    decided_at: OffsetDateTime,
    done_at: Option<OffsetDateTime>,
}

impl From<Act> for AutomodActView {
    fn from(act: Act) -> Self {
        Self {
            id: act.id,
            provider: act.platform,
            login: act.author_login,
            display_name: act.author_name,
            message: act.text,
            rule: match act.rule {
                automod::Rule::Links => AutomodRule::Links,
                automod::Rule::Caps => AutomodRule::Caps,
                automod::Rule::Repeats => AutomodRule::Repeats,
                automod::Rule::Zalgo => AutomodRule::Zalgo,
            },
            action: act.action.into(),
            seconds: act.seconds,
            status: match act.status {
                automod::Status::Pending => AutomodStatus::Pending,
                automod::Status::Done => AutomodStatus::Done,
                automod::Status::Failed => AutomodStatus::Failed,
            },
            error: act.error,
            done_by: act.done_by,
            decided_at: act.decided_at,
            done_at: act.done_at,
        }
    }
}
