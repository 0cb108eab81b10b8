//! Coins for what viewers do on platforms.

use domain::identities::Provider;
use harness::{Session, TestApp};
use identity::simulator::{Notice, Simulator};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    identities::{self, Visitor},
    webhooks::{DEMO, notice, permutations, tell, told},
};

/// A system with simulated platforms, and the channel `demo`.
async fn stage() -> (TestApp, Session) {
    let platforms = identities::simulator().await;
    told(identities::knowing(&platforms, TestApp::builder())).await
}

/// The id of the account on Twitch that logs in under this name.
fn account(login: &str) -> String {
    Simulator::subject(Provider::Twitch, login)
}

async fn rule(streamer: &Session, rule: &Value) -> String {
    streamer.post("/streamer/rewards", rule).await.expect(200)["id"].as_str().unwrap().to_owned()
}

fn by(login: &str, more: &Value) -> Value {
    let mut event = json!({
        "user_id": account(login), "user_login": login, "user_name": login, "broadcaster_user_id": DEMO,
        "broadcaster_user_login": "demo"
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn redeemed(login: &str, id: &str, reward: &str, status: &str) -> Notice {
    let change = if status == "unfulfilled" { "add" } else { "update" };
    let event = by(
        login,
        &json!({
            "id": id, "user_input": "", "status": status, "redeemed_at": "2026-11-20T17:16:03.17106713Z",
            "reward": { "id": reward, "title": "A reward", "cost": 100, "prompt": "" }
        }),
    );
    notice(&format!("channel.channel_points_custom_reward_redemption.{change}"), &event)
}

pub(crate) async fn balance(visitor: &Visitor) -> i64 {
    visitor.get("/channels/demo/wallet").await.expect(200)["balance"].as_i64().unwrap()
}

/// What came of all that happened, the oldest first.
async fn events(streamer: &Session) -> Vec<Value> {
    let mut events = streamer.get("/streamer/reward-events").await.expect(200).as_array().unwrap().clone();
    events.reverse();
    events
}

#[tokio::test]
async fn what_viewers_do_earns_what_the_rules_say_and_each_of_it_once() {
    let (app, demo) = stage().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    for new in [
        json!({ "trigger": "twitch_follow", "coins": 1 }),
        json!({ "trigger": "twitch_cheer", "coins": 5, "per": 100, "least": 200 }),
        json!({ "trigger": "twitch_channel_points_redemption", "coins": 10 }),
        json!({ "trigger": "twitch_channel_points_redemption", "rewardId": "special", "coins": 1000 }),
        json!({ "trigger": "twitch_raid", "coins": 100_000, "enabled": false }),
    ] {
        rule(&demo, &new).await;
    }
    let told = [
        (notice("channel.follow", &by("anna", &json!({ "followed_at": "2026-11-20T17:16:03Z" }))), 1),
        // Gone and come back.
        (notice("channel.follow", &by("anna", &json!({ "followed_at": "2026-11-20T18:16:03Z" }))), 0),
        (notice("channel.cheer", &by("anna", &json!({ "bits": 199 }))), 0),
        (notice("channel.cheer", &by("anna", &json!({ "bits": 250 }))), 10),
        (redeemed("anna", "r1", "usual", "unfulfilled"), 10),
        // The same, told as another message.
        (redeemed("anna", "r1", "usual", "unfulfilled"), 0),
        (redeemed("anna", "r1", "usual", "fulfilled"), 0),
        (redeemed("anna", "r2", "special", "unfulfilled"), 1000),
        (notice("channel.subscribe", &by("anna", &json!({ "tier": "1000", "is_gift": false }))), 0),
        (
            notice(
                "channel.raid",
                &json!({
                    "from_broadcaster_user_id": account("anna"), "from_broadcaster_user_login": "anna",
                    "from_broadcaster_user_name": "Anna", "to_broadcaster_user_id": DEMO, "viewers": 12
                }),
            ),
            0,
        ),
        // The broadcaster, and nobody by name.
        (
            notice(
                "channel.cheer",
                &json!({ "user_id": DEMO, "user_login": "demo", "broadcaster_user_id": DEMO, "bits": 9000 }),
            ),
            0,
        ),
        (
            notice(
                "channel.cheer",
                &json!({ "user_id": null, "is_anonymous": true, "broadcaster_user_id": DEMO, "bits": 9000 }),
            ),
            0,
        ),
        // A channel that is not here.
        (notice("channel.cheer", &json!({ "user_id": account("anna"), "broadcaster_user_id": "42", "bits": 9000 })), 0),
    ];
    let mut sum = 0;
    for (place, (notice, earned)) in told.iter().enumerate() {
        assert_eq!(tell(&app, notice).await.status, 204);
        assert_eq!(tell(&app, notice).await.status, 204);
        app.drain().await;
        sum += earned;
        assert_eq!(balance(&anna).await, sum, "number {place}");
    }
    let came: Vec<(String, String)> = events(&demo)
        .await
        .iter()
        .map(|event| (event["trigger"].as_str().unwrap().to_owned(), event["status"].as_str().unwrap().to_owned()))
        .collect();
    let came: Vec<(&str, &str)> = came.iter().map(|(trigger, status)| (trigger.as_str(), status.as_str())).collect();
    assert_eq!(
        came,
        [
            ("twitch_follow", "claimed"),
            ("twitch_cheer", "ignored"),
            ("twitch_cheer", "claimed"),
            ("twitch_channel_points_redemption", "claimed"),
            ("twitch_channel_points_redemption", "claimed"),
            ("twitch_subscribe", "observed"),
            ("twitch_raid", "observed"),
            ("twitch_cheer", "ignored"),
        ]
    );
    let receipts = anna.get(&format!("/me/wallet/receipts?channelId={}", demo_id(&demo).await)).await.expect(200);
    let receipts = receipts["receipts"].as_array().unwrap();
    let earned: Vec<&str> = receipts.iter().map(|receipt| receipt["earnedBy"]["trigger"].as_str().unwrap()).collect();
    let redeemed = "twitch_channel_points_redemption";
    assert_eq!(earned, [redeemed, redeemed, "twitch_cheer", "twitch_follow"], "{receipts:?}");
    assert!(receipts.iter().all(|receipt| receipt["reason"] == "external_reward"), "{receipts:?}");
    assert!(receipts[0]["earnedBy"]["rewardTitle"].is_string(), "{receipts:?}");
}

async fn demo_id(demo: &Session) -> String {
    demo.get("/me").await.expect(200)["channelId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_is_not_here_yet_finds_the_coins_at_the_first_login() {
    let (app, demo) = stage().await;
    rule(&demo, &json!({ "trigger": "twitch_gift_sub", "coins": 50, "per": 1 })).await;
    let gift = notice("channel.subscription.gift", &by("anna", &json!({ "total": 5, "tier": "1000" })));
    assert_eq!(tell(&app, &gift).await.status, 204);
    app.drain().await;
    let waiting = events(&demo).await;
    assert_eq!((&waiting[0]["status"], &waiting[0]["coins"]), (&json!("eligible"), &json!(250)));
    let bert = Visitor::new(&app);
    bert.log_in(Provider::Twitch, "bert").await;
    assert_eq!(balance(&bert).await, 0);
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 250);
    let receipts = anna.get("/me/receipts").await.expect(200);
    assert_eq!(receipts[0]["earnedBy"], json!({ "trigger": "twitch_gift_sub", "amount": 5 }), "{receipts}");
    assert_eq!(events(&demo).await[0]["status"], "claimed");
    assert_eq!(tell(&app, &gift).await.status, 204);
    app.drain().await;
    anna.log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 250, "once");
}

#[tokio::test]
async fn a_redemption_that_is_given_back_earns_nothing_in_whatever_order_it_is_told() {
    let (app, demo) = stage().await;
    rule(&demo, &json!({ "trigger": "twitch_channel_points_redemption", "coins": 10 })).await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    // Of somebody who is here, and of somebody who is not.
    for login in ["anna", "carla"] {
        for (round, order) in permutations(3).into_iter().enumerate() {
            let id = format!("{login}-{round}");
            let told = [
                redeemed(login, &id, "usual", "unfulfilled"),
                redeemed(login, &id, "usual", "canceled"),
                redeemed(login, &id, "usual", "unfulfilled"),
            ];
            for place in &order {
                assert_eq!(tell(&app, &told[*place]).await.status, 204);
                app.drain().await;
            }
            let last = events(&demo).await.pop().unwrap();
            assert_eq!((&last["status"], &last["reason"]), (&json!("ignored"), &json!("refunded")), "{order:?}");
        }
    }
    assert_eq!(balance(&anna).await, 0);
    let carla = Visitor::new(&app);
    carla.log_in(Provider::Twitch, "carla").await;
    assert_eq!(balance(&carla).await, 0);
}

#[tokio::test]
async fn a_channel_has_one_rule_for_each_thing_and_changes_it() {
    let (app, demo) = stage().await;
    let cheer = rule(&demo, &json!({ "trigger": "twitch_cheer", "coins": 5, "per": 100 })).await;
    let again = demo.post("/streamer/rewards", &json!({ "trigger": "twitch_cheer", "coins": 7 })).await;
    assert_eq!((again.status.as_u16(), again.error_code()), (409, "CONFLICT"));
    for wrong in [
        json!({ "trigger": "twitch_raid", "coins": 0 }),
        json!({ "trigger": "twitch_raid", "coins": 1_000_001 }),
        json!({ "trigger": "twitch_raid", "coins": 1, "per": 0 }),
        json!({ "trigger": "twitch_raid", "coins": 1, "least": 0 }),
        json!({ "trigger": "twitch_raid", "coins": 1, "rewardId": "x" }),
        json!({ "trigger": "twitch_follow", "coins": 1, "per": 2 }),
        json!({ "trigger": "twitch_subscribe", "coins": 1, "least": 2 }),
        json!({ "trigger": "twitch_channel_points_redemption", "coins": 1, "rewardId": "a b" }),
        json!({ "trigger": "kick_dance", "coins": 1 }),
    ] {
        let refused = demo.post("/streamer/rewards", &wrong).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let path = format!("/streamer/rewards/{cheer}");
    let changed = demo.patch(&path, &json!({ "coins": 7, "per": null, "enabled": false })).await.expect(200);
    assert_eq!((&changed["coins"], changed.get("per"), &changed["enabled"]), (&json!(7), None, &json!(false)));
    assert_eq!(demo.get("/streamer/rewards").await.expect(200).as_array().unwrap().len(), 1);
    let other = app.login("other", "streamer").await;
    assert_eq!(other.patch(&path, &json!({ "coins": 1 })).await.status, 404);
    assert_eq!(other.delete(&path).await.status, 404);
    assert_eq!(demo.delete(&path).await.status, 204);
    assert_eq!(demo.delete(&path).await.status, 404);
    assert_eq!(demo.patch(&format!("/streamer/rewards/{}", Uuid::now_v7()), &json!({ "coins": 1 })).await.status, 404);
}

#[tokio::test]
async fn affiliates_and_partners_may_have_rewards_for_channel_points() {
    let platforms = identities::simulator().await;
    let app = identities::knowing(&platforms, TestApp::builder()).start().await;
    let (visitor, demo) = crate::bot_accounts::browser(&app, "demo", "streamer").await;
    let asked = async || demo.get("/streamer/twitch/reward/eligibility").await;
    assert_eq!(asked().await.expect(200), json!({ "eligible": false, "reason": "TWITCH_CHANNEL_NOT_LINKED" }));
    visitor.travel("/auth/twitch/link?redirect_to=/done", "demo").await;

    platforms.set_standing("demo", "");
    assert_eq!(asked().await.expect(200), json!({ "eligible": false, "reason": "NOT_AFFILIATE_OR_PARTNER" }));
    let calls = platforms.calls().len();
    platforms.set_standing("demo", "partner");
    assert_eq!(asked().await.expect(200)["eligible"], false, "known from the last minute");
    assert_eq!(platforms.calls().len(), calls);
    app.advance(std::time::Duration::from_secs(61)).await;
    let now = asked().await.expect(200);
    assert_eq!(now, json!({ "eligible": true, "broadcasterType": "partner" }), "{:?}", platforms.calls());
    let stranger = app.login("stranger", "viewer").await;
    assert_eq!(stranger.get("/streamer/twitch/reward/eligibility").await.status, 403);
    app.drain().await;
}
