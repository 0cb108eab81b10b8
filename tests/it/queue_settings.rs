//! What a streamer says about the queue: what plays first, and what becomes of wishes that nobody would see.

use std::time::Duration;

use harness::wait_until;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

async fn set(stage: &Stage, patch: Value) -> Value {
    stage.streamer.patch("/streamer/channel/settings", &patch).await.expect(200)
}

async fn put(stage: &Stage, kind: &str, meme: Uuid) {
    let event = json!({ "kind": kind, "memeId": meme, "senderDisplayName": kind });
    stage.streamer.post("/streamer/queue/events", &event).await.expect(200);
}

async fn senders(stage: &Stage) -> Vec<String> {
    let queue = stage.streamer.get("/streamer/queue").await.expect(200);
    let items = queue["items"].as_array().unwrap();
    items.iter().map(|item| item["senderDisplayName"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_streamer_says_what_plays_first() {
    let stage = Stage::open().await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let (meme, anna, bert) = (stage.meme(1000).await, stage.viewer("anna", 100).await, stage.viewer("bert", 100).await);
    let settings = stage.streamer.get("/streamer/channel/settings").await.expect(200);
    assert_eq!(settings["queuePriorities"], json!({ "donation": 20, "redeem": 10, "chat": 0, "coins": 0 }));
    stage.activate(&anna, meme).await;
    let settings = set(&stage, json!({ "queuePriorities": { "coins": 15, "chat": -5, "donation": 12 } })).await;
    assert_eq!(settings["queuePriorities"], json!({ "donation": 12, "redeem": 10, "chat": -5, "coins": 15 }));
    for kind in ["chat", "redeem", "donation"] {
        put(&stage, kind, meme).await;
    }
    stage.activate(&bert, meme).await;
    let order = ["bert", "donation", "redeem", "anna", "chat"];
    assert_eq!(senders(&stage).await, order, "anna's was placed before");
    for wrong in [json!({ "coins": 101 }), json!({ "coins": -101 }), json!({ "flying": 1 })] {
        let answer = stage.streamer.patch("/streamer/channel/settings", &json!({ "queuePriorities": wrong })).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"));
    }
    stage.streamer.post("/streamer/queue/clear", &json!({})).await.expect(200);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_nobody_would_see_is_refused_where_the_streamer_says_so() {
    let stage = Stage::open().await;
    set(&stage, json!({ "whenNoOverlay": "refuse" })).await;
    let (meme, anna) = (stage.meme(1000).await, stage.viewer("anna", 100).await);
    let refused = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "NO_OVERLAY"), "{}", refused.text);
    assert_eq!(stage.balance(&anna).await, 100);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    assert_eq!(item["id"], *id);
    screen.play(&item).await;
    stage.app.drain().await;
    assert_eq!(stage.balance(&anna).await, 0);
}

#[tokio::test]
async fn what_nobody_would_see_is_given_back_within_seconds_where_the_streamer_says_so() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(1000).await, stage.viewer("anna", 200).await);
    let waits = stage.activate(&anna, meme).await;
    stage.app.drain().await;
    stage.app.advance(Duration::from_secs(11)).await;
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &waits).await["status"], "queued", "by default it waits for two minutes");
    anna.delete(&format!("/me/activations/{waits}")).await.expect(200);
    stage.app.drain().await;

    set(&stage, json!({ "whenNoOverlay": "expire" })).await;
    let id = stage.activate(&anna, meme).await;
    stage.app.drain().await;
    stage.app.advance(Duration::from_secs(11)).await;
    let ended = wait_until("it is given back", async || {
        let mine = stage.state_of(&anna, &id).await;
        (mine["status"] != "queued").then_some(mine)
    })
    .await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("failed"), &json!("no_screen")));
    assert_eq!(stage.balance(&anna).await, 200);
    stage.app.drain().await;
}
