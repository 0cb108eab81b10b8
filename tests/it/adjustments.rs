//! Large adjustments of wallets take two admins.

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, Session, TestApp};
use serde_json::{Value, json};

use crate::stage::Stage;

/// With one admin beside the stage's.
async fn open() -> (Stage, Session) {
    let app = TestApp::builder().pools(&[]).env("COINS_APPROVAL_ABOVE", "1000").start().await;
    let stage = Stage::on(app).await;
    let other = stage.app.login("second", "admin").await;
    (stage, other)
}

async fn adjust(stage: &Stage, admin: &Session, viewer: &Session, delta: i64) -> Answer {
    let path = format!("/owner/wallets/{}/{}/adjust", viewer.user_id, stage.channel_id);
    admin.post(&path, &json!({ "delta": delta, "reason": "a prize" })).await
}

fn path(pending: &Value, decision: &str) -> String {
    format!("/owner/adjustments/{}/{decision}", pending["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_large_adjustment_waits_for_another_admin_who_makes_it_once() {
    let (stage, other) = open().await;
    let anna = stage.viewer("anna", 100).await;
    let pending = adjust(&stage, &stage.admin, &anna, 5000).await.expect(202);
    assert_eq!(
        (&pending["status"], &pending["delta"], &pending["login"]),
        (&json!("pending"), &json!(5000), &json!("anna"))
    );
    assert_eq!(stage.balance(&anna).await, 100);
    let listed = other.get("/owner/adjustments?pending=true").await.expect(200);
    assert_eq!(listed[0]["id"], pending["id"]);
    let own = stage.admin.post(&path(&pending, "approve"), &json!({})).await;
    assert_eq!((own.status.as_u16(), own.error_code()), (403, "SECOND_ADMIN_REQUIRED"));

    let third = stage.app.login("third", "admin").await;
    let racers = [&other, &third, &other, &third].map(|admin| {
        let path = path(&pending, "approve");
        async move { admin.post(&path, &json!({})).await }
    });
    let mut statuses: Vec<u16> = join_all(racers).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    assert_eq!(stage.balance(&anna).await, 5100);
    let receipts = anna.get(&format!("/me/wallet/receipts?channelId={}", stage.channel_id)).await.expect(200);
    assert_eq!(receipts["receipts"][0]["operationId"], pending["id"]);
    assert_eq!(other.get("/owner/adjustments?pending=true").await.expect(200), json!([]));
    assert_eq!(other.get("/owner/adjustments").await.expect(200)[0]["status"], "approved");
    let acts = stage.admin.get(&format!("/owner/audit?user={}", anna.user_id)).await.expect(200);
    let names: Vec<&str> = acts["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["approve_adjustment", "ask_for_adjustment", "adjust_wallet"]);
    assert_eq!(acts["acts"][0]["after"]["balance"], 5100);
}

#[tokio::test]
async fn many_small_adjustments_of_one_wallet_within_a_day_are_a_large_one() {
    let (stage, other) = open().await;
    let anna = stage.viewer("anna", 0).await;
    adjust(&stage, &stage.admin, &anna, 600).await.expect(200);
    adjust(&stage, &stage.admin, &anna, -200).await.expect(200);
    let pending = adjust(&stage, &stage.admin, &anna, 201).await.expect(202);
    adjust(&stage, &stage.admin, &anna, 200).await.expect(200);
    adjust(&stage, &other, &anna, 1000).await.expect(200);
    let bert = stage.viewer("bert", 0).await;
    adjust(&stage, &stage.admin, &bert, 1000).await.expect(200);
    other.post(&path(&pending, "approve"), &json!({})).await.expect(200);
    assert_eq!(stage.balance(&anna).await, 1801);
    stage.app.advance(Duration::from_hours(25)).await;
    let boss = stage.app.login("boss", "admin").await;
    adjust(&stage, &boss, &anna, 1000).await.expect(200);
    // Of two at once that are small each by itself only one is.
    let carla = stage.viewer("carla", 0).await;
    let halves = [600, 600].map(|delta| adjust(&stage, &boss, &carla, delta));
    let mut statuses: Vec<u16> = join_all(halves).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 202]);
}

#[tokio::test]
async fn what_is_refused_or_too_old_is_never_made() {
    let (stage, other) = open().await;
    let anna = stage.viewer("anna", 0).await;
    let refused = adjust(&stage, &stage.admin, &anna, 2000).await.expect(202);
    let old = adjust(&stage, &stage.admin, &anna, 3000).await.expect(202);
    let view = stage.admin.post(&path(&refused, "refuse"), &json!({})).await.expect(200);
    assert_eq!((&view["status"], &view["decidedBy"]), (&json!("refused"), &json!(stage.admin.user_id)));
    for decision in ["approve", "refuse"] {
        assert_eq!(other.post(&path(&refused, decision), &json!({})).await.status.as_u16(), 409);
    }
    stage.app.advance(Duration::from_hours(24 * 8)).await;
    let other = stage.app.login("second", "admin").await;
    let late = other.post(&path(&old, "approve"), &json!({})).await;
    assert_eq!((late.status.as_u16(), late.error_code()), (409, "CONFLICT"));
    assert_eq!(other.get("/owner/adjustments").await.expect(200)[0]["status"], "expired");
    assert_eq!(other.get("/owner/adjustments?pending=true").await.expect(200), json!([]));
    let anna = stage.app.login("anna", "viewer").await;
    assert_eq!(stage.balance(&anna).await, 0);
}

#[tokio::test]
async fn an_adjustment_that_takes_too_much_waits_on_and_one_of_a_former_admin_is_not_made() {
    let (stage, other) = open().await;
    let anna = stage.viewer("anna", 500).await;
    let taking = adjust(&stage, &stage.admin, &anna, -5000).await.expect(202);
    let answer = other.post(&path(&taking, "approve"), &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (402, "INSUFFICIENT_COINS"));
    assert_eq!(other.get("/owner/adjustments?pending=true").await.expect(200)[0]["id"], taking["id"]);
    let asked = adjust(&stage, &other, &anna, 5000).await.expect(202);
    let role = format!("/owner/users/{}/role", other.user_id);
    stage.admin.put(&role, &json!({ "role": "viewer" })).await.expect(200);
    let answer = stage.admin.post(&path(&asked, "approve"), &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (409, "CONFLICT"));
    stage.admin.post(&path(&asked, "refuse"), &json!({})).await.expect(200);
    assert_eq!(stage.balance(&anna).await, 500);
}
