//! What subscribers of a channel pay, and when they have their turn.

use std::time::Duration;

use domain::identities::{self, Grant, Identity, Provider, Token};
use harness::Session;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

/// The viewer's account on Twitch.
async fn link(stage: &Stage, who: &Session, account: &str) {
    let identity = Identity {
        provider: Provider::Twitch,
        issuer: "https://platform.example".to_owned(),
        subject: account.to_owned(),
        login: account.to_owned(),
        display_name: account.to_owned(),
        avatar_url: None,
    };
    let access = Token::new("token");
    let grant = Grant { access, refresh: None, lifetime: None, scopes: Vec::new(), device: None };
    let mut tx = stage.app.db.begin().await.unwrap();
    let user = who.user_id.parse().unwrap();
    identities::link(&mut tx, &stage.app.process.vault, user, &identity, &grant).await.unwrap();
    tx.commit().await.unwrap();
}

/// A line of the account's in the channel's chat, with badges.
async fn says(stage: &Stage, channel: Uuid, account: &str, roles: i16) {
    sqlx::query(
        "insert into chat_messages (platform, channel_id, content_id, author_id, author_login, author_name, roles, text, sent_at)
         values ('twitch', $1, $2, $3, $3, $3, $4, 'hello', app_now())",
    )
    .bind(channel)
    .bind(Uuid::now_v7().to_string())
    .bind(account)
    .bind(roles)
    .execute(stage.app.pool())
    .await
    .unwrap();
}

async fn set(stage: &Stage, settings: &Value) -> Value {
    stage.streamer.patch("/streamer/channel/settings", settings).await.expect(200)
}

/// What the list says that it costs, and what it costs.
async fn price(who: &Session, meme: Uuid) -> (Value, Value) {
    let listed = who.get("/channels/demo/memes").await.expect(200);
    let listed = listed.as_array().unwrap().iter().find(|shown| shown["id"] == meme.to_string()).unwrap().clone();
    let placed = who.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200);
    (listed["finalPrice"].clone(), placed["finalPrice"].clone())
}

fn coins(amount: i64) -> (Value, Value) {
    (json!(amount), json!(amount))
}

#[tokio::test]
async fn a_subscriber_pays_less_for_as_long_as_it_shows() {
    let stage = Stage::open().await;
    let other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    // What waits waits on, so that no use of a promotion comes back.
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let settings = set(&stage, &json!({ "subscriberDiscountPercent": 25 })).await;
    assert_eq!((&settings["subscriberDiscountPercent"], &settings["subscriberTurnWeight"]), (&json!(25), &json!(1)));
    assert_eq!(stage.app.anonymous().get("/channels/demo").await.expect(200)["subscriberDiscountPercent"], 25);
    let (meme, anna, bert) =
        (stage.meme(1000).await, stage.viewer("anna", 5000).await, stage.viewer("bert", 5000).await);
    link(&stage, &anna, "100").await;
    link(&stage, &bert, "200").await;
    // A badge of a moderator, and one of a subscriber of another channel.
    says(&stage, stage.channel_id, "100", 2).await;
    says(&stage, other.channel_id, "100", 8).await;
    assert_eq!(price(&anna, meme).await, coins(100));
    says(&stage, stage.channel_id, "100", 10).await;
    assert_eq!(price(&anna, meme).await, coins(75));
    assert_eq!(price(&bert, meme).await, coins(100));

    // Of a promotion and a subscription the better one counts, and only a promotion that counts is used.
    let mut promotions = Vec::new();
    for (percent, uses) in [(20, 5), (50, 1)] {
        let promotion = json!({
            "name": "Friday", "discountPercent": percent, "maxUses": uses,
            "startDate": "2020-01-01T00:00:00Z", "endDate": "2090-01-01T00:00:00Z",
        });
        let made = stage.streamer.post("/streamer/promotions", &promotion).await.expect(200);
        promotions.push(made["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(price(&anna, meme).await, coins(50));
    assert_eq!(price(&anna, meme).await, coins(75));
    let listed = stage.streamer.get("/streamer/promotions").await.expect(200);
    let uses = |percent: f64| {
        let found = listed.as_array().unwrap().iter().find(|one| one["discountPercent"].as_f64() == Some(percent));
        found.expect("the promotion")["uses"].clone()
    };
    assert_eq!((uses(50.0), uses(20.0)), (json!(1), json!(0)));
    assert_eq!(price(&bert, meme).await, coins(80));

    for promotion in promotions {
        stage.streamer.delete(&format!("/streamer/promotions/{promotion}")).await.expect(204);
    }
    stage.app.advance(Duration::from_hours(33 * 24)).await;
    let anna = stage.app.login("anna", "viewer").await;
    assert_eq!(price(&anna, meme).await, coins(100));
    sqlx::query(
        "insert into external_reward_events (id, channel_id, provider, provider_event_id, trigger, account_id, login, display_name,
                                             amount, status, happened_at)
         values ($1, $2, 'twitch', 'one', 'twitch_subscribe', '100', '100', '100', 1, 'observed', app_now())",
    )
    .bind(Uuid::now_v7())
    .bind(stage.channel_id)
    .execute(stage.app.pool())
    .await
    .unwrap();
    assert_eq!(price(&anna, meme).await, coins(75));
    stage.app.drain().await;
}

#[tokio::test]
async fn a_subscribers_next_turn_comes_sooner() {
    let stage = Stage::open().await;
    set(&stage, &json!({ "fairStepSeconds": 3600, "subscriberTurnWeight": 10 })).await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let (meme, anna, bert) = (stage.meme(1000).await, stage.viewer("anna", 500).await, stage.viewer("bert", 500).await);
    link(&stage, &anna, "100").await;
    says(&stage, stage.channel_id, "100", 8).await;
    let mut order = vec![stage.activate(&bert, meme).await, stage.activate(&anna, meme).await];
    let late = stage.activate(&bert, meme).await;
    order.push(stage.activate(&anna, meme).await);
    order.push(late);
    let queue = stage.streamer.get("/streamer/queue").await.expect(200);
    let waiting: Vec<&str> =
        queue["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(waiting, order, "an hour for the one, six minutes for the other");
}

#[tokio::test]
async fn what_is_wrong_with_what_subscribers_have_is_named() {
    let stage = Stage::open().await;
    for (field, wrong) in [
        ("subscriberDiscountPercent", -1),
        ("subscriberDiscountPercent", 101),
        ("subscriberTurnWeight", 0),
        ("subscriberTurnWeight", 11),
    ] {
        let refused = stage.streamer.patch("/streamer/channel/settings", &json!({ field: wrong })).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{field} {wrong}");
        assert!(refused.text.contains(field), "{}", refused.text);
    }
}
