//! What lines say beside words (PLATFORMS 1.5): that messages are gone, and what somebody did for the channel.

use domain::{
    chat::{Removal, Removed},
    rewards::{Happening, ToldBy, Trigger},
    webhooks::Delivery,
};
use irc::{Line, Tags};
use time::OffsetDateTime;
use uuid::Uuid;

use super::wire::{MAX_NAME_BYTES, sent_at};
use crate::platforms::Told;

/// Who gives without a name, by login.
const NOBODY: &str = "ananonymousgifter";

/// What a CLEARMSG or a CLEARCHAT takes away; none for other lines.
pub(super) fn removal(line: &Line, channel_id: Uuid, received_at: OffsetDateTime) -> Result<Option<Removal>, String> {
    let of = match line.command.as_str() {
        "CLEARMSG" => Removed::Message(short(line.tags.get("target-msg-id").ok_or("no message is named")?)?),
        "CLEARCHAT" => match line.param(1).filter(|login| !login.is_empty()) {
            None => Removed::All,
            Some(login) => Removed::Author {
                id: short(line.tags.get("target-user-id").unwrap_or(login))?,
                banned: line.tags.get("ban-duration").is_none(),
            },
        },
        _ => return Ok(None),
    };
    Ok(Some(Removal { channel_id, of, at: sent_at(&line.tags).unwrap_or(received_at) }))
}

/// The id of what somebody did for the channel, if the line tells of something that may earn coins there.
pub(super) fn deed(line: &Line) -> Option<&str> {
    let earns = match line.command.as_str() {
        "PRIVMSG" => line.tags.get("bits").is_some(),
        "USERNOTICE" => trigger(&line.tags).is_some(),
        _ => false,
    };
    let id = line.tags.get("id").filter(|id| id.len() <= MAX_NAME_BYTES - 10)?;
    (earns && !is_foreign(&line.tags) && line.tags.get("room-id").is_some()).then_some(id)
}

/// Said in another channel and only shown here.
pub(super) fn is_foreign(tags: &Tags) -> bool {
    tags.get("source-room-id").is_some_and(|source| Some(source) != tags.get("room-id"))
}

/// What was done, of a line that was kept for its [`deed`].
///
/// # Errors
/// Why nobody can understand it.
pub(in crate::platforms) fn understand_deed(delivery: &Delivery) -> Result<Told, String> {
    let line = Line::parse_bytes(&delivery.body).map_err(|error| error.to_string())?;
    let tags = &line.tags;
    let login = tags.get("login").or_else(|| line.nick()).unwrap_or_default().to_lowercase();
    let (Some(id), Some(room), Some(account)) = (tags.get("id"), tags.get("room-id"), tags.get("user-id")) else {
        return Err("the line names no channel, no person or nothing".to_owned());
    };
    let trigger = if line.command == "PRIVMSG" { Some(Trigger::TwitchCheer) } else { trigger(tags) };
    let Some(trigger) = trigger.filter(|_| login != NOBODY) else { return Ok(Told::Nothing) };
    let amount = match trigger {
        Trigger::TwitchCheer => number(tags, "bits")?,
        Trigger::TwitchRaid => number(tags, "msg-param-viewerCount")?,
        Trigger::TwitchResubMessage => number(tags, "msg-param-cumulative-months")?,
        Trigger::TwitchGiftSub => number(tags, "msg-param-mass-gift-count").unwrap_or(1),
        _ => 1,
    };
    let account_id = short(account)?;
    let event_id = match trigger {
        // The webhook has the same.
        Trigger::TwitchResubMessage => format!("resub:{room}:{account_id}:{amount}"),
        _ => format!("line:{id}"),
    };
    Ok(Told::Happened(Happening {
        trigger,
        told_by: ToldBy::Chat,
        channel_account: room.to_owned(),
        event_id,
        account_id,
        display_name: tags.get("display-name").unwrap_or(&login).to_owned(),
        login,
        amount,
        reward_id: None,
        reward_title: None,
        happened_at: delivery.sent_at,
    }))
}

fn trigger(tags: &Tags) -> Option<Trigger> {
    match tags.get("msg-id")? {
        "sub" => Some(Trigger::TwitchSubscribe),
        "resub" => Some(Trigger::TwitchResubMessage),
        "submysterygift" => Some(Trigger::TwitchGiftSub),
        // One of many is counted with them.
        "subgift" if tags.get("msg-param-community-gift-id").is_none() => Some(Trigger::TwitchGiftSub),
        "raid" => Some(Trigger::TwitchRaid),
        _ => None,
    }
}

fn number(tags: &Tags, name: &str) -> Result<i64, String> {
    let number = tags.get(name).and_then(|number| number.parse().ok()).filter(|number| *number >= 0);
    number.ok_or_else(|| format!("{name}: not a number"))
}

fn short(name: &str) -> Result<String, String> {
    if name.len() <= MAX_NAME_BYTES { Ok(name.to_owned()) } else { Err("an id or a name is too long".to_owned()) }
}

#[cfg(test)]
mod tests {
    use domain::webhooks::Kind;
    use proptest::prelude::*;

    use super::*;

    fn gone(line: &str) -> Result<Option<Removal>, String> {
        removal(&Line::parse(line).unwrap(), Uuid::nil(), OffsetDateTime::UNIX_EPOCH)
    }

    fn done(line: &str) -> Result<Told, String> {
        understand_deed(&Delivery {
            id: Uuid::nil(),
            provider: "twitch".to_owned(),
            message_id: "line:1".to_owned(),
            kind: Kind::Line,
            sent_at: OffsetDateTime::UNIX_EPOCH,
            body: line.as_bytes().to_vec(),
        })
    }

    fn fixture(name: &str) -> String {
        let file = format!("{}/src/platforms/twitch/fixtures/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(file).unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_message_a_person_or_a_whole_chat_is_gone() {
        let one = gone(&fixture("clearmsg")).unwrap().unwrap();
        assert_eq!(one.of, Removed::Message("94e6c7ff-bf98-4faa-af5d-7ad633a158a9".to_owned()));
        assert_eq!(one.at.unix_timestamp(), 1_642_720_582);
        let person = |id: &str, banned| Removed::Author { id: id.to_owned(), banned };
        assert_eq!(gone(&fixture("clearchat_ban")).unwrap().unwrap().of, person("87654321", true));
        assert_eq!(gone(&fixture("clearchat_timeout")).unwrap().unwrap().of, person("87654321", false));
        assert_eq!(gone(":tmi.twitch.tv CLEARCHAT #dallas").unwrap().unwrap().of, Removed::All);
        assert_eq!(gone(":tmi.twitch.tv USERSTATE #dallas"), Ok(None));
        assert!(gone(":tmi.twitch.tv CLEARMSG #dallas :which?").is_err());
    }

    #[test]
    fn what_people_do_for_the_channel_is_understood_with_its_amount() {
        for (name, trigger, amount) in [
            ("usernotice_sub", Trigger::TwitchSubscribe, 1),
            ("usernotice_resub", Trigger::TwitchResubMessage, 6),
            ("usernotice_gift", Trigger::TwitchGiftSub, 1),
            ("usernotice_gifts", Trigger::TwitchGiftSub, 5),
            ("usernotice_raid", Trigger::TwitchRaid, 15),
            ("privmsg_cheer", Trigger::TwitchCheer, 100),
        ] {
            let line = fixture(name);
            assert!(deed(&Line::parse(&line).unwrap()).is_some(), "{name}");
            let Told::Happened(told) = done(&line).unwrap() else { panic!("{name}") };
            assert_eq!((told.trigger, told.amount), (trigger, amount), "{name}");
        }
        let Told::Happened(resub) = done(&fixture("usernotice_resub")).unwrap() else { panic!("a resub") };
        assert_eq!(resub.event_id, "resub:12345678:87654321:6", "as the webhook says");
    }

    #[test]
    fn what_is_counted_with_others_foreign_or_nobodys_earns_nothing() {
        let line = |more: &str| format!("@id=1;room-id=1;user-id=2;{more} :tmi.twitch.tv USERNOTICE #c");
        for more in [
            "msg-id=subgift;msg-param-community-gift-id=7",
            "msg-id=raid;msg-param-viewerCount=5;source-room-id=9",
            "msg-id=announcement",
        ] {
            assert_eq!(deed(&Line::parse(&line(more)).unwrap()), None, "{more}");
        }
        let nobody = line("msg-id=submysterygift;msg-param-mass-gift-count=5;login=ananonymousgifter");
        assert_eq!(done(&nobody), Ok(Told::Nothing));
        assert!(done(&line("msg-id=raid;msg-param-viewerCount=many")).is_err());
    }

    proptest! {
        #[test]
        fn no_tags_make_it_panic(tags in "[a-z=;/,0-9-]{0,120}", text in any::<String>(), bits in any::<String>()) {
            for command in ["PRIVMSG", "USERNOTICE", "CLEARMSG", "CLEARCHAT"] {
                let line = Line::new(command, ["#c", text.as_str()]).with_prefix("a!a@a");
                let tags = Tags::parse(&tags).with("msg-id", "raid").with("bits", bits.clone());
                let line = line.with_tags(tags);
                let _ = (deed(&line), removal(&line, Uuid::nil(), OffsetDateTime::UNIX_EPOCH), done(&line.to_string()));
            }
        }
    }
}
