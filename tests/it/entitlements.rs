//! Features that not everybody has.

use std::time::Duration;

use harness::{Answer, Session, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

async fn open() -> Stage {
    Stage::on(TestApp::builder().pools(&[]).start().await).await
}

/// As many looks of the overlay as everybody may have, and these more.
async fn put_presets(streamer: &Session, more: usize) -> Answer {
    let preset = |number: usize| json!({ "name": number.to_string(), "styleJson": "{}" });
    let presets: Vec<Value> = (0..30 + more).map(preset).collect();
    streamer.put("/streamer/overlay/presets", &json!({ "presets": presets })).await
}

fn refused(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "ENTITLEMENT_REQUIRED"), "{}", answer.text);
    assert_eq!(answer.json["entitlement"], "more_presets");
}

/// The time of the system, so much later.
async fn later(stage: &Stage, hours: i32) -> String {
    let text =
        "select to_char((app_now() + make_interval(hours => $1)) at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    sqlx::query_scalar(text).bind(hours).fetch_one(stage.app.pool()).await.unwrap()
}

#[tokio::test]
async fn a_feature_is_there_from_its_gift_to_its_end() {
    let stage = open().await;
    put_presets(&stage.streamer, 0).await.expect(200);
    refused(&put_presets(&stage.streamer, 1).await);
    let wish = json!({ "key": "more_presets", "channelId": stage.channel_id, "expiresAt": later(&stage, 2).await });
    let given = stage.admin.post("/owner/entitlements/grant", &wish).await.expect(200);
    assert_eq!((&given["channelSlug"], &given["active"]), (&json!("demo"), &json!(true)));
    put_presets(&stage.streamer, 70).await.expect(200);
    assert_eq!(put_presets(&stage.streamer, 71).await.status.as_u16(), 400, "there is an end to it");
    let mine = stage.streamer.get("/me/entitlements").await.expect(200);
    assert_eq!((&mine[0]["key"], &mine[0]["channelSlug"]), (&json!("more_presets"), &json!("demo")));
    stage.app.advance(Duration::from_hours(3)).await;
    let streamer = stage.app.login("demo", "streamer").await;
    refused(&put_presets(&streamer, 70).await);
    assert_eq!(streamer.get("/me/entitlements").await.expect(200), json!([]));
    let kept = streamer.get("/streamer/overlay/presets").await.expect(200);
    assert_eq!(kept["presets"].as_array().unwrap().len(), 100, "what was made stays");
    put_presets(&streamer, 0).await.expect(200);
    let boss = stage.app.login("boss", "admin").await;
    let listed = boss.get(&format!("/owner/entitlements?channelId={}", stage.channel_id)).await.expect(200);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["active"]), (1, &json!(false)));
}

#[tokio::test]
async fn a_gift_to_a_person_counts_on_their_own_channel_until_it_is_taken_back() {
    let stage = open().await;
    let rival = stage.app.login("rival", "streamer").await;
    let wish = json!({ "key": "more_presets", "userId": stage.streamer.user_id });
    let given = stage.admin.post("/owner/entitlements/grant", &wish).await.expect(200);
    assert_eq!((&given["login"], &given["expiresAt"]), (&json!("demo"), &Value::Null));
    let again = stage.admin.post("/owner/entitlements/grant", &wish).await.expect(200);
    assert_eq!(again["expiresAt"], Value::Null);
    put_presets(&stage.streamer, 1).await.expect(200);
    refused(&put_presets(&rival, 1).await);
    let listed = stage.admin.get("/owner/entitlements").await.expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 1, "one of each");
    stage.admin.post("/owner/entitlements/revoke", &wish).await.expect(204);
    refused(&put_presets(&stage.streamer, 1).await);
    assert_eq!(stage.admin.post("/owner/entitlements/revoke", &wish).await.status.as_u16(), 404);
    let acts = stage.admin.get(&format!("/owner/audit?user={}", stage.streamer.user_id)).await.expect(200);
    let names: Vec<&str> = acts["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["revoke_entitlement", "grant_entitlement"], "what changed nothing was no act");
}

#[tokio::test]
async fn what_is_wrong_with_a_gift_is_named() {
    let stage = open().await;
    let channel = stage.channel_id;
    for (wrong, status) in [
        (json!({ "key": "more_presets" }), 400),
        (json!({ "key": "more_presets", "channelId": channel, "userId": stage.streamer.user_id }), 400),
        (json!({ "key": "flying", "channelId": channel }), 400),
        (json!({ "key": "more_presets", "channelId": channel, "expiresAt": "2020-01-01T00:00:00Z" }), 400),
        (json!({ "key": "more_presets", "channelId": Uuid::now_v7() }), 404),
        (json!({ "key": "more_presets", "userId": Uuid::now_v7() }), 404),
    ] {
        let answer = stage.admin.post("/owner/entitlements/grant", &wrong).await;
        assert_eq!(answer.status.as_u16(), status, "{wrong}: {}", answer.text);
    }
    assert_eq!(stage.admin.get("/owner/entitlements").await.expect(200), json!([]));
}

#[tokio::test]
async fn a_right_to_a_bot_of_its_own_is_given_to_a_channel_by_its_id_or_by_its_account_elsewhere() {
    let stage = open().await;
    let (channel, path) = (stage.channel_id, "/owner/entitlements/custom-bot");
    let entitled = async || {
        let of = stage.admin.get(&format!("{path}?channelId={channel}")).await.expect(200);
        (of["entitled"].as_bool().unwrap(), of["items"].as_array().unwrap().len())
    };
    assert_eq!(entitled().await, (false, 0));
    let wish = json!({ "channelId": channel, "expiresAt": later(&stage, 2).await });
    let given = stage.admin.post(&format!("{path}/grant"), &wish).await.expect(200);
    assert_eq!((&given["key"], &given["channelSlug"]), (&json!("custom_bot"), &json!("demo")));
    assert_eq!(entitled().await, (true, 1));
    assert_eq!(stage.streamer.get("/streamer/entitlements/custom-bot").await.expect(200)["entitled"], true);
    let taking = json!({ "channelId": channel });
    assert_eq!(stage.admin.post(&format!("{path}/revoke"), &taking).await.status, 204);
    assert_eq!(stage.admin.post(&format!("{path}/revoke"), &taking).await.status, 404);
    assert_eq!(entitled().await, (false, 0));

    sqlx::query(
        "update channel_accounts set account = '1337' where channel_id = (select id from channels where slug = 'demo')",
    )
    .execute(stage.app.pool())
    .await
    .unwrap();
    let by = |provider: &str, id: &str| json!({ "provider": provider, "externalId": id });
    let given = stage.admin.post(&format!("{path}/grant-by-provider"), &by("twitch", "1337")).await.expect(200);
    assert_eq!(given["channelId"], json!(channel));
    assert_eq!(entitled().await, (true, 1));
    for (provider, id) in [("twitch", "42"), ("kick", "1337")] {
        let unknown = stage.admin.post(&format!("{path}/grant-by-provider"), &by(provider, id)).await;
        assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "CHANNEL_NOT_FOUND"));
    }
    let nowhere = stage.admin.get(&format!("{path}?channelId={}", Uuid::now_v7())).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.error_code()), (404, "CHANNEL_NOT_FOUND"));
    assert_eq!(stage.streamer.post(&format!("{path}/grant"), &taking).await.status, 403);
    let acts = stage.admin.get("/owner/audit?channel=demo").await.expect(200);
    let names: Vec<&str> = acts["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["grant_entitlement", "revoke_entitlement", "grant_entitlement"]);
}
