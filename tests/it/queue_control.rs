//! The queue in the streamer's hands, item by item, and what other programs put into it.

use harness::Session;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{channel_tokens::give, stage::Stage};

/// Titles do not tell items apart, senders do.
async fn senders(stage: &Stage) -> Vec<String> {
    let queue = stage.streamer.get("/streamer/queue").await.expect(200);
    let items = queue["items"].as_array().unwrap();
    items.iter().map(|item| item["senderDisplayName"].as_str().unwrap().to_owned()).collect()
}

async fn paused() -> (Stage, Uuid) {
    let stage = Stage::open().await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let meme = stage.meme(1000).await;
    (stage, meme)
}

fn event(kind: &str, meme: Uuid, sender: &str) -> Value {
    json!({ "kind": kind, "memeId": meme, "senderDisplayName": sender })
}

async fn keyed(who: &Session, path: &str, key: &str, body: &Value) -> harness::Answer {
    let request = who.request(reqwest::Method::POST, path).header("idempotency-key", key);
    Session::send(request.json(body)).await
}

#[tokio::test]
async fn an_item_is_taken_out_with_its_coins_or_moved_to_the_front() {
    let (stage, meme) = paused().await;
    let (anna, bert) = (stage.viewer("anna", 100).await, stage.viewer("bert", 200).await);
    let of_anna = stage.activate(&anna, meme).await;
    let first = stage.activate(&bert, meme).await;
    let second = stage.activate(&bert, meme).await;
    assert_eq!(senders(&stage).await, ["anna", "bert", "bert"]);
    let moved = stage.streamer.post(&format!("/streamer/queue/items/{second}/front"), &json!({})).await.expect(200);
    assert_eq!(moved["items"][0]["id"], second);
    let removed = stage.streamer.delete(&format!("/streamer/queue/items/{of_anna}")).await.expect(200);
    assert_eq!((&removed["status"], &removed["reason"]), (&json!("cancelled"), &json!("skipped")));
    assert_eq!(stage.balance(&anna).await, 100);
    let again = stage.streamer.delete(&format!("/streamer/queue/items/{of_anna}")).await;
    assert_eq!((again.status.as_u16(), again.error_code()), (409, "ACTIVATION_NOT_QUEUED"));
    let late = stage.streamer.post(&format!("/streamer/queue/items/{of_anna}/front"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.error_code()), (409, "ACTIVATION_NOT_QUEUED"));

    stage.streamer.post("/streamer/queue/playback/resume", &json!({})).await.expect(200);
    let mut screen = stage.screen().await;
    for expected in [&second, &first] {
        let item = screen.next_item().await.data;
        assert_eq!(item["id"], **expected);
        screen.play(&item).await;
    }
    stage.app.drain().await;
    assert_eq!(stage.balance(&bert).await, 0);
}

#[tokio::test]
async fn each_item_says_when_its_turn_comes_and_what_has_ended_is_told_in_that_order() {
    let (stage, meme) = paused().await;
    let (anna, bert) = (stage.viewer("anna", 100).await, stage.viewer("bert", 100).await);
    let first = stage.activate(&anna, meme).await;
    let second = stage.activate(&bert, meme).await;
    let donation = event("donation", meme, "Dora");
    let before_both = stage.streamer.post("/streamer/queue/events", &donation).await.expect(200);
    let waits = async || {
        let queue = stage.streamer.get("/streamer/queue").await.expect(200);
        let items = queue["items"].as_array().unwrap().clone();
        items.iter().map(|item| json!([item["id"], item["position"], item["etaSeconds"]])).collect::<Vec<_>>()
    };
    let unknown = [json!([before_both["id"], 1, null]), json!([first, 2, null]), json!([second, 3, null])];
    assert_eq!(waits().await, unknown, "nobody knows while playback is paused");
    let page = stage.streamer.get("/streamer/queue?limit=1&offset=2").await.expect(200);
    assert_eq!((&page["items"][0]["id"], &page["items"][0]["position"]), (&json!(second), &json!(3)));
    assert_eq!((&page["items"][0]["priority"], &page["items"][0]["source"]), (&json!(0), &json!("meme")));
    let _screen = stage.screen().await;
    stage.streamer.post("/streamer/queue/playback/resume", &json!({})).await.expect(200);
    stage.app.drain().await;
    // The first plays, and no screen has said that it began: all of it is before them.
    let known = [json!([first, 1, 1.0]), json!([second, 2, 2.0])];
    assert_eq!(waits().await, known);

    for id in [&second, &first] {
        stage.app.advance(std::time::Duration::from_secs(1)).await;
        stage.streamer.delete(&format!("/streamer/queue/items/{id}")).await.expect(200);
    }
    let history = stage.streamer.get("/streamer/queue/history").await.expect(200);
    assert_eq!((&history[0]["id"], &history[1]["id"]), (&json!(first), &json!(second)));
}

#[tokio::test]
async fn what_was_played_is_played_again_for_nobodys_coins() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(1000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let path = format!("/streamer/queue/history/{id}/replay");
    let early = stage.streamer.post(&path, &json!({})).await;
    assert_eq!((early.status.as_u16(), early.error_code()), (409, "CONFLICT"));
    let item = screen.next_item().await.data;
    screen.play(&item).await;
    let figures = stage.streamer.get("/streamer/stats/channel").await.expect(200);

    let again = keyed(&stage.streamer, &path, "again", &json!({})).await.expect(200);
    let twin = keyed(&stage.streamer, &path, "again", &json!({})).await.expect(200);
    assert_eq!((&again["source"], &again["id"]), (&json!("replay"), &twin["id"]));
    let item = screen.next_item().await.data;
    assert_eq!((&item["id"], &item["senderDisplayName"]), (&again["id"], &json!("anna")));
    screen.play(&item).await;
    stage.app.drain().await;
    assert!(screen.shows_nothing_new().await, "once");
    assert_eq!(stage.balance(&anna).await, 0);
    assert_eq!(stage.streamer.get("/streamer/stats/channel").await.expect(200), figures, "in no statistics");

    // It is the viewer's: their name goes with it, and with them.
    assert_eq!(
        anna.get(&format!("/me/activations/{}", again["id"].as_str().unwrap())).await.expect(200)["source"],
        "replay"
    );
    stage.admin.post(&format!("/owner/users/{}/ban", anna.user_id), &json!({})).await.expect(200);
    let banned = stage.streamer.post(&path, &json!({})).await;
    assert_eq!((banned.status.as_u16(), banned.error_code()), (409, "CONFLICT"));
    stage.admin.post(&format!("/owner/users/{}/unban", anna.user_id), &json!({})).await.expect(200);

    stage.streamer.delete(&format!("/streamer/memes/{meme}")).await.expect(204);
    let gone = stage.streamer.post(&path, &json!({})).await;
    assert_eq!((gone.status.as_u16(), gone.error_code()), (404, "MEME_NOT_FOUND"));
}

#[tokio::test]
async fn a_program_shows_a_donation_before_what_waits_for_coins() {
    let (stage, meme) = paused().await;
    let anna = stage.viewer("anna", 100).await;
    stage.activate(&anna, meme).await;
    let token = give(&stage.streamer, "api", "donations", &["queue:control"]).await;
    let program = stage.app.anonymous().with_token(&token.secret);
    let path = "/streamer/queue/events";
    program.post(path, &event("chat", meme, "Chatter")).await.expect(200);
    program.post(path, &event("redeem", meme, "Redeemer")).await.expect(200);
    let donation = keyed(&program, path, "donation-1", &event("donation", meme, " Дарья\u{200b} ")).await.expect(200);
    let twin = keyed(&program, path, "donation-1", &event("donation", meme, " Дарья\u{200b} ")).await.expect(200);
    assert_eq!((&donation["source"], &donation["id"]), (&json!("donation"), &twin["id"]));
    let mut small = event("donation", meme, "Small");
    small["priority"] = json!(-1);
    program.post(path, &small).await.expect(200);
    assert_eq!(senders(&stage).await, ["Дарья", "Redeemer", "anna", "Chatter", "Small"]);

    // Of the team only who looks after what is played may do that.
    let mona = stage.app.login("mona", "viewer").await;
    stage.streamer.put("/streamer/team/mona", &json!({ "role": "moderator" })).await.expect(200);
    let refused = mona.post("/streamer/queue/events?channel=demo", &event("donation", meme, "Mona")).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (403, "FORBIDDEN"));

    let other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    let foreign = program.post(path, &event("donation", other.meme(1000).await, "x")).await;
    assert_eq!((foreign.status.as_u16(), foreign.error_code()), (404, "MEME_NOT_FOUND"));
    for wrong in [event("donation", meme, "\u{200b}"), event("donation", meme, ""), event("money", meme, "x")] {
        let refused = program.post(path, &wrong).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let weak = give(&stage.streamer, "api", "reader", &["queue:read"]).await;
    let weak = stage.app.anonymous().with_token(&weak.secret);
    assert_eq!(weak.post(path, &event("donation", meme, "x")).await.status.as_u16(), 403);
    let acts: i64 = sqlx::query_scalar("select count(*) from people_acts where act = 'queue_event'")
        .fetch_one(stage.app.pool())
        .await
        .unwrap();
    assert_eq!(acts, 4, "each is written down, a twin is none");
}
