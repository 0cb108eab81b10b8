//! Paying for a meme: prices, refusals, keys, races.

use domain::activations::{self, Wish};
use futures_util::future::join_all;
use harness::{Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_viewer_pays_the_price_and_waits_in_the_queue() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    let body = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200);
    assert_eq!(body["activation"]["status"], "queued");
    assert_eq!((&body["originalPrice"], &body["finalPrice"]), (&json!(100), &json!(100)));
    assert_eq!((&body["wallet"]["balance"], &body["isFree"]), (&json!(150), &json!(false)));
    assert_eq!(stage.balance(&anna).await, 150);
    let mine = stage.state_of(&anna, body["activation"]["id"].as_str().unwrap()).await;
    assert_eq!((&mine["position"], &mine["etaMs"]), (&json!(1), &json!(null)), "no screen: nobody knows when: {mine}");
}

#[tokio::test]
async fn a_viewer_without_enough_coins_is_told_what_is_there_and_what_is_needed() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 99).await);
    let answer = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (402, "INSUFFICIENT_COINS"), "{}", answer.text);
    assert_eq!((&answer.json["balance"], &answer.json["needed"]), (&json!(99), &json!(100)));
    assert_eq!(stage.balance(&anna).await, 99);
}

#[tokio::test]
async fn the_channels_owner_plays_for_nothing() {
    let stage = Stage::open().await;
    let meme = stage.meme(2000).await;
    let body = stage.streamer.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200);
    assert_eq!((&body["isFree"], &body["finalPrice"], &body["wallet"]), (&json!(true), &json!(0), &json!(null)));
}

#[tokio::test]
async fn a_meme_that_is_not_on_offer_cannot_be_played() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 500).await);
    stage.streamer.delete(&format!("/streamer/memes/{meme}")).await.expect(204);
    for id in [meme, uuid::Uuid::new_v4()] {
        let answer = anna.post(&format!("/memes/{id}/activate"), &json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "MEME_NOT_FOUND"));
    }
    assert_eq!(stage.balance(&anna).await, 500);
}

#[tokio::test]
async fn a_paused_intake_refuses_and_takes_no_coins() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 500).await);
    stage.streamer.post("/streamer/queue/intake/pause", &json!({})).await.expect(200);
    let answer = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (409, "INTAKE_PAUSED"));
    stage.streamer.post("/streamer/queue/intake/resume", &json!({})).await.expect(200);
    stage.activate(&anna, meme).await;
    assert_eq!(stage.balance(&anna).await, 400);
}

#[tokio::test]
async fn of_sixty_four_racers_with_coins_for_one_exactly_one_wins() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 199).await);
    let answers = join_all(
        (0..64).map(|_| async { anna.post(&format!("/memes/{meme}/activate"), &json!({})).await.status.as_u16() }),
    )
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 402).count(), 63, "{answers:?}");
    assert_eq!(stage.balance(&anna).await, 99);
}

#[tokio::test]
async fn the_same_key_sixty_four_times_pays_once_and_answers_the_same_also_from_another_process_and_after_a_restart() {
    let mut stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 1000).await);
    let other = stage.app.beside().pools(&[]).start().await;
    let elsewhere = other.login("anna", "viewer").await;
    let answers = join_all((0..64).map(|n| {
        let who = if n % 2 == 0 { &anna } else { &elsewhere };
        stage.activate_as(who, meme, "one-purchase")
    }))
    .await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.text), (200, &answers[0].text));
    }
    assert_eq!(stage.balance(&anna).await, 900);

    drop(other);
    stage.app.stop();
    let restarted = stage.app.beside().start().await;
    let anna = restarted.login("anna", "viewer").await;
    let again = stage.activate_as(&anna, meme, "one-purchase").await;
    assert_eq!((again.status.as_u16(), &again.text), (200, &answers[0].text));
    assert_eq!(stage.balance(&anna).await, 900);
    restarted.drain().await;
}

#[tokio::test]
async fn a_refusal_stays_one_under_its_key_and_a_key_means_one_question() {
    let stage = Stage::open().await;
    let (meme, other, anna) = (stage.meme(2000).await, stage.meme(2000).await, stage.viewer("anna", 0).await);
    let refused = stage.activate_as(&anna, meme, "k").await;
    assert_eq!(refused.status.as_u16(), 402);
    let path = format!("/owner/wallets/{}/{}/adjust", anna.user_id, stage.channel_id);
    stage.admin.post(&path, &json!({ "delta": 500, "reason": "late" })).await.expect(200);
    let again = stage.activate_as(&anna, meme, "k").await;
    assert_eq!((again.status.as_u16(), &again.text), (402, &refused.text));
    let mismatch = stage.activate_as(&anna, other, "k").await;
    assert_eq!((mismatch.status.as_u16(), mismatch.error_code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(stage.activate_as(&anna, meme, "k2").await.status.as_u16(), 200);
    let long = stage.activate_as(&anna, meme, &"x".repeat(129)).await;
    assert_eq!((long.status.as_u16(), long.error_code()), (400, "VALIDATION_ERROR"));
}

#[tokio::test]
async fn a_viewer_takes_a_waiting_activation_back_once_and_nobody_elses() {
    let stage = Stage::open().await;
    let (meme, anna, bert) = (stage.meme(2000).await, stage.viewer("anna", 100).await, stage.viewer("bert", 0).await);
    let id = stage.activate(&anna, meme).await;
    let path = format!("/me/activations/{id}");
    assert_eq!(bert.get(&path).await.status.as_u16(), 404);
    assert_eq!(bert.delete(&path).await.status.as_u16(), 404);
    assert_eq!(anna.get(&path).await.expect(200)["refundedCoins"], 0);
    let keyed = async || {
        let request = anna.request(Method::DELETE, &path).header("idempotency-key", "never-mind");
        Session::send(request).await
    };
    let withdrawn = keyed().await.expect(200);
    assert_eq!((&withdrawn["status"], &withdrawn["reason"]), (&json!("cancelled"), &json!("withdrawn")));
    assert_eq!((&withdrawn["coinsSpent"], &withdrawn["refundedCoins"]), (&json!(100), &json!(100)));
    assert_eq!(
        withdrawn["wallet"],
        anna.get("/channels/demo/wallet").await.expect(200),
        "with the coins that came back"
    );
    let now = anna.get(&path).await.expect(200);
    assert!(withdrawn["endedAt"].is_string() && withdrawn["endedAt"] == now["endedAt"], "{withdrawn} {now}");
    assert_eq!(stage.balance(&anna).await, 100);
    assert_eq!(keyed().await.expect(200), withdrawn, "the answer that got lost");
    let again = anna.delete(&path).await;
    assert_eq!((again.status.as_u16(), again.error_code()), (409, "ACTIVATION_NOT_QUEUED"));
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn wallets_of_one_person_in_two_channels_are_two() {
    let stage = Stage::open().await;
    let anna = stage.viewer("anna", 300).await;
    let other = stage.app.login("other", "streamer").await;
    let me = other.get("/me").await.expect(200);
    let path = format!("/owner/wallets/{}/{}/adjust", anna.user_id, me["channelId"].as_str().unwrap());
    stage.admin.post(&path, &json!({ "delta": 7, "reason": "here too" })).await.expect(200);
    assert_eq!(stage.balance(&anna).await, 300);
    assert_eq!(anna.get("/channels/other/wallet").await.expect(200)["balance"], 7);
    let taken = stage.admin.post(&path, &json!({ "delta": -8, "reason": "too much" })).await;
    assert_eq!((taken.status.as_u16(), taken.error_code()), (402, "INSUFFICIENT_COINS"));
    let free = stage.admin.post(&path, &json!({ "delta": 0, "reason": "nothing" })).await;
    assert_eq!((free.status.as_u16(), free.error_code()), (400, "VALIDATION_ERROR"));
    let viewer = anna.post(&path, &json!({ "delta": 1, "reason": "mine" })).await;
    assert_eq!(viewer.status.as_u16(), 403);
}

#[tokio::test]
async fn everything_is_taken_when_no_pool_works() {
    let app = TestApp::builder().pools(&[]).start().await;
    let stage = Stage::on(app).await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let id = stage.activate(&anna, meme).await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "queued");
}

#[tokio::test]
async fn an_adjustment_under_one_key_moves_coins_once_and_a_refused_one_stays_refused() {
    let stage = Stage::open().await;
    let anna = stage.viewer("anna", 100).await;
    let path = format!("/owner/wallets/{}/{}/adjust", anna.user_id, stage.channel_id);
    let adjust = async |key: &str, delta: i64| {
        let request = stage.admin.request(Method::POST, &path).header("idempotency-key", key);
        Session::send(request.json(&json!({ "delta": delta, "reason": "a gift" }))).await
    };
    let answers = join_all((0..8).map(|_| adjust("gift-1", 50))).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.text), (200, &answers[0].text));
    }
    assert_eq!(answers[0].json["wallet"]["balance"], 150);
    assert_eq!(stage.balance(&anna).await, 150);
    let other = adjust("gift-1", 60).await;
    assert_eq!((other.status.as_u16(), other.error_code()), (422, "IDEMPOTENCY_KEY_REUSED"));

    let refused = adjust("fine", -200).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (402, "INSUFFICIENT_COINS"));
    adjust("gift-2", 100).await.expect(200);
    let again = adjust("fine", -200).await;
    assert_eq!((again.status.as_u16(), &again.text), (402, &refused.text));
    assert_eq!(stage.balance(&anna).await, 250);
}

#[tokio::test]
async fn a_request_whose_connection_the_database_ends_is_told_to_come_again_and_pays_once() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    stage.app.drain().await;
    let mut holder = stage.app.db.begin().await.unwrap();
    sqlx::query_scalar!("select balance from wallets for update").fetch_all(&mut *holder).await.unwrap();
    let cut = async {
        let waits = async || {
            let ended = sqlx::query_scalar!(
                r#"select count(pg_terminate_backend(pid)) as "count!" from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'"#
            );
            (ended.fetch_one(stage.app.pool()).await.unwrap() > 0).then_some(())
        };
        wait_until("the request waits for the wallet", waits).await;
    };
    let (answer, ()) = tokio::join!(stage.activate_as(&anna, meme, "once"), cut);
    assert_eq!((answer.status.as_u16(), &answer.json["errorCode"]), (503, &json!("SERVICE_UNAVAILABLE")));
    holder.rollback().await.unwrap();

    assert_eq!(stage.activate_as(&anna, meme, "once").await.status.as_u16(), 200);
    assert_eq!(stage.balance(&anna).await, 0);
}

#[tokio::test]
async fn who_orders_twice_at_once_stands_back_with_the_second_also_where_nothing_is_paid() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    sqlx::query("update memes set price = 0").execute(stage.app.pool()).await.unwrap();
    let mut first = stage.app.db.begin().await.unwrap();
    let wish = Wish { user_id: anna.user_id.parse().unwrap(), meme_id: meme };
    activations::place(&mut first, &[wish]).await.unwrap().remove(0).unwrap();
    let waits = async || {
        let waits = "select exists(select from pg_stat_activity
                                   where datname = current_database() and wait_event_type = 'Lock')";
        let waits: bool = sqlx::query_scalar(waits).fetch_one(stage.app.pool()).await.unwrap();
        waits.then_some(())
    };
    let ((), _) = tokio::join!(
        async {
            wait_until("the second order waits for the first", waits).await;
            first.commit().await.unwrap();
        },
        stage.activate(&anna, meme)
    );
    let apart = "select extract(epoch from max(turn_at) - min(turn_at))::float8 from activations";
    let apart: f64 = sqlx::query_scalar(apart).fetch_one(stage.app.pool()).await.unwrap();
    assert!(apart > 15.0, "a viewer's turns are {apart} s apart");
}

#[tokio::test]
async fn a_purchase_that_was_sacrificed_in_a_deadlock_is_made_again_and_nobody_hears_of_it() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 250).await);
    stage.activate(&anna, meme).await;

    // A stranger locks in the opposite order of the house, and lets PostgreSQL take the other one.
    let mut stranger = stage.app.db.begin().await.unwrap();
    for first in ["set local deadlock_timeout = '1min'", "select from event_streams for update"] {
        sqlx::query(first).execute(&mut *stranger).await.unwrap();
    }
    let crosses = async {
        wait_until("the purchase waits", async || {
            let waiting = "select count(*) from pg_stat_activity
                           where datname = current_database() and wait_event_type = 'Lock'";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(stage.app.pool()).await.unwrap();
            (waiting > 0).then_some(())
        })
        .await;
        sqlx::query("select from wallets for update").execute(&mut *stranger).await.unwrap();
        stranger.rollback().await.unwrap();
    };
    let (bought, ()) = tokio::join!(stage.activate_as(&anna, meme, "once"), crosses);
    assert_eq!(bought.status.as_u16(), 200, "{}", bought.text);
    assert_eq!(stage.balance(&anna).await, 50);
}
