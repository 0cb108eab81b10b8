//! Coins that wait for people who have not logged in yet.

use std::time::Duration;

use domain::identities::Provider;
use futures_util::future::join;
use harness::{Session, TestApp};
use identity::simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    identities::{Visitor, knowing, simulator},
    stage::Stage,
};

/// The API alone, with all platforms simulated.
async fn open() -> (Simulator, Stage) {
    open_with(&[]).await
}

async fn open_with(settings: &[(&str, &str)]) -> (Simulator, Stage) {
    let platforms = simulator().await;
    let builder = knowing(&platforms, TestApp::builder().pools(&[]));
    let builder = settings.iter().fold(builder, |builder, (name, value)| builder.env(name, value));
    let stage = Stage::on(builder.start().await).await;
    (platforms, stage)
}

/// Coins in the stage's channel for this account on Twitch.
fn wish(stage: &Stage, field: &str, account: &str, amount: i64) -> Value {
    json!({ "channelId": stage.channel_id, "provider": "twitch", field: account, "amount": amount, "reason": "raffle" })
}

async fn give(stage: &Stage, field: &str, account: &str, amount: i64) -> Value {
    stage.admin.post("/owner/grants", &wish(stage, field, account, amount)).await.expect(200)
}

fn id_of(login: &str) -> String {
    Simulator::subject(Provider::Twitch, login)
}

async fn balance(visitor: &Visitor) -> i64 {
    visitor.get("/channels/demo/wallet").await.expect(200)["balance"].as_i64().unwrap()
}

async fn listed(stage: &Stage) -> Vec<Value> {
    stage.admin.get("/owner/grants").await.expect(200).as_array().unwrap().clone()
}

#[tokio::test]
async fn coins_wait_for_an_account_and_are_paid_at_its_first_login_once() {
    let (_platforms, stage) = open().await;
    let made = give(&stage, "providerUserId", &id_of("anna"), 500).await;
    give(&stage, "providerUserId", &id_of("anna"), 70).await;
    assert_eq!((&made["status"], &made["channelSlug"]), (&json!("waiting"), &json!("demo")));
    let bert = Visitor::new(&stage.app);
    bert.log_in(Provider::Twitch, "bert").await;
    assert_eq!(balance(&bert).await, 0, "somebody else's login pays nothing");
    let other = Visitor::new(&stage.app);
    other.log_in(Provider::Kick, "anna").await;
    assert_eq!(balance(&other).await, 0, "nor does the same name elsewhere");

    let anna = Visitor::new(&stage.app);
    let me = anna.log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 570);
    Visitor::new(&stage.app).log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 570, "once");
    let receipts = anna.get(&format!("/me/wallet/receipts?channelId={}", stage.channel_id)).await.expect(200);
    let receipt = &receipts["receipts"][1];
    assert_eq!((&receipt["kind"], &receipt["amount"]), (&json!("grant"), &json!(500)));
    assert_eq!((&receipt["operationId"], &receipt["reason"]), (&made["id"], &json!("pending_grant")));
    assert_eq!(receipt["note"], "raffle");
    let grants = listed(&stage).await;
    assert_eq!(grants.len(), 2);
    for grant in &grants {
        assert_eq!((&grant["status"], &grant["userId"]), (&json!("paid"), &me["id"]));
    }
}

#[tokio::test]
async fn coins_for_a_name_go_to_whoever_has_it_at_the_login_or_link_that_comes_first() {
    let (_platforms, stage) = open().await;
    give(&stage, "login", "@Anna", 40).await;
    let carla = Visitor::new(&stage.app);
    carla.log_in(Provider::Kick, "carla").await;
    assert_eq!(balance(&carla).await, 0);
    assert_eq!(carla.link(Provider::Twitch, "anna").await.header("location"), "/linked");
    assert_eq!(balance(&carla).await, 40);
    Visitor::new(&stage.app).log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&carla).await, 40, "the account is hers, and paid");
}

#[tokio::test]
async fn somebody_who_was_here_before_is_paid_at_the_next_login_and_two_logins_at_once_pay_once() {
    let (_platforms, stage) = open().await;
    Visitor::new(&stage.app).log_in(Provider::Twitch, "anna").await;
    for round in 1..=4 {
        give(&stage, "providerUserId", &id_of("anna"), 10).await;
        let (one, two) = (Visitor::new(&stage.app), Visitor::new(&stage.app));
        join(one.log_in(Provider::Twitch, "anna"), two.log_in(Provider::Twitch, "anna")).await;
        assert_eq!(balance(&one).await, round * 10);
    }
}

#[tokio::test]
async fn what_is_revoked_or_over_is_paid_to_nobody_and_names_nobody() {
    let (_platforms, stage) = open().await;
    let revoked = give(&stage, "login", "anna", 10).await;
    let path = format!("/owner/grants/{}", revoked["id"].as_str().unwrap());
    stage.admin.delete(&path).await.expect(204);
    stage.admin.delete(&path).await.expect(404);
    let mut short = wish(&stage, "login", "anna", 20);
    short["expiresInDays"] = json!(1);
    stage.admin.post("/owner/grants", &short).await.expect(200);
    let kept = give(&stage, "login", "bert", 30).await;
    stage.app.advance(Duration::from_hours(25)).await;
    let anna = Visitor::new(&stage.app);
    anna.log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 0);
    let boss = stage.app.login("boss", "admin").await;
    let listed = boss.get("/owner/grants").await.expect(200);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &kept["id"]));
    let mut conn = stage.app.pool().acquire().await.unwrap();
    assert_eq!(domain::grants::forget_over(&mut conn, 100).await.unwrap(), 1);
    let left: i64 = sqlx::query_scalar("select count(*) from pending_grants where login = 'anna'")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(left, 0);

    let bert = Visitor::new(&stage.app);
    bert.log_in(Provider::Twitch, "bert").await;
    assert_eq!(balance(&bert).await, 30);
    let paid = boss.delete(&format!("/owner/grants/{}", kept["id"].as_str().unwrap())).await;
    assert_eq!((paid.status.as_u16(), paid.error_code()), (409, "CONFLICT"));
}

#[tokio::test]
async fn a_large_grant_waits_for_another_admin_and_many_small_ones_are_a_large_one() {
    let (_platforms, stage) = open_with(&[("COINS_APPROVAL_ABOVE", "1000")]).await;
    let other = stage.app.login("second", "admin").await;
    assert_eq!(give(&stage, "login", "anna", 600).await["status"], "waiting");
    let large = give(&stage, "login", "anna", 600).await;
    assert_eq!(large["status"], "unapproved", "1200 within a day");
    assert_eq!(give(&stage, "login", "bert", 600).await["status"], "waiting", "somebody else");
    let anna = Visitor::new(&stage.app);
    anna.log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 600);
    let path = format!("/owner/grants/{}/approve", large["id"].as_str().unwrap());
    let own = stage.admin.post(&path, &json!({})).await;
    assert_eq!((own.status.as_u16(), own.error_code()), (403, "SECOND_ADMIN_REQUIRED"));
    let approved = other.post(&path, &json!({})).await.expect(200);
    assert_eq!((&approved["status"], &approved["approvedBy"]), (&json!("waiting"), &json!(other.user_id)));
    assert_eq!(other.post(&path, &json!({})).await.status.as_u16(), 409);
    Visitor::new(&stage.app).log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 1200);
}

#[tokio::test]
async fn what_one_admin_gives_one_person_counts_together_however_they_are_named() {
    let (_platforms, stage) = open_with(&[("COINS_APPROVAL_ABOVE", "1000")]).await;
    let other = stage.app.login("second", "admin").await;
    let by_hand = async |user: &Value, delta: i64| {
        let path = format!("/owner/wallets/{}/{}/adjust", user["id"].as_str().unwrap(), stage.channel_id);
        stage.admin.post(&path, &json!({ "delta": delta, "reason": "a prize" })).await
    };
    // Nobody knows yet that the name and the id are one account's.
    for (field, account) in [("login", "anna".to_owned()), ("providerUserId", id_of("anna"))] {
        assert_eq!(give(&stage, field, &account, 900).await["status"], "waiting");
    }
    let anna = Visitor::new(&stage.app);
    let me = anna.log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 900, "one admin gives no more than a thousand");
    let mut held = listed(&stage).await;
    held.retain(|grant| grant["status"] == "unapproved");
    assert_eq!(held.len(), 1, "{held:?}");
    // Here, every way counts.
    by_hand(&me, 200).await.expect(202);
    by_hand(&me, 50).await.expect(200);
    for (field, account) in [("login", "Anna".to_owned()), ("providerUserId", id_of("anna"))] {
        assert_eq!(give(&stage, field, &account, 51).await["status"], "unapproved", "{field}");
    }
    assert_eq!(give(&stage, "login", "anna", 50).await["status"], "waiting");
    by_hand(&me, 1).await.expect(202);
    // With another account, too.
    assert_eq!(give(&stage, "login", "carla", 900).await["status"], "waiting");
    assert_eq!(anna.link(Provider::Twitch, "carla").await.header("location"), "/linked");
    assert_eq!(balance(&anna).await, 950);
    // The other admin has a thousand, too, and agrees to what waits.
    let path = format!("/owner/wallets/{}/{}/adjust", me["id"].as_str().unwrap(), stage.channel_id);
    other.post(&path, &json!({ "delta": 1000, "reason": "a prize" })).await.expect(200);
    other.post(&format!("/owner/grants/{}/approve", held[0]["id"].as_str().unwrap()), &json!({})).await.expect(200);
    Visitor::new(&stage.app).log_in(Provider::Twitch, "anna").await;
    assert_eq!(balance(&anna).await, 950 + 1000 + 50 + 900);
    // Another day.
    stage.app.advance(Duration::from_hours(25)).await;
    let boss = stage.app.login("boss", "admin").await;
    let wish = wish(&stage, "login", "anna", 1000);
    assert_eq!(boss.post("/owner/grants", &wish).await.expect(200)["status"], "waiting");
}

#[tokio::test]
async fn grants_are_kept_by_their_key_written_down_and_checked() {
    let (_platforms, stage) = open().await;
    let good = wish(&stage, "login", "anna", 5);
    let make = || {
        let request = stage.admin.request(Method::POST, "/owner/grants").header("idempotency-key", "raffle");
        Session::send(request.json(&good))
    };
    let id = make().await.expect(200)["id"].clone();
    assert_eq!(make().await.expect(200)["id"], id, "the same key gives no second one");
    assert_eq!(listed(&stage).await.len(), 1);
    for (field, value) in [
        ("amount", json!(0)),
        ("amount", json!(1_000_000_000_001_i64)),
        ("login", json!(" ")),
        ("providerUserId", json!("42")),
        ("reason", json!(" ")),
        ("expiresInDays", json!(366)),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let answer = stage.admin.post("/owner/grants", &wrong).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let mut nowhere = good.clone();
    nowhere["channelId"] = json!(Uuid::now_v7());
    assert_eq!(stage.admin.post("/owner/grants", &nowhere).await.error_code(), "CHANNEL_NOT_FOUND");
    stage.admin.delete(&format!("/owner/grants/{}", id.as_str().unwrap())).await.expect(204);
    let acts = stage.admin.get("/owner/audit?channel=demo").await.expect(200);
    let names: Vec<&str> = acts["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["revoke_grant", "create_grant"]);
    assert!(!acts.to_string().contains("anna"), "nothing that stays says for whom it was: {acts}");
    // Of somebody who is here it says whom and why, until they are forgotten.
    let me = Visitor::new(&stage.app).log_in(Provider::Twitch, "anna").await;
    give(&stage, "providerUserId", &id_of("anna"), 5).await;
    let acts = stage.admin.get("/owner/audit?act=create_grant").await.expect(200);
    assert_eq!((&acts["acts"][0]["userId"], &acts["acts"][0]["reason"]), (&me["id"], &json!("raffle")), "{acts}");
}
