//! Rules, and what was decided by them.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{AutomodError, hosts};
use crate::{chat::Roles, outbox::Provider};

/// What is done about a message that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Action {
    /// Nothing: the rule does not hold.
    Off,
    /// The message is taken away.
    Delete,
    /// That, and its author is warned.
    Warn,
    /// Its author is kept out of the chat for a while.
    Timeout,
}

impl Action {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Delete => "delete",
            Self::Warn => "warn",
            Self::Timeout => "timeout",
        }
    }
}

/// What a message breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Rule {
    Links,
    Caps,
    Repeats,
    Zalgo,
}

impl Rule {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Caps => "caps",
            Self::Repeats => "repeats",
            Self::Zalgo => "zalgo",
        }
    }

    /// What the author is told.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Links => "links are not allowed here",
            Self::Caps => "too many capital letters",
            Self::Repeats => "too many repetitions",
            Self::Zalgo => "letters under heaps of marks",
        }
    }
}

/// Whom the rules leave alone beside the broadcaster and moderators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Vip,
    Subscriber,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vip => "vip",
            Self::Subscriber => "subscriber",
        }
    }

    /// The table's check keeps every other word out.
    pub(super) fn from_column(word: &str) -> Self {
        if word == "vip" { Self::Vip } else { Self::Subscriber }
    }
}

/// How a channel is moderated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub enabled: bool,
    pub links: Action,
    /// Hosts that may be linked to, with all below them.
    pub allowed_hosts: Vec<String>,
    pub caps: Action,
    /// More of the letters must not be capital, 10 to 100.
    pub caps_percent: i32,
    /// Messages with fewer letters are not looked at, 5 to 500.
    pub caps_letters: i32,
    pub repeats: Action,
    /// So many times somebody may say the same within a minute, or a word may follow itself, 1 to 50.
    pub repeats_most: i32,
    pub zalgo: Action,
    /// So many marks a letter may bear, 1 to 50.
    pub zalgo_marks: i32,
    pub exempt: Vec<Role>,
    /// 1 to 1 209 600, two weeks.
    pub timeout_seconds: i32,
    /// After so many offences within [`Settings::escalate_minutes`] each further one is a timeout; 0: never.
    pub escalate_after: i32,
    pub escalate_minutes: i32,
    /// For so long somebody may link after a permit, 5 to 3600.
    pub permit_seconds: i32,
    /// None: never touched.
    pub updated_at: Option<OffsetDateTime>,
}

/// Seconds of the longest timeout that platforms know.
const LONGEST: i64 = 1_209_600;

impl Settings {
    /// What is done about a message that breaks the rule.
    pub(super) fn action(&self, rule: Rule) -> Action {
        match rule {
            Rule::Links => self.links,
            Rule::Caps => self.caps,
            Rule::Repeats => self.repeats,
            Rule::Zalgo => self.zalgo,
        }
    }

    /// The same for an author with so many offences behind them: the action, and the seconds of a timeout.
    pub(super) fn sentence(&self, rule: Rule, offences: i64) -> (Action, Option<i32>) {
        let beyond = offences - i64::from(self.escalate_after);
        let escalates = self.escalate_after > 0 && beyond >= 0;
        let action = if escalates { Action::Timeout } else { self.action(rule) };
        if action != Action::Timeout {
            return (action, None);
        }
        let doubled = if escalates { beyond.min(21) } else { 0 };
        let seconds = (i64::from(self.timeout_seconds) << doubled).min(LONGEST);
        (action, i32::try_from(seconds).ok())
    }

    pub(super) fn leaves_alone(&self, roles: Roles) -> bool {
        let has = |role: &Role| match role {
            Role::Vip => roles.vip,
            Role::Subscriber => roles.subscriber,
        };
        roles.broadcaster || roles.moderator || self.exempt.iter().any(has)
    }
}

/// New values; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub enabled: Option<bool>,
    pub links: Option<Action>,
    pub allowed_hosts: Option<Vec<String>>,
    pub caps: Option<Action>,
    pub caps_percent: Option<i32>,
    pub caps_letters: Option<i32>,
    pub repeats: Option<Action>,
    pub repeats_most: Option<i32>,
    pub zalgo: Option<Action>,
    pub zalgo_marks: Option<i32>,
    pub exempt: Option<Vec<Role>>,
    pub timeout_seconds: Option<i32>,
    pub escalate_after: Option<i32>,
    pub escalate_minutes: Option<i32>,
    pub permit_seconds: Option<i32>,
}

/// Hosts that may be linked to, of one channel.
const MAX_HOSTS: usize = 200;

impl Change {
    /// What the settings become.
    pub(super) fn of(self, before: &Settings) -> Result<Settings, AutomodError> {
        let wrong = |field, allowed| AutomodError::Invalid { field, allowed };
        let within = |field, value: Option<i32>, before: i32, from: i32, to: i32, allowed| match value {
            Some(value) if (from..=to).contains(&value) => Ok(value),
            Some(_) => Err(wrong(field, allowed)),
            None => Ok(before),
        };
        let allowed_hosts = match self.allowed_hosts {
            None => before.allowed_hosts.clone(),
            Some(hosts) if hosts.len() > MAX_HOSTS => return Err(wrong("allowedHosts", "at most 200 hosts")),
            Some(hosts) => {
                let mut named = hosts.iter().map(|host| hosts::named(host)).collect::<Option<Vec<_>>>();
                let named = named.as_mut().ok_or(wrong("allowedHosts", "names of hosts, like clips.twitch.tv"))?;
                named.sort();
                named.dedup();
                named.clone()
            }
        };
        let mut exempt = self.exempt.unwrap_or_else(|| before.exempt.clone());
        exempt.sort_by_key(|role| role.as_str());
        exempt.dedup();
        Ok(Settings {
            enabled: self.enabled.unwrap_or(before.enabled),
            links: self.links.unwrap_or(before.links),
            allowed_hosts,
            caps: self.caps.unwrap_or(before.caps),
            caps_percent: within("capsPercent", self.caps_percent, before.caps_percent, 10, 100, "10 to 100")?,
            caps_letters: within("capsLetters", self.caps_letters, before.caps_letters, 5, 500, "5 to 500")?,
            repeats: self.repeats.unwrap_or(before.repeats),
            repeats_most: within("repeatsMost", self.repeats_most, before.repeats_most, 1, 50, "1 to 50")?,
            zalgo: self.zalgo.unwrap_or(before.zalgo),
            zalgo_marks: within("zalgoMarks", self.zalgo_marks, before.zalgo_marks, 1, 50, "1 to 50")?,
            exempt,
            timeout_seconds: within(
                "timeoutSeconds",
                self.timeout_seconds,
                before.timeout_seconds,
                1,
                1_209_600,
                "1 to 1209600",
            )?,
            escalate_after: within("escalateAfter", self.escalate_after, before.escalate_after, 0, 100, "0 to 100")?,
            escalate_minutes: within(
                "escalateWithinMinutes",
                self.escalate_minutes,
                before.escalate_minutes,
                1,
                10_080,
                "1 to 10080",
            )?,
            permit_seconds: within("permitSeconds", self.permit_seconds, before.permit_seconds, 5, 3_600, "5 to 3600")?,
            updated_at: before.updated_at,
        })
    }
}

/// Somebody who may link for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    pub id: Uuid,
    pub provider: Provider,
    /// Lower case.
    pub login: String,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Status {
    Pending,
    Done,
    Failed,
}

/// What was decided about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub platform: String,
    /// The platform's id of the message.
    pub content_id: String,
    pub author_id: String,
    pub author_login: String,
    pub author_name: String,
    pub text: String,
    pub rule: Rule,
    pub action: Action,
    /// Of a timeout.
    pub seconds: Option<i32>,
    pub status: Status,
    /// Why it was not done, or not yet.
    pub error: Option<String>,
    /// The login of the account that did it.
    pub done_by: Option<String>,
    pub decided_at: OffsetDateTime,
    pub done_at: Option<OffsetDateTime>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::automod) fn settings() -> Settings {
        Settings {
            enabled: true,
            links: Action::Delete,
            allowed_hosts: vec!["twitch.tv".to_owned()],
            caps: Action::Warn,
            caps_percent: 70,
            caps_letters: 10,
            repeats: Action::Delete,
            repeats_most: 3,
            zalgo: Action::Timeout,
            zalgo_marks: 3,
            exempt: vec![Role::Vip],
            timeout_seconds: 60,
            escalate_after: 2,
            escalate_minutes: 60,
            permit_seconds: 60,
            updated_at: None,
        }
    }

    #[test]
    fn who_offends_again_and_again_is_kept_out_for_longer_each_time() {
        let settings = settings();
        let sentences: Vec<_> = (0..6).map(|offences| settings.sentence(Rule::Links, offences)).collect();
        let out = |seconds| (Action::Timeout, Some(seconds));
        assert_eq!(sentences, [(Action::Delete, None), (Action::Delete, None), out(60), out(120), out(240), out(480)]);
        assert_eq!(settings.sentence(Rule::Links, i64::MAX), out(1_209_600), "platforms know no longer one");
        assert_eq!(settings.sentence(Rule::Zalgo, 0), out(60));
        let never = Settings { escalate_after: 0, ..settings };
        assert_eq!(never.sentence(Rule::Links, 1_000), (Action::Delete, None));
    }

    #[test]
    fn the_broadcaster_moderators_and_the_roles_that_are_named_may_do_as_they_please() {
        let settings = settings();
        let nobody = Roles::default();
        for (roles, may) in [
            (nobody, false),
            (Roles { broadcaster: true, ..nobody }, true),
            (Roles { moderator: true, ..nobody }, true),
            (Roles { vip: true, ..nobody }, true),
            (Roles { subscriber: true, ..nobody }, false),
        ] {
            assert_eq!(settings.leaves_alone(roles), may, "{roles:?}");
        }
    }

    #[test]
    fn a_change_is_checked_and_hosts_are_kept_as_they_are_compared() {
        let before = settings();
        let hosts =
            Some(vec![" YouTube.com".to_owned(), "https://clips.twitch.tv/x".to_owned(), "youtube.com".to_owned()]);
        let after = Change { allowed_hosts: hosts, ..Change::default() }.of(&before).unwrap();
        assert_eq!(after.allowed_hosts, ["clips.twitch.tv", "youtube.com"]);
        for wrong in [
            Change { caps_percent: Some(9), ..Change::default() },
            Change { timeout_seconds: Some(0), ..Change::default() },
            Change { allowed_hosts: Some(vec!["no host".to_owned()]), ..Change::default() },
            Change { permit_seconds: Some(i32::MAX), ..Change::default() },
        ] {
            assert!(matches!(wrong.of(&before), Err(AutomodError::Invalid { .. })));
        }
    }
}
