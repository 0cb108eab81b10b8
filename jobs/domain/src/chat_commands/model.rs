//! A command and its limits.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{CommandError, matching::normalize};
use crate::{
    automod::PERMIT,
    templates::{self, MAX_COUNTER_NAME, Occasion},
    unseen::{is_blank, is_unseen},
};

/// Of a channel.
pub const MAX_COMMANDS: i64 = 200;
/// Characters of a trigger or an alias.
pub const MAX_TRIGGER: usize = 50;
/// Of a command.
pub const MAX_ALIASES: usize = 10;
/// Logins, or ids of roles, of a command.
pub const MAX_ALLOWED: usize = 100;
/// Characters of a role's id.
pub const MAX_ROLE_ID: usize = 128;
/// Characters of a login.
const MAX_LOGIN: usize = 25;
/// Seconds.
pub const MAX_COOLDOWN: i32 = 86_400;
/// Of a channel.
pub const MAX_COUNTERS: i64 = 200;

/// Where the words of a command stand in a message that calls it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Matching {
    /// At its beginning.
    #[default]
    Command,
    /// Anywhere, as words of their own.
    Keyword,
}

impl Matching {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Keyword => "keyword",
        }
    }

    pub(super) fn from_column(word: &str) -> Self {
        if word == "keyword" { Self::Keyword } else { Self::Command }
    }
}

/// What somebody is in a chat on Twitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Vip,
    Moderator,
    Subscriber,
    /// Kept, and lets nobody in: no chat says who follows.
    Follower,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vip => "vip",
            Self::Moderator => "moderator",
            Self::Subscriber => "subscriber",
            Self::Follower => "follower",
        }
    }

    /// The table's check keeps every other word out.
    pub(super) fn from_column(word: &str) -> Self {
        match word {
            "vip" => Self::Vip,
            "moderator" => Self::Moderator,
            "subscriber" => Self::Subscriber,
            _ => Self::Follower,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatCommand {
    pub id: Uuid,
    pub channel_id: Uuid,
    /// As the streamer has written it.
    pub trigger: String,
    pub aliases: Vec<String>,
    pub response: String,
    pub matching: Matching,
    pub enabled: bool,
    pub only_when_live: bool,
    /// Lower case.
    pub allowed_users: Vec<String>,
    pub allowed_roles: Vec<Role>,
    pub vkvideo_allowed_role_ids: Vec<String>,
    pub cooldown_seconds: i32,
    pub user_cooldown_seconds: i32,
    /// Answers in all.
    pub uses: i64,
    pub last_used_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// A command about to be made, or what one becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    pub trigger: String,
    pub aliases: Vec<String>,
    pub response: String,
    pub matching: Matching,
    pub enabled: bool,
    pub only_when_live: bool,
    /// With or without `@`, in any case.
    pub allowed_users: Vec<String>,
    pub allowed_roles: Vec<Role>,
    pub vkvideo_allowed_role_ids: Vec<String>,
    pub cooldown_seconds: i32,
    pub user_cooldown_seconds: i32,
}

/// New values; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub trigger: Option<String>,
    pub aliases: Option<Vec<String>>,
    pub response: Option<String>,
    pub matching: Option<Matching>,
    pub enabled: Option<bool>,
    pub only_when_live: Option<bool>,
    pub allowed_users: Option<Vec<String>>,
    pub allowed_roles: Option<Vec<Role>>,
    pub vkvideo_allowed_role_ids: Option<Vec<String>>,
    pub cooldown_seconds: Option<i32>,
    pub user_cooldown_seconds: Option<i32>,
}

/// A number that answers count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    pub name: String,
    pub value: i64,
    pub updated_at: OffsetDateTime,
}

impl Change {
    /// What the command is after the change.
    pub(super) fn of(self, command: &ChatCommand) -> NewCommand {
        let command = command.clone();
        NewCommand {
            trigger: self.trigger.unwrap_or(command.trigger),
            aliases: self.aliases.unwrap_or(command.aliases),
            response: self.response.unwrap_or(command.response),
            matching: self.matching.unwrap_or(command.matching),
            enabled: self.enabled.unwrap_or(command.enabled),
            only_when_live: self.only_when_live.unwrap_or(command.only_when_live),
            allowed_users: self.allowed_users.unwrap_or(command.allowed_users),
            allowed_roles: self.allowed_roles.unwrap_or(command.allowed_roles),
            vkvideo_allowed_role_ids: self.vkvideo_allowed_role_ids.unwrap_or(command.vkvideo_allowed_role_ids),
            cooldown_seconds: self.cooldown_seconds.unwrap_or(command.cooldown_seconds),
            user_cooldown_seconds: self.user_cooldown_seconds.unwrap_or(command.user_cooldown_seconds),
        }
    }
}

impl NewCommand {
    /// Checks everything before anything is written, and brings lists into the form in which they are kept: lower case,
    /// without `@` and without repetitions.
    pub(super) fn checked(mut self) -> Result<Self, CommandError> {
        self.trigger = trigger("trigger", &self.trigger)?;
        if self.aliases.len() > MAX_ALIASES {
            return Err(invalid("aliases", format!("at most {MAX_ALIASES}")));
        }
        let own = normalize(&self.trigger);
        let mut seen = BTreeSet::from([own]);
        let mut aliases = Vec::new();
        for alias in &self.aliases {
            let alias = trigger("aliases", alias)?;
            if seen.insert(normalize(&alias)) {
                aliases.push(alias);
            }
        }
        self.aliases = aliases;
        response("response", &self.response, Occasion::Command)?;
        self.allowed_users = logins(&self.allowed_users)?;
        self.allowed_roles.sort_unstable();
        self.allowed_roles.dedup();
        self.vkvideo_allowed_role_ids = role_ids(&self.vkvideo_allowed_role_ids)?;
        for (field, seconds) in
            [("cooldownSeconds", self.cooldown_seconds), ("userCooldownSeconds", self.user_cooldown_seconds)]
        {
            if !(0..=MAX_COOLDOWN).contains(&seconds) {
                return Err(invalid(field, format!("0 to {MAX_COOLDOWN}")));
            }
        }
        Ok(self)
    }

    /// The words that call it, as messages are compared with them; the trigger first.
    pub(super) fn words(&self) -> Vec<String> {
        std::iter::once(&self.trigger).chain(&self.aliases).map(|word| normalize(word)).collect()
    }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> CommandError {
    CommandError::Invalid { field, problem: problem.into() }
}

/// The words of a trigger, which can be seen, and of which there are not too many.
pub(super) fn trigger(field: &'static str, raw: &str) -> Result<String, CommandError> {
    let words = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_blank(&words) || words.chars().count() > MAX_TRIGGER || words.chars().any(is_unseen) {
        return Err(invalid(field, format!("1 to {MAX_TRIGGER} characters that can be seen")));
    }
    Ok(words)
}

/// Bots take none of these words for themselves, but for those that called the command before: a command that moderators could
/// not call, because auto-moderation hears them first.
pub(super) fn not_ours(field: &'static str, words: &[String], before: &[String]) -> Result<(), CommandError> {
    let is_ours = |word: &&String| word.split(' ').next() == Some(PERMIT) && !before.contains(word);
    match words.iter().find(is_ours) {
        Some(word) => Err(invalid(field, format!("{word:?} is what moderators let people link by: choose another"))),
        None => Ok(()),
    }
}

/// An answer that can be said.
pub(super) fn response(field: &'static str, text: &str, occasion: Occasion) -> Result<(), CommandError> {
    templates::check(text, occasion).map_err(|problem| invalid(field, problem))
}

fn logins(raw: &[String]) -> Result<Vec<String>, CommandError> {
    if raw.len() > MAX_ALLOWED {
        return Err(invalid("allowedUsers", format!("at most {MAX_ALLOWED}")));
    }
    let mut logins = Vec::new();
    for login in raw {
        let login = login.trim();
        let login = login.strip_prefix('@').unwrap_or(login).to_ascii_lowercase();
        let sound = (1..=MAX_LOGIN).contains(&login.len())
            && login.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !sound {
            return Err(invalid("allowedUsers", format!("logins of 1 to {MAX_LOGIN} of a to z, 0 to 9 and _")));
        }
        if !logins.contains(&login) {
            logins.push(login);
        }
    }
    Ok(logins)
}

/// A counter's name, in lower case.
pub(super) fn counter_name(raw: &str) -> Result<String, CommandError> {
    let name = raw.to_ascii_lowercase();
    let sound = (1..=MAX_COUNTER_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if sound {
        return Ok(name);
    }
    Err(invalid("name", format!("1 to {MAX_COUNTER_NAME} of a to z, 0 to 9 and _")))
}

fn role_ids(raw: &[String]) -> Result<Vec<String>, CommandError> {
    if raw.len() > MAX_ALLOWED {
        return Err(invalid("vkvideoAllowedRoleIds", format!("at most {MAX_ALLOWED}")));
    }
    let mut ids: Vec<String> = Vec::new();
    for id in raw {
        let id = id.trim();
        if id.is_empty() || id.chars().count() > MAX_ROLE_ID || id.chars().any(char::is_control) {
            return Err(invalid("vkvideoAllowedRoleIds", format!("ids of 1 to {MAX_ROLE_ID} characters")));
        }
        if !ids.iter().any(|there| there == id) {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> NewCommand {
        NewCommand {
            trigger: " !Hello  there ".to_owned(),
            aliases: vec!["!HI".to_owned(), "!hi".to_owned(), "!hello THERE".to_owned()],
            response: "Hi, {user}".to_owned(),
            matching: Matching::Command,
            enabled: true,
            only_when_live: false,
            allowed_users: vec!["@Lotas".to_owned(), "lotas".to_owned(), "a_1".to_owned()],
            allowed_roles: vec![Role::Subscriber, Role::Vip, Role::Vip],
            vkvideo_allowed_role_ids: vec![" role:vip ".to_owned(), "role:vip".to_owned()],
            cooldown_seconds: 5,
            user_cooldown_seconds: 0,
        }
    }

    #[test]
    fn a_command_is_kept_in_one_form() {
        let kept = sound().checked().unwrap();
        assert_eq!(kept.trigger, "!Hello there");
        assert_eq!(kept.aliases, ["!HI"], "what calls it already is left away");
        assert_eq!(kept.allowed_users, ["lotas", "a_1"]);
        assert_eq!(kept.allowed_roles, [Role::Vip, Role::Subscriber]);
        assert_eq!(kept.vkvideo_allowed_role_ids, ["role:vip"]);
        assert_eq!(kept.words(), ["!hello there", "!hi"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |change: &dyn Fn(&mut NewCommand)| {
            let mut changed = sound();
            change(&mut changed);
            changed.checked().unwrap_err().to_string()
        };
        assert!(wrong(&|it| it.trigger = " ".to_owned()).starts_with("trigger: 1 to 50"));
        assert!(wrong(&|it| it.trigger = "a".repeat(51)).starts_with("trigger:"));
        assert!(wrong(&|it| it.trigger = "a\u{200b}".to_owned()).starts_with("trigger:"));
        assert!(wrong(&|it| it.aliases = vec!["a".to_owned(); 11]).starts_with("aliases: at most 10"));
        assert!(wrong(&|it| it.aliases = vec![String::new()]).starts_with("aliases:"));
        assert!(wrong(&|it| it.response = "a".repeat(451)).starts_with("response: 1 to 450"));
        assert!(wrong(&|it| it.response = "/ban {user}".to_owned()).starts_with("response: the message begins like"));
        assert!(wrong(&|it| it.response = "{usr}".to_owned()).starts_with("response: {usr} is no variable"));
        assert!(wrong(&|it| it.allowed_users = vec!["a b".to_owned()]).starts_with("allowedUsers: logins"));
        assert!(wrong(&|it| it.allowed_users = vec!["@@a".to_owned()]).starts_with("allowedUsers:"));
        assert!(wrong(&|it| it.allowed_users = vec!["a".repeat(26)]).starts_with("allowedUsers:"));
        assert!(wrong(&|it| it.allowed_users = vec!["a".to_owned(); 101]).starts_with("allowedUsers: at most 100"));
        assert!(wrong(&|it| it.vkvideo_allowed_role_ids = vec!["a".repeat(129)]).starts_with("vkvideoAllowedRoleIds:"));
        assert!(wrong(&|it| it.cooldown_seconds = -1).starts_with("cooldownSeconds: 0 to 86400"));
        assert!(wrong(&|it| it.user_cooldown_seconds = 86_401).starts_with("userCooldownSeconds:"));
        let mut long = sound();
        long.response = "я".repeat(450);
        assert!(long.checked().is_ok(), "cut when it is said");
    }
}
