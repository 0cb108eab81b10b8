//! What memes cost and how often they may be played; what a viewer's wallet tells of it.

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, Session};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

async fn change(stage: &Stage, meme: Uuid, change: &Value) -> Value {
    stage.streamer.patch(&format!("/streamer/memes/{meme}"), change).await.expect(200)
}

async fn play(viewer: &Session, meme: Uuid) -> Answer {
    viewer.post(&format!("/memes/{meme}/activate"), &json!({})).await
}

#[tokio::test]
async fn the_price_grows_with_the_length_unless_the_meme_has_its_own() {
    let stage = Stage::open().await;
    let (long, own) = (stage.meme(2500).await, stage.meme(9000).await);
    let anna = stage.viewer("anna", 1000).await;
    let settings = json!({ "defaultPrice": 100, "pricePerSecond": 10 });
    let settings = stage.streamer.patch("/streamer/channel/settings", &settings).await.expect(200);
    assert_eq!(settings["pricePerSecond"], 10);
    change(&stage, own, &json!({ "price": 7 })).await;
    let offered = anna.get("/channels/demo/memes").await.expect(200);
    for (meme, price) in [(long, 130), (own, 7)] {
        let shown = offered.as_array().unwrap().iter().find(|shown| shown["id"] == meme.to_string()).unwrap();
        assert_eq!(shown["price"], price);
        assert_eq!(play(&anna, meme).await.expect(200)["finalPrice"], price, "each second begun costs");
    }
    assert_eq!(stage.balance(&anna).await, 1000 - 130 - 7);
}

#[tokio::test]
async fn a_meme_rests_after_it_was_played() {
    let stage = Stage::open().await;
    let (anna, boris) = (stage.viewer("anna", 1000).await, stage.viewer("boris", 1000).await);
    let meme = stage.meme(2000).await;
    assert_eq!(change(&stage, meme, &json!({ "cooldownSeconds": 60 })).await["cooldownSeconds"], 60);
    let first = stage.activate(&anna, meme).await;
    let refused = play(&boris, meme).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "MEME_ON_COOLDOWN"), "{}", refused.text);
    let seconds = refused.json["retryAfterSeconds"].as_i64().unwrap();
    assert!((50..=60).contains(&seconds), "{seconds}");
    assert_eq!(stage.balance(&boris).await, 1000, "a refusal costs nothing");
    // What is taken back was not played.
    anna.delete(&format!("/me/activations/{first}")).await.expect(200);
    stage.activate(&boris, meme).await;
    stage.app.advance(Duration::from_secs(61)).await;
    stage.activate(&anna, meme).await;
}

#[tokio::test]
async fn a_meme_rests_for_the_viewer_alone_and_never_for_the_owner() {
    let stage = Stage::open().await;
    let (anna, boris) = (stage.viewer("anna", 1000).await, stage.viewer("boris", 1000).await);
    let meme = stage.meme(2000).await;
    change(&stage, meme, &json!({ "viewerCooldownSeconds": 30 })).await;
    stage.activate(&anna, meme).await;
    assert_eq!(play(&anna, meme).await.error_code(), "MEME_ON_COOLDOWN");
    stage.activate(&boris, meme).await;
    for _ in 0..2 {
        stage.activate(&stage.streamer, meme).await;
    }
    stage.app.advance(Duration::from_secs(31)).await;
    stage.activate(&anna, meme).await;
}

#[tokio::test]
async fn a_meme_is_played_so_often_in_a_stream_and_by_a_viewer() {
    let stage = Stage::open().await;
    let (anna, boris) = (stage.viewer("anna", 1000).await, stage.viewer("boris", 1000).await);
    let meme = stage.meme(2000).await;
    change(&stage, meme, &json!({ "maxPerStream": 3, "maxPerViewer": 2 })).await;
    for _ in 0..2 {
        stage.activate(&anna, meme).await;
    }
    let own = play(&anna, meme).await;
    assert_eq!((own.status.as_u16(), own.error_code()), (409, "MEME_PLAYED_OUT"));
    assert_eq!(own.json["most"], 2);
    stage.activate(&boris, meme).await;
    assert_eq!(play(&boris, meme).await.json["most"], 3);
    // Without a stream a day counts as one.
    stage.app.advance(Duration::from_hours(25)).await;
    stage.activate(&anna, meme).await;
    let free = change(&stage, meme, &json!({ "maxPerStream": null, "maxPerViewer": null })).await;
    assert_eq!((&free["maxPerStream"], &free["maxPerViewer"]), (&Value::Null, &Value::Null));
    for _ in 0..3 {
        stage.activate(&anna, meme).await;
    }
}

#[tokio::test]
async fn of_twenty_racers_at_two_processes_exactly_three_play_what_may_be_played_three_times() {
    let stage = Stage::open().await;
    let other = stage.app.beside().start().await;
    let meme = stage.meme(2000).await;
    change(&stage, meme, &json!({ "maxPerStream": 3 })).await;
    let mut racers = Vec::new();
    for number in 0..20 {
        let viewer = stage.viewer(&format!("racer_{number}"), 100).await;
        racers.push(if number % 2 == 0 { viewer } else { viewer.at(&other.base) });
    }
    let answers = join_all(racers.iter().map(|racer| play(racer, meme))).await;
    let codes: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 3, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 409).count(), 17, "{codes:?}");
}

#[tokio::test]
async fn limits_that_make_no_sense_are_named() {
    let stage = Stage::open().await;
    let meme = stage.meme(2000).await;
    for (field, value) in
        [("cooldownSeconds", 86_401), ("viewerCooldownSeconds", -1), ("maxPerStream", 0), ("maxPerViewer", 1001)]
    {
        let answer = stage.streamer.patch(&format!("/streamer/memes/{meme}"), &json!({ field: value })).await;
        assert_eq!(answer.status.as_u16(), 400);
        assert!(answer.json["detail"].as_str().unwrap().starts_with(&format!("{field}:")), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_wallet_tells_every_movement_and_why() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 300).await);
    let kept = stage.activate(&anna, meme).await;
    let back = stage.activate(&anna, meme).await;
    anna.delete(&format!("/me/activations/{back}")).await.expect(200);
    let path = format!("/me/wallet/receipts?channelId={}&limit=3", stage.channel_id);
    let page = anna.get(&path).await.expect(200);
    let told = |page: &Value| -> Vec<(String, i64, i64)> {
        let receipts = page["receipts"].as_array().unwrap().iter();
        receipts
            .map(|receipt| {
                let number = |field: &str| receipt[field].as_i64().unwrap();
                (receipt["kind"].as_str().unwrap().to_owned(), number("amount"), number("balance"))
            })
            .collect()
    };
    let row = |kind: &str, amount, balance| (kind.to_owned(), amount, balance);
    assert_eq!(told(&page), [row("refund", 100, 200), row("place", -100, 100), row("place", -100, 200)]);
    let refund = &page["receipts"][0];
    assert_eq!((&refund["reason"], &refund["activation"]["id"]), (&json!("withdrawn"), &json!(back)));
    assert_eq!(page["receipts"][2]["activation"]["id"], *kept);
    let rest = anna.get(&format!("{path}&before={}", page["next"])).await.expect(200);
    assert_eq!(told(&rest), [row("adjust", 300, 300)]);
    assert_eq!((&rest["receipts"][0]["reason"], &rest["next"]), (&json!("by_hand"), &Value::Null));
    let paid =
        anna.get(&format!("/me/wallet/receipts?channelId={}&kind=place&limit=1", stage.channel_id)).await.expect(200);
    assert_eq!(told(&paid), [row("place", -100, 100)]);
    let path_on = format!("/me/wallet/receipts?channelId={}&kind=place&before={}", stage.channel_id, paid["next"]);
    assert_eq!(told(&anna.get(&path_on).await.expect(200)), [row("place", -100, 200)]);
    let boris = stage.viewer("boris", 0).await;
    assert_eq!(boris.get(&path).await.expect(200)["receipts"], json!([]), "nobody sees another's");
}

#[tokio::test]
async fn all_wallets_tell_their_movements_in_one_list_with_the_words_of_who_adjusted() {
    let stage = Stage::open().await;
    let other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 300).await);
    let there = other.viewer("anna", 50).await;
    let played = stage.activate(&anna, meme).await;
    anna.delete(&format!("/me/activations/{played}")).await.expect(200);
    let told = |receipts: &Value| -> Vec<(String, String, i64)> {
        let receipts = receipts.as_array().unwrap().iter();
        let word = |receipt: &Value, field: &str| receipt[field].as_str().unwrap().to_owned();
        receipts
            .map(|receipt| (word(receipt, "channelSlug"), word(receipt, "kind"), receipt["amount"].as_i64().unwrap()))
            .collect()
    };
    let row = |channel: &str, kind: &str, amount| (channel.to_owned(), kind.to_owned(), amount);
    let all = anna.get("/me/receipts").await.expect(200);
    let wanted = [
        row("demo", "refund", 100),
        row("demo", "place", -100),
        row("other", "adjust", 50),
        row("demo", "adjust", 300),
    ];
    assert_eq!(told(&all), wanted);
    assert_eq!((&all[2]["reason"], &all[2]["note"]), (&json!("by_hand"), &json!("for the story")));
    assert_eq!((&all[2]["channelId"], &all[2]["balance"]), (&json!(other.channel_id), &json!(50)));
    assert_eq!((all[0].get("note"), &all[0]["activation"]["id"]), (None, &json!(played)));
    assert_eq!(there.user_id, anna.user_id);

    // Page by page it is the same list.
    let (mut pages, mut path) = (Vec::new(), "/me/receipts?limit=1".to_owned());
    loop {
        let page = anna.get(&path).await;
        pages.extend(told(&page.json));
        if page.header("x-has-more") == "false" {
            break;
        }
        path = format!("/me/receipts?limit=1&cursor={}", page.header("x-next-cursor"));
    }
    assert_eq!(pages, wanted);
    let adjusted = anna.get("/me/receipts?kind=adjust").await.expect(200);
    assert_eq!(told(&adjusted), wanted[2..]);
    let boris = stage.viewer("boris", 0).await;
    assert_eq!(boris.get("/me/receipts").await.expect(200), json!([]), "nobody sees another's");
    stage.app.drain().await;
}
