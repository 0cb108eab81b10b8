//! What VK Video's news tell beside messages: streams that begin and end, and rewards that somebody redeems.

use domain::{
    rewards::{Happening, ToldBy, Trigger},
    webhooks::Delivery,
};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::wire::Told as Line;
use crate::platforms::{Deed, Told};

const BEGAN: &str = "channel_stream_start";
const ENDED: &str = "channel_stream_stop";
const REDEEMED: &str = "channel_points_reward_demand_create";

/// Whether news of this type are understood by [`understand_line`].
pub(super) fn is_deed(kind: &str) -> bool {
    matches!(kind, BEGAN | ENDED | REDEEMED)
}

#[derive(Deserialize)]
struct OfStream {
    stream: Stream,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    id: Option<String>,
    /// Seconds since 1970.
    #[serde(default)]
    started_at: Option<i64>,
    #[serde(default)]
    ended_at: Option<i64>,
}

#[derive(Deserialize)]
struct OfDemand {
    demand: Demand,
}

#[derive(Deserialize)]
struct Demand {
    /// Some tell a number, some a text.
    id: Value,
    #[serde(default)]
    created_at: Option<i64>,
    user: User,
    reward: Reward,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    #[serde(default)]
    nick: String,
}

#[derive(Deserialize)]
struct Reward {
    id: Value,
    #[serde(default)]
    name: Option<String>,
}

/// What a line tells that must be kept for [`understand_line`]; `received_at` where it names no time.
pub(super) fn deed(line: &Line, channel_id: Uuid, received_at: OffsetDateTime) -> Result<Option<Deed>, String> {
    if line.account.is_empty() {
        return Err("account: missing".to_owned());
    }
    let (id, at) = if line.kind == REDEEMED {
        let OfDemand { demand } = read(&line.data)?;
        (format!("demand:{}", word(&demand.id, "demand.id")?), moment(demand.created_at))
    } else {
        let OfStream { stream } = read(&line.data)?;
        let began = line.kind == BEGAN;
        let at = moment(if began { stream.started_at } else { stream.ended_at });
        // One stream begins and ends once; without an id its times tell it from others.
        let stream = stream.id.unwrap_or_else(|| at.unwrap_or(received_at).unix_timestamp().to_string());
        (format!("{}:{}:{stream}", if began { "began" } else { "ended" }, line.account), at)
    };
    if id.len() > 300 {
        return Err(format!("an id of {} bytes", id.len()));
    }
    Ok(Some(Deed { id, channel_id, account: line.account.clone(), at: at.unwrap_or(received_at) }))
}

/// Reads what [`deed`] has kept.
pub(in crate::platforms) fn understand_line(delivery: &Delivery) -> Result<Told, String> {
    let line: Line = serde_json::from_slice(&delivery.body).map_err(|error| error.to_string())?;
    let (account, at) = (line.account.clone(), delivery.sent_at);
    match line.kind.as_str() {
        BEGAN => Ok(Told::Began { account, at }),
        ENDED => Ok(Told::Ended { account, at }),
        REDEEMED => {
            let OfDemand { demand } = read(&line.data)?;
            Ok(Told::Happened(Happening {
                trigger: Trigger::VkvideoChannelPointsRedemption,
                told_by: ToldBy::Chat,
                channel_account: account,
                event_id: format!("demand:{}", word(&demand.id, "demand.id")?),
                account_id: demand.user.id.to_string(),
                login: demand.user.nick.to_lowercase(),
                display_name: demand.user.nick,
                amount: 1,
                reward_id: Some(word(&demand.reward.id, "reward.id")?),
                reward_title: demand.reward.name,
                happened_at: at,
            }))
        }
        _ => Ok(Told::Nothing),
    }
}

fn read<T: for<'de> Deserialize<'de>>(data: &Value) -> Result<T, String> {
    T::deserialize(data).map_err(|error| error.to_string())
}

fn word(value: &Value, name: &str) -> Result<String, String> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("{name}: missing")),
    }
}

fn moment(seconds: Option<i64>) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::from_unix_timestamp(seconds?).ok()?;
    (at > OffsetDateTime::UNIX_EPOCH).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn line(told: &Value) -> Line {
        Line::deserialize(told).unwrap()
    }

    fn found(told: &Value) -> Result<Deed, String> {
        Ok(deed(&line(told), Uuid::nil(), OffsetDateTime::UNIX_EPOCH)?.unwrap())
    }

    fn understood(told: &Value) -> Result<Told, String> {
        understand_line(&Delivery {
            id: Uuid::nil(),
            provider: "vkvideo".to_owned(),
            message_id: String::new(),
            kind: domain::webhooks::Kind::Line,
            sent_at: OffsetDateTime::UNIX_EPOCH,
            body: told.to_string().into_bytes(),
        })
    }

    #[test]
    fn a_redemption_is_known_by_its_own_id_and_names_who_and_what() {
        let told: Value = serde_json::from_str(include_str!("fixtures/redemption.json")).unwrap();
        let deed = found(&told).unwrap();
        assert_eq!((&*deed.id, &*deed.account, deed.at.unix_timestamp()), ("demand:d1", "4242", 1_785_097_382));
        let Ok(Told::Happened(happening)) = understood(&told) else { panic!() };
        assert_eq!(
            (&*happening.account_id, &*happening.login, &*happening.channel_account),
            ("35461580", "anna", "4242")
        );
        assert_eq!((happening.reward_id.as_deref(), happening.reward_title.as_deref()), (Some("rw1"), Some("Cat")));
        assert_eq!(happening.check(), Ok(()));
    }

    #[test]
    fn a_stream_begins_and_ends_once() {
        let began: Value = serde_json::from_str(include_str!("fixtures/stream_start.json")).unwrap();
        let deed = found(&began).unwrap();
        assert_eq!((&*deed.id, deed.at.unix_timestamp()), ("began:4242:s1", 1_785_097_000));
        assert!(matches!(understood(&began), Ok(Told::Began { account, .. }) if account == "4242"));
        let ended = json!({ "account": "4242", "type": ENDED, "data": { "stream": { "id": "s1" } } });
        assert_eq!(found(&ended).unwrap().id, "ended:4242:s1");
        assert!(matches!(understood(&ended), Ok(Told::Ended { .. })));
    }

    #[test]
    fn what_lacks_something_says_what() {
        for (wrong, why) in [
            (json!({ "type": REDEEMED, "data": {} }), "account"),
            (json!({ "account": "1", "type": REDEEMED, "data": {} }), "demand"),
            (
                json!({ "account": "1", "type": REDEEMED, "data": { "demand": { "id": null, "user": { "id": 1 }, "reward": { "id": 1 } } } }),
                "demand.id",
            ),
            (json!({ "account": "1", "type": BEGAN, "data": { "stream": 1 } }), "invalid type"),
        ] {
            assert!(found(&wrong).unwrap_err().contains(why), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(kind in "channel_stream_start|channel_stream_stop|channel_points_reward_demand_create", id in any::<i64>(), text in ".{0,40}") {
            for data in [json!({ "stream": { "id": text, "started_at": id, "ended_at": id } }), json!({ "stream": {} }),
                         json!({ "demand": { "id": id, "created_at": id, "user": { "id": 1, "nick": text }, "reward": { "id": text } } }),
                         json!(text), json!([id])] {
                let told = json!({ "account": "1", "type": kind, "data": data });
                drop((found(&told), understood(&told)));
            }
        }
    }
}
