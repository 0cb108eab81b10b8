//! What a chat tells, one item, one thing that happened (PLATFORMS 2.3). Fields that we do not need may be missing, and may be of
//! any kind; one that we need must be what it is.

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Something that happened in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    pub published_at: OffsetDateTime,
    /// Who did it; none: it happened.
    pub author: Option<Author>,
    /// As people see it in the chat, where they do.
    pub text: Option<String>,
    pub kind: Kind,
}

/// Somebody in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub channel_id: String,
    pub name: String,
    pub avatar: Option<String>,
    /// It is their chat.
    pub owner: bool,
    pub moderator: bool,
    /// A paying member of the channel.
    pub sponsor: bool,
    /// By YouTube.
    pub verified: bool,
}

/// What happened. Amounts are in millionths of the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    SuperChat {
        amount_micros: u64,
        currency: String,
        comment: Option<String>,
    },
    SuperSticker {
        amount_micros: u64,
        currency: String,
        /// What is seen on it.
        alt: Option<String>,
    },
    /// Somebody has become a member, or one of a higher level.
    NewSponsor {
        level: Option<String>,
        upgrade: bool,
    },
    /// A member tells for how long.
    Milestone {
        months: u64,
        comment: Option<String>,
    },
    /// Somebody pays for others to be members. Each of these is told as [`Kind::GiftReceived`], too.
    Gifts {
        count: u64,
        level: Option<String>,
    },
    GiftReceived,
    Deleted {
        message_id: String,
    },
    Banned {
        channel_id: String,
        /// None: for ever.
        seconds: Option<u64>,
    },
    /// There will be no more.
    Ended,
    /// Something that we do not need, or do not know yet.
    Other,
}

/// A part that an item needs is not there, or is of another kind: its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}: missing, or of another kind")]
pub struct Missing(pub &'static str);

impl Item {
    /// From an item of a [`crate::Page`].
    ///
    /// # Errors
    /// It lacks what an item of its kind needs.
    pub fn read(raw: &Value) -> Result<Self, Missing> {
        let snippet = &raw["snippet"];
        Ok(Self {
            id: text(&raw["id"]).ok_or(Missing("id"))?,
            published_at: moment(&snippet["publishedAt"]).ok_or(Missing("snippet.publishedAt"))?,
            author: Author::read(&raw["authorDetails"]),
            text: text(&snippet["displayMessage"]).or_else(|| text(&snippet["textMessageDetails"]["messageText"])),
            kind: Kind::read(snippet)?,
        })
    }
}

impl Author {
    fn read(details: &Value) -> Option<Self> {
        let is = |role: &str| details[role] == true;
        Some(Self {
            channel_id: text(&details["channelId"])?,
            name: text(&details["displayName"]).unwrap_or_default(),
            avatar: text(&details["profileImageUrl"]),
            owner: is("isChatOwner"),
            moderator: is("isChatModerator"),
            sponsor: is("isChatSponsor"),
            verified: is("isVerified"),
        })
    }
}

impl Kind {
    fn read(snippet: &Value) -> Result<Self, Missing> {
        Ok(match snippet["type"].as_str().ok_or(Missing("snippet.type"))? {
            "textMessageEvent" => Self::Text,
            "superChatEvent" => {
                let chat = &snippet["superChatDetails"];
                Self::SuperChat {
                    amount_micros: number(&chat["amountMicros"]).ok_or(Missing("superChatDetails.amountMicros"))?,
                    currency: text(&chat["currency"]).ok_or(Missing("superChatDetails.currency"))?,
                    comment: text(&chat["userComment"]),
                }
            }
            "superStickerEvent" => {
                let sticker = &snippet["superStickerDetails"];
                let amount = number(&sticker["amountMicros"]);
                Self::SuperSticker {
                    amount_micros: amount.ok_or(Missing("superStickerDetails.amountMicros"))?,
                    currency: text(&sticker["currency"]).ok_or(Missing("superStickerDetails.currency"))?,
                    alt: text(&sticker["superStickerMetadata"]["altText"]),
                }
            }
            "newSponsorEvent" => {
                let sponsor = &snippet["newSponsorDetails"];
                Self::NewSponsor { level: text(&sponsor["memberLevelName"]), upgrade: sponsor["isUpgrade"] == true }
            }
            "memberMilestoneChatEvent" => {
                let milestone = &snippet["memberMilestoneChatDetails"];
                let months = number(&milestone["memberMonth"]);
                Self::Milestone {
                    months: months.ok_or(Missing("memberMilestoneChatDetails.memberMonth"))?,
                    comment: text(&milestone["userComment"]),
                }
            }
            "membershipGiftingEvent" => {
                let gifts = &snippet["membershipGiftingDetails"];
                let count = number(&gifts["giftMembershipsCount"]);
                Self::Gifts {
                    count: count.ok_or(Missing("membershipGiftingDetails.giftMembershipsCount"))?,
                    level: text(&gifts["giftMembershipsLevelName"]),
                }
            }
            "giftMembershipReceivedEvent" => Self::GiftReceived,
            "messageDeletedEvent" => {
                let message = text(&snippet["messageDeletedDetails"]["deletedMessageId"]);
                Self::Deleted { message_id: message.ok_or(Missing("messageDeletedDetails.deletedMessageId"))? }
            }
            "userBannedEvent" => Self::banned(&snippet["userBannedDetails"])?,
            "chatEndedEvent" => Self::Ended,
            _ => Self::Other,
        })
    }

    fn banned(ban: &Value) -> Result<Self, Missing> {
        let person = text(&ban["bannedUserDetails"]["channelId"]);
        let seconds = match number(&ban["banDurationSeconds"]) {
            _ if ban["banType"] == "permanent" => None,
            // Nobody is taken to be banned for ever because a number was missing.
            None if ban["banType"] == "temporary" => return Err(Missing("userBannedDetails.banDurationSeconds")),
            seconds => seconds,
        };
        let channel_id = person.ok_or(Missing("userBannedDetails.bannedUserDetails.channelId"))?;
        Ok(Self::Banned { channel_id, seconds })
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Google writes those of 64 bits as strings.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn moment(value: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};
    use serde_json::{Map, json};
    use time::macros::datetime;

    use super::*;

    const KINDS: [&str; 11] = [
        "textMessageEvent",
        "superChatEvent",
        "superStickerEvent",
        "newSponsorEvent",
        "memberMilestoneChatEvent",
        "membershipGiftingEvent",
        "giftMembershipReceivedEvent",
        "messageDeletedEvent",
        "userBannedEvent",
        "chatEndedEvent",
        "tombstone",
    ];

    fn raw(kind: &str) -> Value {
        let file = format!("{}/fixtures/{kind}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    fn fixture(kind: &str) -> Item {
        Item::read(&raw(kind)).unwrap()
    }

    #[test]
    fn a_message_is_read_with_its_author() {
        let message = fixture("textMessageEvent");
        assert_eq!((&*message.id, &message.kind), ("LCC.textMessageEvent", &Kind::Text));
        assert_eq!(message.published_at, datetime!(2026-01-01 00:00:00.123456 UTC));
        assert_eq!(message.text.as_deref(), Some("hello :wave:"));
        let boris = Author {
            channel_id: "UCboris0000000000000000".to_owned(),
            name: "Boris".to_owned(),
            avatar: Some("https://yt3.ggpht.com/boris=s88".to_owned()),
            owner: false,
            moderator: true,
            sponsor: true,
            verified: true,
        };
        assert_eq!(message.author, Some(boris));
    }

    #[test]
    fn what_youtube_publishes_is_understood() {
        let (level, usd, eur) = (Some("Gold".to_owned()), "USD".to_owned(), "EUR".to_owned());
        let some = |text: &str| Some(text.to_owned());
        for (kind, expected) in [
            ("superChatEvent", Kind::SuperChat { amount_micros: 5_000_000, currency: usd, comment: some("nice") }),
            (
                "superStickerEvent",
                Kind::SuperSticker { amount_micros: 1_990_000, currency: eur, alt: some("A pear waves") },
            ),
            ("newSponsorEvent", Kind::NewSponsor { level: level.clone(), upgrade: true }),
            ("memberMilestoneChatEvent", Kind::Milestone { months: 7, comment: some("still here") }),
            ("membershipGiftingEvent", Kind::Gifts { count: 5, level }),
            ("giftMembershipReceivedEvent", Kind::GiftReceived),
            ("messageDeletedEvent", Kind::Deleted { message_id: "LCC.textMessageEvent".to_owned() }),
            ("userBannedEvent", Kind::Banned { channel_id: "UCtroll0000000000000000".to_owned(), seconds: Some(300) }),
            ("chatEndedEvent", Kind::Ended),
            ("tombstone", Kind::Other),
        ] {
            assert_eq!(fixture(kind).kind, expected, "{kind}");
        }
        assert_eq!(fixture("chatEndedEvent").author, None);
        assert_eq!(fixture("superStickerEvent").text, None);
    }

    #[test]
    fn an_error_says_what_is_missing() {
        let needs = |kind: &str, part: &str, name: &'static str| {
            let mut item = raw(kind);
            *item.pointer_mut(part).unwrap() = json!({ "of": "another kind" });
            assert_eq!(Item::read(&item), Err(Missing(name)), "{kind} {part}");
        };
        needs("textMessageEvent", "/id", "id");
        needs("textMessageEvent", "/snippet", "snippet.publishedAt");
        needs("textMessageEvent", "/snippet/type", "snippet.type");
        needs("superChatEvent", "/snippet/superChatDetails/amountMicros", "superChatDetails.amountMicros");
        needs("superStickerEvent", "/snippet/superStickerDetails/currency", "superStickerDetails.currency");
        needs("messageDeletedEvent", "/snippet/messageDeletedDetails", "messageDeletedDetails.deletedMessageId");
        let seconds = "/snippet/userBannedDetails/banDurationSeconds";
        needs("userBannedEvent", seconds, "userBannedDetails.banDurationSeconds");
        assert_eq!(Missing("id").to_string(), "id: missing, or of another kind");
    }

    #[test]
    fn what_is_not_needed_may_be_anything() {
        let mut item = raw("textMessageEvent");
        item["authorDetails"] = json!([]);
        item["snippet"]["displayMessage"] = json!(7);
        item["snippet"]["new"] = json!({ "field": true });
        let message = Item::read(&item).unwrap();
        assert_eq!((message.author, message.text.as_deref()), (None, Some("hello :wave:")));
        item["snippet"]["type"] = json!("holidayEvent");
        assert_eq!(Item::read(&item).unwrap().kind, Kind::Other);
        let mut chat = raw("superChatEvent");
        chat["snippet"]["superChatDetails"] = json!({ "amountMicros": 7, "currency": "JPY" });
        let jpy = Kind::SuperChat { amount_micros: 7, currency: "JPY".to_owned(), comment: None };
        assert_eq!(Item::read(&chat).unwrap().kind, jpy);
        let mut ban = raw("userBannedEvent");
        ban["snippet"]["userBannedDetails"]["banType"] = json!("permanent");
        assert!(matches!(Item::read(&ban).unwrap().kind, Kind::Banned { seconds: None, .. }));
    }

    /// Any value, with names in it that mean something here.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            any::<u64>().prop_map(|number| Value::from(number.to_string())),
            select(&KINDS[..]).prop_map(Value::from),
            Just(Value::from("2026-01-01T00:00:00Z")),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let name = prop_oneof![
                any::<String>(),
                select(&["id", "snippet", "type", "publishedAt", "authorDetails", "channelId", "superChatDetails"][..])
                    .prop_map(str::to_owned),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    /// Puts the value in the place of the `which`th part of the item.
    fn spoil(item: &mut Value, which: &mut Option<usize>, value: &Value) {
        match which {
            None => return,
            Some(0) => {
                (*item, *which) = (value.clone(), None);
                return;
            }
            Some(left) => *left -= 1,
        }
        for inner in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            spoil(inner, which, value);
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in anything()) {
            drop(Item::read(&value));
        }

        #[test]
        fn no_value_in_the_place_of_another_makes_it_panic(kind in select(&KINDS[..]), which in 0usize..30, value in anything()) {
            let mut item = raw(kind);
            spoil(&mut item, &mut Some(which), &value);
            drop(Item::read(&item));
        }
    }
}
