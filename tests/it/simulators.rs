//! The simulated Twitch as somebody with curl steers it.

use harness::{TestApp, wait_until};
use serde_json::{Value, json};

use crate::twitch::{recorded, simulator, streamer_with_bot, system};

/// Asks the simulator over HTTP.
async fn post(twitch: &chat::simulator::twitch::Simulator, path: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(format!("http://{}{path}", twitch.address())).body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn number(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(app.pool()).await.unwrap()
}

#[tokio::test]
async fn badges_deeds_and_bans_come_as_twitch_tells_them() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    for trigger in ["twitch_subscribe", "twitch_gift_sub", "twitch_raid", "twitch_resub_message", "twitch_cheer"] {
        demo.post("/streamer/rewards", &json!({ "trigger": trigger, "coins": 1 })).await.expect(200);
    }
    for badges in [json!(["moderator"]), json!(["vip", "subscriber/12"]), json!([])] {
        let said = json!({ "channel": "demo", "nick": "Anna", "text": "hello", "badges": badges });
        let (status, answer) = post(&twitch, "/say", &said).await;
        assert_eq!((status, answer["id"].is_string()), (200, true), "{answer}");
    }
    post(&twitch, "/say", &json!({ "channel": "demo", "nick": "Anna", "text": "cheer100", "bits": 100, "id": "m1" }))
        .await;
    recorded(&app, 4).await;
    let roles: i64 = number(&app, "select count(distinct roles) from chat_messages").await;
    assert_eq!(roles, 3);

    for event in [
        json!({ "channel": "demo", "event": "sub", "nick": "Bert" }),
        json!({ "channel": "demo", "event": "sub", "nick": "Carla", "months": 6, "text": "half a year" }),
        json!({ "channel": "demo", "event": "gift", "nick": "Dora", "to": "Emil" }),
        json!({ "channel": "demo", "event": "gift", "nick": "Dora", "count": 5 }),
        json!({ "channel": "demo", "event": "raid", "nick": "Fritz", "viewers": 15 }),
        json!({ "channel": "demo", "event": "delete", "id": "m1" }),
        json!({ "channel": "demo", "event": "ban", "nick": "anna", "seconds": 60 }),
    ] {
        assert_eq!(post(&twitch, "/happen", &event).await.0, 200, "{event}");
    }
    wait_until("all of it is known", async || {
        let events = number(&app, "select count(*) from external_reward_events").await;
        let removals = number(&app, "select count(*) from chat_removals").await;
        (events == 6 && removals == 2).then_some(())
    })
    .await;
    app.drain().await;
    let events = demo.get("/streamer/reward-events").await.expect(200);
    let raid = events.as_array().unwrap().iter().find(|event| event["trigger"] == "twitch_raid").unwrap();
    assert_eq!((&raid["login"], &raid["amount"]), (&json!("fritz"), &json!(15)));
    assert_eq!(post(&twitch, "/happen", &json!({ "channel": "demo", "event": "flood" })).await.0, 400);
    assert_eq!(post(&twitch, "/say", &json!({ "channel": "demo" })).await.0, 400);
}

#[tokio::test]
async fn a_silent_twitch_tells_nothing_until_it_speaks_again() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    streamer_with_bot(&app, &twitch, "demo").await;
    post(&twitch, "/silence", &json!({ "on": true })).await;
    twitch.say("demo", "anna", "nobody hears this");
    post(&twitch, "/silence", &json!({ "on": false })).await;
    twitch.say("demo", "anna", "and this everybody");
    recorded(&app, 1).await;
    let text: String = sqlx::query_scalar("select text from chat_messages").fetch_one(app.pool()).await.unwrap();
    assert_eq!(text, "and this everybody");
}
