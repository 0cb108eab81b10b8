//! Promotions: when they count, which one counts, and how often.

use std::time::Duration;

use futures_util::future::join_all;
use harness::Session;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const LATER: &str = "2090-01-01T00:00:00Z";

fn promotion(percent: f64) -> Value {
    json!({ "name": "Friday", "discountPercent": percent, "startDate": LONG_AGO, "endDate": LATER })
}

async fn promote(stage: &Stage, promotion: &Value) -> String {
    stage.streamer.post("/streamer/promotions", promotion).await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// What the viewer pays for the meme.
async fn paid(viewer: &Session, meme: Uuid) -> Value {
    viewer.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200)["finalPrice"].clone()
}

#[tokio::test]
async fn half_of_an_odd_price_is_rounded_up_and_shown_before_it_is_paid() {
    let stage = Stage::open().await;
    stage.streamer.patch("/streamer/channel/settings", &json!({ "defaultPrice": 101 })).await.expect(200);
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 1000).await);
    promote(&stage, &promotion(50.0)).await;
    let offered = anna.get("/channels/demo/memes").await.expect(200)[0].clone();
    assert_eq!((&offered["price"], &offered["finalPrice"]), (&json!(101), &json!(51)));
    let body = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200);
    assert_eq!(
        (&body["originalPrice"], &body["finalPrice"], &body["discountApplied"]),
        (&json!(101), &json!(51), &json!(50))
    );
    assert_eq!(stage.balance(&anna).await, 949);
}

#[tokio::test]
async fn a_promotion_counts_from_its_start_to_its_end_while_it_is_switched_on() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 10_000).await);
    let mut ended = promotion(90.0);
    ended["endDate"] = json!("2020-01-02T00:00:00Z");
    let mut to_come = promotion(80.0);
    to_come["startDate"] = json!("2089-01-01T00:00:00Z");
    let mut off = promotion(70.0);
    off["isActive"] = json!(false);
    for wish in [&ended, &to_come] {
        promote(&stage, wish).await;
    }
    let off = promote(&stage, &off).await;
    assert_eq!(paid(&anna, meme).await, 100);
    stage.streamer.patch(&format!("/streamer/promotions/{off}"), &json!({ "isActive": true })).await.expect(200);
    assert_eq!(paid(&anna, meme).await, 30);
    let soon = "select to_char((app_now() + interval '10 min') at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let soon: String = sqlx::query_scalar(soon).fetch_one(stage.app.pool()).await.unwrap();
    let soon = json!({ "endDate": soon });
    stage.streamer.patch(&format!("/streamer/promotions/{off}"), &soon).await.expect(200);
    assert_eq!(paid(&anna, meme).await, 30);
    stage.app.advance(Duration::from_mins(11)).await;
    assert_eq!(paid(&anna, meme).await, 100);
    let listed = stage.streamer.get("/streamer/promotions").await.expect(200);
    assert!(listed.as_array().unwrap().iter().all(|promotion| promotion["isRunning"] == false), "{listed}");
}

#[tokio::test]
async fn of_several_the_largest_counts_alone() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 1000).await);
    promote(&stage, &promotion(20.0)).await;
    let best = promote(&stage, &promotion(33.33)).await;
    assert_eq!(paid(&anna, meme).await, 67, "100 - floor(33.33)");
    stage.streamer.delete(&format!("/streamer/promotions/{best}")).await.expect(204);
    assert_eq!(paid(&anna, meme).await, 80);
}

#[tokio::test]
async fn a_promotion_that_is_used_up_makes_way_and_a_refund_gives_its_use_back() {
    let stage = Stage::open().await;
    let (meme, anna, boris) =
        (stage.meme(2000).await, stage.viewer("anna", 1000).await, stage.viewer("boris", 1000).await);
    let mut limited = promotion(50.0);
    (limited["maxUses"], limited["maxUsesPerViewer"]) = (json!(2), json!(1));
    let limited = promote(&stage, &limited).await;
    promote(&stage, &promotion(10.0)).await;
    let first = stage.activate(&anna, meme).await;
    assert_eq!(stage.balance(&anna).await, 950);
    let nobody = stage.app.anonymous();
    for (who, price) in [(&anna, 90), (&boris, 50), (&nobody, 50)] {
        let listed = who.get("/channels/demo/memes").await.expect(200);
        assert_eq!(listed[0]["finalPrice"], price, "what is shown is what will be paid");
    }
    assert_eq!(paid(&anna, meme).await, 90, "one is all there is for one viewer");
    assert_eq!(paid(&boris, meme).await, 50);
    let carla = stage.viewer("carla", 1000).await;
    assert_eq!(paid(&carla, meme).await, 90, "used up");
    anna.delete(&format!("/me/activations/{first}")).await.expect(200);
    assert_eq!(stage.balance(&anna).await, 910, "exactly what was paid");
    assert_eq!(paid(&carla, meme).await, 50, "the use came back");
    let listed = stage.streamer.get("/streamer/promotions").await.expect(200);
    let shown = listed.as_array().unwrap().iter().find(|shown| shown["id"] == *limited).unwrap();
    assert_eq!((&shown["uses"], &shown["isRunning"]), (&json!(2), &json!(false)));
}

#[tokio::test]
async fn of_twenty_racers_at_two_processes_exactly_five_get_the_five_uses() {
    let stage = Stage::open().await;
    let other = stage.app.beside().start().await;
    let meme = stage.meme(2000).await;
    let mut limited = promotion(50.0);
    limited["maxUses"] = json!(5);
    promote(&stage, &limited).await;
    let mut racers = Vec::new();
    for number in 0..20 {
        let viewer = stage.viewer(&format!("racer_{number}"), 100).await;
        racers.push(if number % 2 == 0 { viewer } else { viewer.at(&other.base) });
    }
    let paid = join_all(racers.iter().map(|racer| paid(racer, meme))).await;
    assert_eq!(paid.iter().filter(|paid| **paid == 50).count(), 5, "{paid:?}");
    assert_eq!(paid.iter().filter(|paid| **paid == 100).count(), 15, "{paid:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_promotion_is_named() {
    let stage = Stage::open().await;
    for (field, value) in [
        ("name", json!("")),
        ("discountPercent", json!(100.01)),
        ("discountPercent", json!(-1)),
        ("discountPercent", json!(12.345)),
        ("endDate", json!(LONG_AGO)),
        ("maxUses", json!(0)),
        ("maxUsesPerViewer", json!(10_001)),
    ] {
        let mut wrong = promotion(10.0);
        wrong[field] = value;
        let answer = stage.streamer.post("/streamer/promotions", &wrong).await;
        assert_eq!(answer.status.as_u16(), 400, "{wrong}");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.starts_with(field), "{wrong}: {detail}");
    }
    let id = promote(&stage, &promotion(10.0)).await;
    let answer = stage.streamer.patch(&format!("/streamer/promotions/{id}"), &json!({ "endDate": LONG_AGO })).await;
    assert_eq!(answer.status.as_u16(), 400);
    let unchanged = &stage.streamer.get("/streamer/promotions").await.expect(200)[0];
    assert_eq!(unchanged["endDate"], LATER);
}

#[tokio::test]
async fn promotions_are_kept_by_their_channel_and_written_down() {
    let stage = Stage::open().await;
    let mut wish = promotion(25.0);
    wish["maxUses"] = json!(3);
    let make = || {
        let request = stage.streamer.request(Method::POST, "/streamer/promotions").header("idempotency-key", "friday");
        Session::send(request.json(&wish))
    };
    let id = make().await.expect(200)["id"].clone();
    assert_eq!(make().await.expect(200)["id"], id, "the same key makes no second one");
    let path = format!("/streamer/promotions/{}", id.as_str().unwrap());
    let changed = stage.streamer.patch(&path, &json!({ "maxUses": null, "name": "Saturday" })).await.expect(200);
    assert_eq!((&changed["maxUses"], &changed["name"]), (&Value::Null, &json!("Saturday")));
    let stranger = stage.app.login("stranger", "streamer").await;
    for answer in [stranger.patch(&path, &json!({ "name": "Mine" })).await, stranger.delete(&path).await] {
        assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "NOT_FOUND"));
    }
    stage.streamer.delete(&path).await.expect(204);
    assert_eq!(stage.streamer.delete(&path).await.status.as_u16(), 404);
    assert_eq!(stage.streamer.get("/streamer/promotions").await.expect(200), json!([]));
    let acts = stage.admin.get("/owner/audit?channel=demo").await.expect(200);
    let names: Vec<&str> = acts["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["delete_promotion", "change_promotion", "create_promotion"]);
    let change = &acts["acts"][1];
    assert_eq!((&change["before"]["name"], &change["after"]["name"]), (&json!("Friday"), &json!("Saturday")));
}
