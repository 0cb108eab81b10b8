//! Coins for whoever sent in what a channel takes.

use domain::media::MediaType;
use harness::Session;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    reviews::{asked_to_change, decide, picture, sent_in},
    stage::Stage,
    submissions::Upload,
};

async fn promise(stage: &Stage, coins: i64) {
    let patch = json!({ "submissionRewardCoins": coins });
    let settings = stage.streamer.patch("/streamer/channel/settings", &patch).await.expect(200);
    assert_eq!(settings["submissionRewardCoins"], coins);
}

#[tokio::test]
async fn whoever_sent_in_what_is_approved_is_thanked_once() {
    let stage = Stage::open().await;
    promise(&stage, 25).await;
    let anna = stage.app.login("anna", "viewer").await;
    assert_eq!(anna.get("/channels/demo").await.expect(200)["submissionRewardCoins"], 25);
    let mut own = anna.events("/me/events").await;
    let id = asked_to_change(&stage, &anna).await;
    assert_eq!(stage.balance(&anna).await, 0);
    let form = reqwest::multipart::Form::new().text("notes", "louder now");
    let again = anna.request(Method::POST, &format!("/submissions/{id}/resubmit")).multipart(form);
    let again = Session::send(again).await;
    assert!(again.status.is_success(), "{}", again.text);
    let approved = decide(&stage.streamer, &id, "approve", &json!({})).await.expect(200);
    assert_eq!(approved["rewardCoins"], 25);
    assert_eq!(stage.balance(&anna).await, 25);
    let told = own.wait_for("wallet:updated").await.data;
    assert_eq!(
        (&told["delta"], &told["reason"], &told["source"]),
        (&json!(25), &json!("submission_approved"), &json!("reward"))
    );
    assert_eq!(own.wait_for("submission:approved").await.data["rewardCoins"], 25);
    assert_eq!(decide(&stage.streamer, &id, "approve", &json!({})).await.status.as_u16(), 409);
    assert_eq!(stage.balance(&anna).await, 25, "once");
    let receipts = anna.get(&format!("/me/wallet/receipts?channelId={}", stage.channel_id)).await.expect(200);
    let receipt = &receipts["receipts"][0];
    assert_eq!((&receipt["kind"], &receipt["amount"]), (&json!("reward"), &json!(25)));
    stage.app.drain().await;
}

#[tokio::test]
async fn the_same_file_is_thanked_for_once_on_a_channel() {
    let stage = Stage::open().await;
    promise(&stage, 25).await;
    let (anna, bert) = (stage.app.login("anna", "viewer").await, stage.app.login("bert", "viewer").await);
    // Both wait: neither is a meme yet that the other could look like.
    let (first, second) = (sent_in(&stage, &anna).await, sent_in(&stage, &bert).await);
    let approved = decide(&stage.streamer, &first, "approve", &json!({})).await.expect(200);
    assert_eq!(approved["rewardCoins"], 25);
    let twin = decide(&stage.streamer, &second, "approve", &json!({})).await.expect(200);
    assert_eq!((&twin["status"], &twin["rewardCoins"]), (&json!("approved"), &Value::Null), "it is shown already");
    // Not for what was thanked for and deleted, either.
    for meme in [&approved["memeId"], &twin["memeId"]] {
        stage.streamer.delete(&format!("/streamer/memes/{}", meme.as_str().unwrap())).await.expect(204);
    }
    stage.app.drain().await;
    let again = sent_in(&stage, &bert).await;
    let again = decide(&stage.streamer, &again, "approve", &json!({})).await.expect(200);
    assert_eq!(again["rewardCoins"], Value::Null);
    assert_eq!((stage.balance(&anna).await, stage.balance(&bert).await), (25, 0));
    stage.app.drain().await;
}

#[tokio::test]
async fn nobody_is_thanked_for_the_own_for_what_is_rejected_or_when_banned() {
    let stage = Stage::open().await;
    promise(&stage, 25).await;
    let own = picture(&stage).await.judged(&stage.streamer).await.expect(201);
    assert_eq!(own["rewardCoins"], Value::Null);
    assert_eq!(stage.balance(&stage.streamer).await, 0);
    let anna = stage.app.login("anna", "viewer").await;
    let id = sent_in(&stage, &anna).await;
    decide(&stage.streamer, &id, "reject", &json!({})).await.expect(200);
    // A moderator who approves what they sent in themselves.
    stage.streamer.put("/streamer/team/anna", &json!({ "role": "moderator" })).await.expect(200);
    let id = sent_in(&stage, &anna).await;
    let approved = anna.post(&format!("/streamer/submissions/{id}/approve?channel=demo"), &json!({})).await.expect(200);
    assert_eq!(approved["rewardCoins"], Value::Null);
    assert_eq!(stage.balance(&anna).await, 0);
    // Somebody who is banned while it waits; the ban's own cascade has not come to it.
    let bert = stage.app.login("bert", "viewer").await;
    let id = sent_in(&stage, &bert).await;
    stage.app.drain().await;
    sqlx::query("update users set banned_at = app_now() where login = 'bert'").execute(stage.app.pool()).await.unwrap();
    let approved = decide(&stage.streamer, &id, "approve", &json!({})).await.expect(200);
    assert_eq!((&approved["status"], &approved["rewardCoins"]), (&json!("approved"), &Value::Null));
    let coins: i64 = sqlx::query_scalar("select coalesce(sum(balance), 0)::bigint from wallets")
        .fetch_one(stage.app.pool())
        .await
        .unwrap();
    assert_eq!(coins, 0);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_taken_unseen_is_thanked_for_too_and_decisions_about_many_pay_each() {
    let stage = Stage::open().await;
    promise(&stage, 7).await;
    let anna = stage.app.login("anna", "viewer").await;
    let ids = [sent_in(&stage, &anna).await];
    let wish = json!({ "ids": ids, "action": "approve" });
    stage.streamer.post("/streamer/submissions/bulk", &wish).await.expect(200);
    assert_eq!(stage.balance(&anna).await, 7);
    stage.streamer.patch("/streamer/channel/settings", &json!({ "reviewMode": "flagged" })).await.expect(200);
    let bert = stage.app.login("bert", "viewer").await;
    let sent = Upload::sample(MediaType::Audio).await.with("channelId", &stage.channel_id.to_string());
    let sent = sent.judged(&bert).await.expect(201);
    assert_eq!(sent["rewardCoins"], 7);
    assert_eq!(stage.balance(&bert).await, 7);
    promise(&stage, 0).await;
    stage.app.drain().await;
}
