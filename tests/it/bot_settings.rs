//! What a bot does of itself: greetings, and what gives way to whom in the outbox.

use std::time::Duration;

use domain::{
    bots,
    outbox::{self, Claim, OutboxMessage, Provider, Source, Text, budget::Limit},
};
use harness::TestApp;
use serde_json::json;
use sqlx::PgPool;

use crate::stage::Stage;

/// A system in which nobody says anything.
async fn quiet() -> Stage {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    stage
}

async fn greet(stage: &Stage, event: &str, follower: &str) -> Option<OutboxMessage> {
    let mut tx = stage.app.db.begin().await.unwrap();
    let greeted = bots::greet(&mut tx, "http://here", stage.channel_id, event, follower).await.unwrap();
    tx.commit().await.unwrap();
    greeted
}

#[tokio::test]
async fn a_follower_is_greeted_once_while_the_channel_greets_and_its_bot_is_on() {
    let stage = quiet().await;
    let (demo, path) = (&stage.streamer, "/streamer/bot/follow-greetings");
    let settings = demo.get(path).await.expect(200);
    assert_eq!(settings["followGreetingsEnabled"], false);
    assert!(settings["followGreetingTemplate"].as_str().unwrap().contains("{user}"), "{settings}");
    assert!(greet(&stage, "1", "Anna").await.is_none(), "it does not greet");
    demo.post(&format!("{path}/enable"), &json!({})).await.expect(200);
    assert!(greet(&stage, "2", "Anna").await.is_none(), "its bot is off");
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    let before = demo.get(path).await.expect(200);
    assert_eq!(demo.patch(path, &json!({})).await.expect(200), before, "nothing is to be changed");
    demo.patch(path, &json!({ "followGreetingTemplate": "Hi {count}" })).await.expect(400);
    let changed =
        demo.patch(path, &json!({ "followGreetingTemplate": "{user}: welcome to {channel}" })).await.expect(200);
    assert_eq!(changed["followGreetingsEnabled"], true);
    let greeted = greet(&stage, "3", "/ban\r\nboris").await.expect("a greeting");
    assert!(greeted.message.starts_with("ban boris: welcome to "), "{}", greeted.message);
    assert!(greet(&stage, "3", "Anna").await.is_none(), "once for each event");
    for (number, there) in [("4", true), ("5", true), ("6", false)] {
        assert_eq!(greet(&stage, number, "Anna").await.is_some(), there, "no more than three wait");
    }
    assert_eq!(demo.post(&format!("{path}/disable"), &json!({})).await.expect(200)["followGreetingsEnabled"], false);
    assert!(greet(&stage, "7", "Anna").await.is_none());
}

#[tokio::test]
async fn old_clients_switch_the_bot_on_twitch_in_their_way() {
    let stage = quiet().await;
    let demo = &stage.streamer;
    assert_eq!(demo.get("/streamer/bot/subscription").await.expect(200)["enabled"], false);
    assert_eq!(demo.post("/streamer/bot/enable", &json!({})).await.expect(200)["enabled"], true);
    assert_eq!(demo.get("/streamer/bots").await.expect(200)[0]["enabled"], true);
    assert_eq!(demo.get("/streamer/bot/subscription").await.expect(200)["enabled"], true);
    assert_eq!(demo.post("/streamer/bot/disable", &json!({})).await.expect(200)["enabled"], false);
    assert_eq!(demo.get("/streamer/bots").await.expect(200)[0]["enabled"], false);
    let document = stage.app.anonymous().get("/openapi.json").await.expect(200);
    for path in ["/streamer/bot/enable", "/streamer/bot/disable"] {
        assert_eq!(document["paths"][path]["post"]["deprecated"], true);
    }
}

/// Puts a message about something into the outbox.
async fn put(stage: &Stage, source: Source, about: &str) -> Option<OutboxMessage> {
    let mut tx = stage.app.db.begin().await.unwrap();
    let text = Text::new(about).unwrap();
    let put = outbox::put_once(&mut tx, stage.channel_id, Provider::Twitch, source, &text, about).await.unwrap();
    tx.commit().await.unwrap();
    put
}

/// Whether the account may write it now.
async fn may(pool: &PgPool, message: &OutboxMessage) -> bool {
    let mut conn = pool.begin().await.unwrap();
    let limit = Limit { count: 20, window: Duration::from_secs(30) };
    let claim = outbox::begin(&mut conn, message.id, "bot", limit, Duration::ZERO).await.unwrap();
    conn.commit().await.unwrap();
    match claim {
        Claim::Write { .. } => true,
        Claim::Wait(_) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_nobody_asked_for_leaves_room_for_what_people_wait_for() {
    let stage = quiet().await;
    let pool = stage.app.pool();
    for number in 0..12 {
        let word = put(&stage, Source::Say, &format!("say {number}")).await.unwrap();
        assert!(may(pool, &word).await, "{number}");
    }
    let timer = put(&stage, Source::Timer, "timer").await.unwrap();
    assert!(!may(pool, &timer).await, "forty per cent are not for timers");
    let greeting = put(&stage, Source::Greeting, "greeting").await.unwrap();
    assert!(may(pool, &timer).await, "it holds somebody up who may");
    assert!(may(pool, &greeting).await);
    for number in 0..6 {
        let answer = put(&stage, Source::Command, &format!("command {number}")).await;
        if number < 4 {
            assert!(may(pool, &answer.unwrap()).await, "{number}");
        } else {
            assert!(!may(pool, &answer.unwrap()).await, "ten per cent are not for commands");
        }
    }
    let word = put(&stage, Source::Say, "the last word").await.unwrap();
    assert!(may(pool, &word).await);
}

#[tokio::test]
async fn what_is_about_the_same_is_said_once_and_few_of_a_kind_wait() {
    let stage = quiet().await;
    assert!(put(&stage, Source::Timer, "a").await.is_some());
    assert!(put(&stage, Source::Timer, "b").await.is_none(), "one timer waits");
    for number in 0..5 {
        assert!(put(&stage, Source::Command, &format!("c{number}")).await.is_some(), "{number}");
    }
    assert!(put(&stage, Source::Command, "c5").await.is_none(), "five answers wait");
    assert!(put(&stage, Source::Say, "s").await.is_some(), "whatever waits");
    assert!(put(&stage, Source::Say, "s").await.is_none(), "it was said already");
}
