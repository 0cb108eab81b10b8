//! What VK Video's news mean.

use ::vkvideo::{Part, Role};
use domain::chat::{Batch, ChatMessage, RawLine, Removal, Removed, Roles};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{deeds, roles::RoleStubs};
use crate::platforms::Meant;

/// What was asked for is heard too late after this long.
const LATE: time::Duration = time::Duration::minutes(1);
/// Longer ones are no chat messages.
const MAX_TEXT_BYTES: usize = 4_000;
/// Of names.
const MAX_NAME_BYTES: usize = 200;
const SENT: &str = "channel_chat_message_send";
const DELETED: &str = "channel_chat_message_delete";
/// The badge of the platform's own voice, which announces rewards.
const ANNOUNCER: &str = "internal_chatbot";

/// Which news are kept for [`understand`].
pub(super) fn is_kept(data: &Value) -> bool {
    data["type"].as_str().is_some_and(|kind| matches!(kind, SENT | DELETED) || deeds::is_deed(kind))
}

/// The line that keeps what was told of the channel with this id and name there.
pub(super) fn line(account: &str, channel: &str, mut data: Value) -> Vec<u8> {
    if let Some(fields) = data.as_object_mut() {
        fields.insert("account".to_owned(), account.into());
        fields.insert("channel".to_owned(), channel.into());
    }
    data.to_string().into_bytes()
}

/// The same for a message that was asked for.
pub(super) fn line_of_message(account: &str, channel: &str, message: &Value) -> Vec<u8> {
    line(account, channel, json!({ "type": SENT, "asked": true, "data": { "chat_message": message } }))
}

/// A kept line.
#[derive(Deserialize)]
pub(super) struct Told {
    /// The channel's id there.
    #[serde(default)]
    pub(super) account: String,
    /// Its name there.
    #[serde(default)]
    channel: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// It was not told by itself.
    #[serde(default)]
    asked: bool,
    #[serde(default)]
    pub(super) data: Value,
}

#[derive(Deserialize)]
struct Sent {
    chat_message: Message,
}

#[derive(Deserialize)]
struct Message {
    id: u64,
    #[serde(default)]
    created_at: i64,
    #[serde(default)]
    is_private: bool,
    author: Author,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Author {
    id: u64,
    nick: String,
    #[serde(default)]
    is_owner: bool,
    #[serde(default)]
    is_moderator: bool,
    #[serde(default)]
    badges: Vec<Badge>,
    #[serde(default)]
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Badge {
    #[serde(default)]
    achievement_name: String,
}

#[derive(Deserialize)]
struct Deleted {
    chat_message: Gone,
}

#[derive(Deserialize)]
struct Gone {
    id: u64,
}

/// What a kept line says.
pub(in crate::platforms) fn understand(
    stubs: Option<&RoleStubs>,
    batch: &Batch,
    raw: &RawLine,
) -> Result<Meant, String> {
    let told: Told = serde_json::from_slice(&raw.bytes).map_err(|error| error.to_string())?;
    let channel_id = raw.channel_id.ok_or("the channel is not one of ours");
    if deeds::is_deed(&told.kind) {
        return Ok(Meant { deed: deeds::deed(&told, channel_id?, batch.received_at)?, ..Meant::default() });
    }
    if ![SENT, DELETED].contains(&told.kind.as_str()) {
        return Ok(Meant::default());
    }
    let channel_id = channel_id?;
    if told.kind == DELETED {
        let deleted: Deleted = serde_json::from_value(told.data).map_err(|error| error.to_string())?;
        let of = Removed::Message(deleted.chat_message.id.to_string());
        return Ok(Meant { removal: Some(Removal { channel_id, of, at: batch.received_at }), ..Meant::default() });
    }
    let sent: Sent = serde_json::from_value(told.data).map_err(|error| error.to_string())?;
    let mut message = message(sent.chat_message, channel_id, batch.received_at)?;
    if let Some(message) = &mut message {
        if let Some(stubs) = stubs {
            let place = [told.account.as_str(), told.channel.as_str()];
            message.role_ids.extend(stubs.of(place, &message.author_login, &message.author_id));
        }
        message.late = told.asked && batch.received_at - message.sent_at > LATE;
    }
    Ok(Meant { message, ..Meant::default() })
}

/// None: it is nobody's, or was not said to all.
fn message(told: Message, channel_id: Uuid, received_at: OffsetDateTime) -> Result<Option<ChatMessage>, String> {
    let Message { id, created_at, is_private, author, parts } = told;
    if is_private || author.badges.iter().any(|badge| badge.achievement_name == ANNOUNCER) {
        return Ok(None);
    }
    let text = Part::text_of(&parts);
    if text.len() > MAX_TEXT_BYTES {
        return Err(format!("the message has {} bytes", text.len()));
    }
    if author.nick.is_empty() || author.nick.len() > MAX_NAME_BYTES {
        return Err("the author's name is empty or too long".to_owned());
    }
    Ok(Some(ChatMessage {
        channel_id,
        content_id: id.to_string(),
        author_id: author.id.to_string(),
        author_login: author.nick.to_lowercase(),
        author_name: author.nick,
        roles: Roles { broadcaster: author.is_owner, moderator: author.is_moderator, ..Roles::default() },
        text,
        sent_at: OffsetDateTime::from_unix_timestamp(created_at)
            .ok()
            .filter(|at| *at > OffsetDateTime::UNIX_EPOCH)
            .unwrap_or(received_at),
        foreign: false,
        late: false,
        role_ids: author.roles.into_iter().map(|role| role.id).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Meant, String> {
        let received_at = OffsetDateTime::UNIX_EPOCH;
        let batch = Batch { id: Uuid::nil(), platform: "vkvideo".to_owned(), lines: Vec::new(), received_at };
        understand(None, &batch, &RawLine { channel_id: Some(Uuid::nil()), bytes: bytes.to_vec() })
    }

    #[test]
    fn a_message_has_its_words_its_author_and_its_time() {
        let meant = read(include_bytes!("fixtures/message.json")).unwrap();
        let message = meant.message.unwrap();
        assert_eq!((&*message.content_id, &*message.author_id), ("123456789", "35461580"));
        assert_eq!((&*message.author_login, &*message.author_name), ("anna", "Anna"));
        assert_eq!(message.text, "!memes @borisKEK");
        assert_eq!(message.sent_at.unix_timestamp(), 1_785_097_380);
        assert_eq!(message.roles, Roles { moderator: true, ..Roles::default() });
        assert_eq!(message.role_ids, ["r1"]);
    }

    #[test]
    fn a_message_that_was_deleted_is_named() {
        let meant = read(include_bytes!("fixtures/delete.json")).unwrap();
        assert_eq!(meant.removal.unwrap().of, Removed::Message("123456789".to_owned()));
    }

    #[test]
    fn what_the_platform_says_itself_and_what_few_may_read_is_no_message() {
        assert_eq!(read(include_bytes!("fixtures/chatbot.json")), Ok(Meant::default()));
        let private = include_str!("fixtures/message.json").replace(r#""is_private":false"#, r#""is_private":true"#);
        assert_eq!(read(private.as_bytes()), Ok(Meant::default()));
        assert_eq!(read(br#"{"type":"channel_raid_income","data":{}}"#), Ok(Meant::default()));
    }

    #[test]
    fn a_line_keeps_what_was_told_and_of_whom() {
        let told: Value = serde_json::from_str(include_str!("fixtures/message.json")).unwrap();
        assert!(is_kept(&told) && !is_kept(&json!({ "type": "channel_raid_income" })) && !is_kept(&json!(7)));
        let kept: Value = serde_json::from_slice(&line("7", "anna", told.clone())).unwrap();
        assert_eq!((&kept["account"], &kept["data"]), (&json!("7"), &told["data"]));
        let asked = line_of_message("7", "anna", &told["data"]["chat_message"]);
        let asked_for: Value = serde_json::from_slice(&asked).unwrap();
        assert_eq!((&asked_for["account"], &asked_for["data"]), (&kept["account"], &kept["data"]));
        assert!(!read(&asked).unwrap().message.unwrap().late, "it was said after it was heard, by this clock");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(read(&bytes));
        }

        #[test]
        fn no_value_makes_it_panic(id in any::<u64>(), at in any::<i64>(), nick in ".{0,20}", text in ".{0,50}") {
            let told = json!({ "type": SENT, "data": { "chat_message": {
                "id": id, "created_at": at, "author": { "id": id, "nick": nick }, "parts": [{ "text": { "content": text } }] } } });
            if let Ok(Meant { message: Some(message), .. }) = read(told.to_string().as_bytes()) {
                prop_assert_eq!(message.text, text);
            }
        }
    }
}
