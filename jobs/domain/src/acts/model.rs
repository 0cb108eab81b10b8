//! An act.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::unseen::plain;

/// Characters of a reason.
const MOST_OF_REASON: usize = 1000;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Person(Uuid),
    /// `os:<name>` of a command line.
    System(String),
}

/// Who acts, and by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub request: Option<String>,
}

const NAMES: &str = "
    adjust_wallet approve_adjustment approve_grant approve_submission ask_for_adjustment ask_for_changes
    ask_to_change_email ban ban_from_channel change_automod change_blocklist change_channel_settings change_command change_credits_settings change_email
    change_follow_greetings change_meme change_moderator change_observer change_overlay_presets change_password
    change_promotion change_reward_rule change_role change_stream_duration change_team change_timer change_token
    change_trust clear_queue create_command create_grant create_permit create_promotion create_reward_rule create_timer create_token
    delete_asset delete_command delete_counter delete_meme delete_permit delete_promotion delete_reward_rule delete_timer
    end_other_sessions end_session export forget grant_entitlement hide_asset link_account link_bot_account
    link_default_bot move_to_front open_channel pause_intake pause_playback play_test_event queue_event
    refuse_adjustment reject_submission remove_bot_account remove_default_bot remove_from_queue replace_recovery_codes
    replay reset_credits reset_password restore_meme resume_intake resume_playback revoke_entitlement revoke_grant revoke_token
    rotate_credits_token rotate_overlay_token rotate_submissions_link say set_counter set_live skip switch_bot
    switch_submissions switch_totp_off switch_totp_on unban unban_from_channel unhide_asset unlink_account verify_email
";

/// All words for what is done; a guard compares them with what the sources say.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.split_whitespace()
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// One of [`names`].
    pub(super) name: &'static str,
    pub(super) user: Option<Uuid>,
    pub(super) channel: Option<Uuid>,
    pub(super) thing: Option<Uuid>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    pub(super) reason: Option<String>,
    /// What was asked for was so before.
    pub(super) idle: bool,
}

impl Act {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, user: None, channel: None, thing: None, before: None, after: None, reason: None, idle: false }
    }

    /// To this person.
    #[must_use]
    pub fn to(self, user: Uuid) -> Self {
        Self { user: Some(user), ..self }
    }

    /// On this channel.
    #[must_use]
    pub fn on(self, channel: Uuid) -> Self {
        Self { channel: Some(channel), ..self }
    }

    /// To this thing of theirs: a meme, a token, a play.
    #[must_use]
    pub fn with(self, thing: Uuid) -> Self {
        Self { thing: Some(thing), ..self }
    }

    /// What it changed; of two objects only what differs. Where nothing does, there was no act, and none is noted.
    #[must_use]
    pub fn changing(self, before: Value, after: Value) -> Self {
        let idle = before.is_object() && before == after;
        let (before, after) = match (before, after) {
            (Value::Object(before), Value::Object(after)) => differing(before, after),
            other => other,
        };
        let some = |value: Value| (!value.is_null()).then_some(value);
        Self { before: some(before), after: some(after), idle, ..self }
    }

    #[must_use]
    pub fn because(self, reason: Option<&str>) -> Self {
        Self { reason: reason.map(str::to_owned), ..self }
    }
}

fn differing(before: Map<String, Value>, after: Map<String, Value>) -> (Value, Value) {
    let same = |name: &str| before.get(name) == after.get(name);
    let of = |object: &Map<String, Value>| -> Value {
        let kept = object.iter().filter(|(name, _)| !same(name.as_str()));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
    };
    (of(&before), of(&after))
}

/// Which acts are asked for; those that meet all conditions.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Acts before this one.
    pub before: Option<i64>,
    /// Login or id.
    pub actor: Option<String>,
    /// Login or id.
    pub user: Option<String>,
    pub channel: Option<Uuid>,
    pub act: Option<String>,
    pub since: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
}

/// An act as it was written down, with the present names.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    /// Ascending.
    pub id: i64,
    pub at: OffsetDateTime,
    /// `user:<login>`, or `os:<name>`.
    pub actor: String,
    pub act: String,
    pub user_id: Option<Uuid>,
    pub login: Option<String>,
    pub channel: Option<String>,
    pub thing: Option<Uuid>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub reason: Option<String>,
    pub request: Option<String>,
}

/// A reason as it is kept and told: on one line, without what nobody sees; none where nothing is said.
#[must_use]
pub fn reason(words: Option<&str>) -> Option<String> {
    words.map(|words| plain(words, MOST_OF_REASON)).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_two_objects_only_what_differs_is_kept() {
        let act = Act::new("ban").changing(json!({ "a": 1, "b": 2, "c": 3 }), json!({ "a": 1, "b": 3, "d": 4 }));
        assert_eq!(act.before, Some(json!({ "b": 2, "c": 3 })));
        assert_eq!(act.after, Some(json!({ "b": 3, "d": 4 })));
        let made = Act::new("ban").changing(Value::Null, json!({ "a": 1 }));
        assert_eq!((made.before, made.after), (None, Some(json!({ "a": 1 }))));
    }
}
