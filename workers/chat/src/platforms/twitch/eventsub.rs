//! What EventSub tells (PLATFORMS 1.6): one JSON body, one thing that happened. Fields that we do not need may be missing, and
//! may be of any kind; one that we need must be what it is.

use domain::{
    rewards::{Happening, ToldBy, Trigger},
    webhooks::{Delivery, Kind},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;

use crate::platforms::Told;

#[derive(Deserialize)]
struct Body {
    subscription: Subscription,
    #[serde(default)]
    event: Value,
}

#[derive(Deserialize)]
struct Subscription {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    status: String,
}

/// Who did it, in which channel. Nobody: it was done without a name.
#[derive(Deserialize)]
struct Who {
    broadcaster_user_id: String,
    user_id: Option<String>,
    #[serde(default)]
    user_login: Option<String>,
    #[serde(default)]
    user_name: Option<String>,
}

#[derive(Deserialize)]
struct Online {
    broadcaster_user_id: String,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
}

#[derive(Deserialize)]
struct Offline {
    broadcaster_user_id: String,
}

#[derive(Deserialize)]
struct Redemption {
    id: String,
    #[serde(default)]
    status: String,
    reward: Reward,
    #[serde(with = "time::serde::rfc3339")]
    redeemed_at: OffsetDateTime,
}

#[derive(Deserialize)]
struct Reward {
    id: String,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct Raid {
    from_broadcaster_user_id: String,
    #[serde(default)]
    from_broadcaster_user_login: String,
    #[serde(default)]
    from_broadcaster_user_name: String,
    to_broadcaster_user_id: String,
    viewers: i64,
}

/// What the message says.
///
/// # Errors
/// Why nobody can understand it.
pub(in crate::platforms) fn understand(delivery: &Delivery) -> Result<Told, String> {
    let body: Body = read(serde_json::from_slice(&delivery.body).map_err(|error| error.to_string())?)?;
    let Subscription { id, kind, status } = body.subscription;
    if delivery.kind == Kind::Revocation {
        return Ok(Told::Revoked { subscription: id, status });
    }
    let event = body.event;
    match kind.as_str() {
        "stream.online" => {
            let online: Online = read(event)?;
            Ok(Told::Began { account: online.broadcaster_user_id, at: online.started_at })
        }
        "stream.offline" => {
            let offline: Offline = read(event)?;
            Ok(Told::Ended { account: offline.broadcaster_user_id, at: delivery.sent_at })
        }
        "channel.follow" => {
            let told = happening(delivery, &event, Trigger::TwitchFollow, 1)?;
            // Once for ever: who leaves and comes back is no new follower.
            Ok(rewarding(told, |told| format!("follow:{}:{}", told.channel_account, told.account_id)))
        }
        "channel.channel_points_custom_reward_redemption.add"
        | "channel.channel_points_custom_reward_redemption.update" => redemption(delivery, event),
        // What somebody was given is the giver's.
        "channel.subscribe" if event["is_gift"] == true => Ok(Told::Nothing),
        "channel.subscribe" => {
            let told = happening(delivery, &event, Trigger::TwitchSubscribe, 1)?;
            Ok(rewarding(told, |_| format!("subscribe:{}", delivery.message_id)))
        }
        "channel.subscription.message" => {
            let months = number(&event, "cumulative_months")?;
            let told = happening(delivery, &event, Trigger::TwitchResubMessage, months)?;
            let once = |told: &Happening| format!("resub:{}:{}:{months}", told.channel_account, told.account_id);
            Ok(rewarding(told, once))
        }
        "channel.subscription.gift" => {
            let told = happening(delivery, &event, Trigger::TwitchGiftSub, number(&event, "total")?)?;
            Ok(rewarding(told, |_| format!("gift:{}", delivery.message_id)))
        }
        "channel.cheer" => {
            let told = happening(delivery, &event, Trigger::TwitchCheer, number(&event, "bits")?)?;
            Ok(rewarding(told, |_| format!("cheer:{}", delivery.message_id)))
        }
        "channel.raid" => Ok(Told::Happened(raid(delivery, read(event)?))),
        // A newer release may have subscribed to it.
        _ => Ok(Told::Nothing),
    }
}

fn redemption(delivery: &Delivery, event: Value) -> Result<Told, String> {
    let told = happening(delivery, &event, Trigger::TwitchChannelPointsRedemption, 1)?;
    let redemption: Redemption = read(event)?;
    let Some(mut told) = told else { return Ok(Told::Nothing) };
    told.event_id = format!("redemption:{}", redemption.id);
    told.happened_at = redemption.redeemed_at;
    told.reward_id = Some(redemption.reward.id);
    told.reward_title = Some(redemption.reward.title);
    match redemption.status.as_str() {
        "canceled" => Ok(Told::TakenBack(told)),
        // That it was done is told apart from that it was asked for; either may come first.
        _ => Ok(Told::Happened(told)),
    }
}

fn raid(delivery: &Delivery, raid: Raid) -> Happening {
    Happening {
        trigger: Trigger::TwitchRaid,
        told_by: ToldBy::Webhook,
        channel_account: raid.to_broadcaster_user_id,
        event_id: format!("raid:{}", delivery.message_id),
        account_id: raid.from_broadcaster_user_id,
        login: raid.from_broadcaster_user_login,
        display_name: raid.from_broadcaster_user_name,
        amount: raid.viewers,
        reward_id: None,
        reward_title: None,
        happened_at: delivery.sent_at,
    }
}

/// What somebody did; none for nobody.
fn happening(delivery: &Delivery, event: &Value, trigger: Trigger, amount: i64) -> Result<Option<Happening>, String> {
    let who: Who = read(event.clone())?;
    let Some(account_id) = who.user_id.filter(|id| !id.is_empty()) else { return Ok(None) };
    if account_id.len() > 255 {
        return Err("user_id: too long".to_owned());
    }
    let login = who.user_login.unwrap_or_default();
    Ok(Some(Happening {
        trigger,
        told_by: ToldBy::Webhook,
        channel_account: who.broadcaster_user_id,
        event_id: String::new(),
        account_id,
        display_name: who.user_name.unwrap_or_else(|| login.clone()),
        login,
        amount,
        reward_id: None,
        reward_title: None,
        happened_at: delivery.sent_at,
    }))
}

fn rewarding(told: Option<Happening>, id: impl Fn(&Happening) -> String) -> Told {
    let Some(mut told) = told else { return Told::Nothing };
    told.event_id = id(&told);
    Told::Happened(told)
}

fn number(event: &Value, name: &str) -> Result<i64, String> {
    event[name].as_i64().filter(|number| *number >= 0).ok_or_else(|| format!("{name}: not a number"))
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use domain::identities::Provider;
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn delivery(kind: Kind, body: impl Into<Vec<u8>>) -> Delivery {
        Delivery {
            id: Uuid::nil(),
            provider: Provider::Twitch.as_str().to_owned(),
            message_id: "m1".to_owned(),
            kind,
            sent_at: OffsetDateTime::UNIX_EPOCH,
            body: body.into(),
        }
    }

    fn fixture(name: &str) -> Told {
        let file = format!("{}/src/platforms/twitch/fixtures/eventsub/{name}.json", env!("CARGO_MANIFEST_DIR"));
        understand(&delivery(Kind::Notification, std::fs::read(file).unwrap())).unwrap()
    }

    #[test]
    fn what_twitch_publishes_is_understood() {
        let Told::Happened(follow) = fixture("channel.follow") else { panic!("a follow") };
        assert_eq!((follow.trigger, &*follow.event_id), (Trigger::TwitchFollow, "follow:1337:1234"));
        assert_eq!((&*follow.login, &*follow.display_name), ("cool_user", "Cool_User"));
        let Told::Happened(redeemed) = fixture("redemption.add") else { panic!("a redemption") };
        assert_eq!(&*redeemed.event_id, "redemption:17fa2df1-ad76-4804-bfa5-a40ef63efe63");
        assert_eq!(redeemed.reward_id.as_deref(), Some("92af127c-7326-4483-a52b-b0da0be61c01"));
        let Told::Happened(cheer) = fixture("channel.cheer") else { panic!("a cheer") };
        assert_eq!((cheer.amount, &*cheer.event_id), (1000, "cheer:m1"));
        let Told::Happened(raid) = fixture("channel.raid") else { panic!("a raid") };
        assert_eq!((raid.amount, &*raid.channel_account, &*raid.account_id), (9001, "1337", "1234"));
        let Told::Happened(gift) = fixture("channel.subscription.gift") else { panic!("a gift") };
        assert_eq!((gift.trigger, gift.amount), (Trigger::TwitchGiftSub, 2));
        let Told::Happened(resub) = fixture("channel.subscription.message") else { panic!("a resub") };
        assert_eq!((resub.amount, &*resub.event_id), (15, "resub:1337:1234:15"));
        let Told::Began { account, at } = fixture("stream.online") else { panic!("a beginning") };
        assert_eq!((&*account, at.unix_timestamp()), ("1337", 1_602_433_099));
        assert!(matches!(fixture("stream.offline"), Told::Ended { account, .. } if account == "1337"));
    }

    #[test]
    fn what_is_done_without_a_name_and_what_we_never_asked_for_is_nothing() {
        let anonymous = json!({ "is_anonymous": true, "user_id": null, "user_login": null, "user_name": null,
                                "broadcaster_user_id": "1337", "bits": 5 });
        for (kind, event) in [("channel.cheer", anonymous), ("channel.poll.begin", json!({ "id": [1] }))] {
            let body = json!({ "subscription": { "id": "s", "type": kind, "status": "enabled" }, "event": event });
            assert_eq!(understand(&delivery(Kind::Notification, body.to_string())), Ok(Told::Nothing), "{kind}");
        }
    }

    #[test]
    fn a_revocation_names_the_subscription_and_why() {
        let body =
            json!({ "subscription": { "id": "s1", "type": "channel.follow", "status": "authorization_revoked" } });
        let told = understand(&delivery(Kind::Revocation, body.to_string()));
        let (subscription, status) = ("s1".to_owned(), "authorization_revoked".to_owned());
        assert_eq!(told, Ok(Told::Revoked { subscription, status }));
    }

    #[test]
    fn whatever_breaks_off_or_is_of_another_kind_is_an_error_and_no_panic() {
        let file = format!("{}/src/platforms/twitch/fixtures/eventsub/redemption.add.json", env!("CARGO_MANIFEST_DIR"));
        let whole = std::fs::read(file).unwrap();
        for end in 0..whole.trim_ascii_end().len() {
            assert!(understand(&delivery(Kind::Notification, &whole[..end])).is_err(), "{end}");
        }
        for wrong in [json!(null), json!([]), json!({ "subscription": 1 }), json!({ "subscription": { "id": 1 } })] {
            assert!(understand(&delivery(Kind::Notification, wrong.to_string())).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(understand(&delivery(Kind::Notification, bytes)));
        }

        #[test]
        fn no_values_make_it_panic(kind in "[a-z._]{0,30}", id in any::<Option<String>>(), amount in any::<i64>(), time in ".{0,30}") {
            let event = json!({ "broadcaster_user_id": "1", "user_id": id, "bits": amount, "total": amount,
                                "cumulative_months": amount, "started_at": time, "redeemed_at": time, "id": id });
            let kinds = [kind.as_str(), "channel.cheer", "channel.follow", "stream.online",
                         "channel.channel_points_custom_reward_redemption.add"];
            for kind in kinds {
                let body = json!({ "subscription": { "id": "s", "type": kind }, "event": event });
                drop(understand(&delivery(Kind::Notification, body.to_string())));
            }
        }
    }
}
