//! What Twitch's lines mean.

use domain::chat::{Batch, ChatMessage, RawLine, Roles};
use irc::{Line, Tags};
use time::OffsetDateTime;
use uuid::Uuid;

use super::notices;
use crate::platforms::{Deed, Meant};

/// Longer ones are no chat messages: the platform's limit is 500 characters.
const MAX_TEXT_BYTES: usize = 4_000;
/// Of ids and names.
pub(super) const MAX_NAME_BYTES: usize = 200;

/// What a line is to the connection that heard it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Joined(String),
    NotJoined(String, String),
    Parted(String),
    /// Kept for [`understand`]; also what cannot be read at all. The channel's login, where it tells.
    Content(Option<String>),
    Ping(String),
    Reconnect,
    Other,
}

pub(super) fn meaning(bytes: &[u8], own_login: &str) -> Meaning {
    let Ok(line) = Line::parse_bytes(bytes) else { return Meaning::Content(None) };
    let channel = line.channel(0).map(str::to_owned);
    let own = line.nick() == Some(own_login);
    match (line.command.as_str(), channel) {
        ("PRIVMSG" | "USERNOTICE" | "CLEARMSG" | "CLEARCHAT", channel) => Meaning::Content(channel),
        ("JOIN", Some(channel)) if own => Meaning::Joined(channel),
        ("PART", Some(channel)) if own => Meaning::Parted(channel),
        ("NOTICE", Some(channel)) => match line.tags.get("msg-id") {
            Some(code @ ("msg_channel_suspended" | "msg_channel_blocked" | "msg_banned" | "tos_ban")) => {
                Meaning::NotJoined(channel, code.to_owned())
            }
            _ => Meaning::Other,
        },
        ("PING", _) => Meaning::Ping(line.params.last().cloned().unwrap_or_default()),
        ("RECONNECT", _) => Meaning::Reconnect,
        _ => Meaning::Other,
    }
}

/// What a kept line says.
pub(in crate::platforms) fn understand(batch: &Batch, raw: &RawLine) -> Result<Meant, String> {
    let line = Line::parse_bytes(&raw.bytes).map_err(|error| error.to_string())?;
    if !matches!(line.command.as_str(), "PRIVMSG" | "USERNOTICE" | "CLEARMSG" | "CLEARCHAT") {
        return Ok(Meant::default());
    }
    let channel_id = raw.channel_id.ok_or("the channel is not one of ours")?;
    if let Some(removal) = notices::removal(&line, channel_id, batch.received_at)? {
        return Ok(Meant { removal: Some(removal), ..Meant::default() });
    }
    let sent_at = sent_at(&line.tags).unwrap_or(batch.received_at);
    let deed = notices::deed(&line).zip(line.tags.get("room-id")).map(|(id, account)| Deed {
        id: format!("line:{id}"),
        channel_id,
        account: account.to_owned(),
        at: sent_at,
    });
    let message = match line.param(1) {
        // What Twitch says of somebody; they may have added words of their own.
        None | Some("") if line.command == "USERNOTICE" => None,
        _ => Some(message(&line, channel_id, sent_at)?),
    };
    Ok(Meant { message, deed, removal: None })
}

fn message(line: &Line, channel_id: Uuid, sent_at: OffsetDateTime) -> Result<ChatMessage, String> {
    let tags = &line.tags;
    let login = line.nick().or_else(|| tags.get("login")).ok_or("the message has no author")?.to_lowercase();
    let text = line.param(1).ok_or("the message has no text")?;
    if text.len() > MAX_TEXT_BYTES {
        return Err(format!("the message has {} bytes", text.len()));
    }
    let text = text.strip_prefix("\u{1}ACTION ").map_or(text, |text| text.trim_end_matches('\u{1}'));
    let content_id = match tags.get("id") {
        Some(id) => id.to_owned(),
        // Without an id two readings agree in who said what and when.
        None => format!("{}:{login}:{:.1500}", sent_at.unix_timestamp_nanos(), text),
    };
    let message = ChatMessage {
        channel_id,
        content_id,
        author_id: tags.get("user-id").unwrap_or(&login).to_owned(),
        author_name: tags.get("display-name").unwrap_or(&login).to_owned(),
        author_login: login,
        roles: roles(tags),
        text: text.to_owned(),
        sent_at,
        foreign: notices::is_foreign(tags),
        late: false,
        role_ids: Vec::new(),
    };
    let names = [&message.author_id, &message.author_login, &message.author_name];
    if names.iter().any(|name| name.len() > MAX_NAME_BYTES)
        || tags.get("id").is_some_and(|id| id.len() > MAX_NAME_BYTES)
    {
        return Err("an id or a name is too long".to_owned());
    }
    Ok(message)
}

/// By the platform's clock; none where it does not tell.
pub(super) fn sent_at(tags: &Tags) -> Option<OffsetDateTime> {
    let millis: i128 = tags.get("tmi-sent-ts")?.parse().ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(millis.checked_mul(1_000_000)?).ok()
}

/// From the badges `name/version,name/version`; a founder is a subscriber of the first hour.
fn roles(tags: &Tags) -> Roles {
    let badges = tags.get("badges").unwrap_or_default();
    let has = |wanted: &str| badges.split(',').any(|badge| badge.split('/').next() == Some(wanted));
    Roles {
        broadcaster: has("broadcaster"),
        moderator: has("moderator") || has("lead_moderator") || tags.get("mod") == Some("1"),
        vip: has("vip") || tags.get("vip") == Some("1"),
        subscriber: has("subscriber") || has("founder") || tags.get("subscriber") == Some("1"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batch() -> Batch {
        Batch {
            id: Uuid::nil(),
            platform: "twitch".to_owned(),
            lines: Vec::new(),
            received_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn read(bytes: &[u8]) -> Result<Option<ChatMessage>, String> {
        Ok(meant(bytes)?.message)
    }

    fn meant(bytes: &[u8]) -> Result<Meant, String> {
        understand(&batch(), &RawLine { channel_id: Some(Uuid::nil()), bytes: bytes.to_vec() })
    }

    fn message(fixture: &str) -> ChatMessage {
        read(fixture.trim_end().as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn reads_a_moderators_message() {
        let message = message(include_str!("fixtures/privmsg_moderator.txt"));
        assert_eq!(message.content_id, "885196de-cb67-427a-baa8-82f9b0fcd05f");
        assert_eq!((message.author_id.as_str(), message.author_name.as_str()), ("456", "Ann"));
        assert_eq!(message.author_login, "ann");
        assert_eq!(message.text, "!memes  please : now");
        assert_eq!(message.sent_at.unix_timestamp_nanos(), 1_642_786_203_573_000_000);
        assert_eq!(message.roles, Roles { broadcaster: false, moderator: true, vip: false, subscriber: true });
        assert!(!message.foreign);
    }

    #[test]
    fn a_broadcaster_is_known_by_the_badge_and_a_founder_subscribes() {
        let message = message(include_str!("fixtures/privmsg_broadcaster.txt"));
        assert_eq!(message.roles, Roles { broadcaster: true, moderator: false, vip: false, subscriber: true });
        assert_eq!(message.text, "waves", "the marks of /me are not text");
    }

    #[test]
    fn a_message_of_another_channel_in_a_shared_chat_is_foreign() {
        assert!(message(include_str!("fixtures/privmsg_shared_chat.txt")).foreign);
    }

    #[test]
    fn who_subscribes_may_say_something_and_who_cheers_does() {
        let resub = meant(include_str!("fixtures/usernotice_resub.txt").trim_end().as_bytes()).unwrap();
        let said = resub.message.unwrap();
        assert_eq!((said.author_login.as_str(), said.text.as_str()), ("ronni", "Great stream -- keep it up!"));
        assert_eq!(resub.deed.unwrap().account, "12345678");
        let sub = meant(include_str!("fixtures/usernotice_sub.txt").trim_end().as_bytes()).unwrap();
        assert_eq!((sub.message, sub.deed.unwrap().id), (None, "line:a1".to_owned()));
        let cheer = meant(include_str!("fixtures/privmsg_cheer.txt").trim_end().as_bytes()).unwrap();
        assert!(cheer.message.is_some() && cheer.deed.is_some());
    }

    #[test]
    fn what_is_no_message_is_nothing_and_what_is_no_line_is_refused_with_a_reason() {
        assert_eq!(read(b":tmi.twitch.tv USERSTATE #chan"), Ok(None));
        assert!(read(b":ann!ann@ann PRIVMSG #chan :\xff\xfe").unwrap_err().contains("UTF-8"));
        assert!(read(b"PRIVMSG #chan :no author").is_err());
        let long = format!(":ann!ann@ann PRIVMSG #chan :{}", "a".repeat(5_000));
        assert!(read(long.as_bytes()).unwrap_err().contains("5000 bytes"));
    }

    #[test]
    fn tells_the_connection_what_a_line_is() {
        let own = |line: &str| meaning(line.as_bytes(), "bot");
        assert_eq!(own(":bot!bot@bot.tmi.twitch.tv JOIN #chan"), Meaning::Joined("chan".into()));
        assert_eq!(own(":ann!ann@ann.tmi.twitch.tv JOIN #chan"), Meaning::Other);
        assert_eq!(own("PING :tmi.twitch.tv"), Meaning::Ping("tmi.twitch.tv".into()));
        assert_eq!(own(":tmi.twitch.tv RECONNECT"), Meaning::Reconnect);
        assert_eq!(
            own("@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #chan :gone"),
            Meaning::NotJoined("chan".into(), "msg_channel_suspended".into())
        );
        assert_eq!(meaning(b"\xff", "bot"), Meaning::Content(None));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (read(&bytes), meaning(&bytes, "bot"));
        }

        #[test]
        fn no_message_makes_it_panic(tags in "[a-z=;/,0-9-]{0,80}", text in any::<String>()) {
            let _ = read(format!("@{tags} :a!a@a PRIVMSG #c :{text}").as_bytes());
        }
    }
}
