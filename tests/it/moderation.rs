//! What the house takes out of sight on all channels, who may, and wallets as the house looks them up.

use harness::Session;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    reviews::{decide, sent_in},
    stage::Stage,
    submissions::references,
};

/// Anna's picture, approved on the stage's channel: its asset as the house sees it, its meme as the channel shows it.
async fn shown(stage: &Stage) -> (Value, Value) {
    let anna = stage.app.login("anna", "viewer").await;
    let id = sent_in(stage, &anna).await;
    decide(&stage.streamer, &id, "approve", &json!({})).await.expect(200);
    let meme = stage.streamer.get("/channels/demo/memes").await.expect(200)[0].clone();
    let asset = stage.admin.get("/moderation/meme-assets").await.expect(200)[0].clone();
    assert_eq!((&asset["fileUrl"], &asset["channelSlug"]), (&meme["fileUrl"], &json!("demo")));
    (asset, meme)
}

async fn act(who: &Session, asset: &Value, action: &str) -> harness::Answer {
    let path = format!("/moderation/meme-assets/{}/{action}", asset["id"].as_str().unwrap());
    who.post(&path, &json!({ "reason": "somebody else's work" })).await
}

async fn served(stage: &Stage, meme: &Value) -> u16 {
    let file = stage.app.anonymous().request(Method::GET, meme["fileUrl"].as_str().unwrap());
    file.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn an_admin_does_it_under_the_names_that_older_panels_know() {
    let stage = Stage::open().await;
    let (asset, meme) = shown(&stage).await;
    assert_eq!(stage.admin.get("/owner/meme-assets").await.expect(200)[0], asset);
    let act = async |who: &Session, action: &str| {
        let path = format!("/owner/meme-assets/{}/{action}", asset["id"].as_str().unwrap());
        Session::send(who.request(Method::POST, &path)).await
    };
    assert_eq!(act(&stage.streamer, "hide").await.error_code(), "FORBIDDEN");
    for back in ["unhide", "restore"] {
        assert!(act(&stage.admin, "hide").await.expect(200)["hiddenAt"].is_string());
        assert_eq!(stage.admin.get("/owner/meme-assets?hidden=true").await.expect(200)[0]["id"], asset["id"]);
        assert!(act(&stage.admin, back).await.expect(200)["hiddenAt"].is_null());
        assert_eq!(served(&stage, &meme).await, 200);
    }
    assert!(act(&stage.admin, "purge").await.expect(200)["deletedAt"].is_string());
    assert_eq!(act(&stage.admin, "restore").await.error_code(), "ASSET_PURGED_OR_QUARANTINED");
    let log = stage.admin.get("/owner/audit?act=hide_asset").await.expect(200);
    assert_eq!(log["acts"].as_array().unwrap().len(), 2);
    stage.app.drain().await;
}

#[tokio::test]
async fn a_channel_is_looked_up_by_what_is_known_of_it() {
    let stage = Stage::open().await;
    let find = async |query: &str| stage.admin.get(&format!("/owner/channels/resolve{query}")).await;
    sqlx::query(
        "update channel_accounts set account = '4711' where channel_id = (select id from channels where slug = 'demo')",
    )
    .execute(stage.app.pool())
    .await
    .unwrap();
    for query in ["?slug=Demo", "?login=DEMO", "?provider=twitch&externalId=4711"] {
        let found = find(query).await.expect(200);
        assert_eq!((&found["id"], &found["slug"]), (&json!(stage.channel_id), &json!("demo")), "{query}");
        assert_eq!(found["ownerId"], json!(stage.streamer.user_id));
    }
    for query in ["?slug=nobody", "?login=nobody", "?provider=kick&externalId=4711"] {
        let unknown = find(query).await;
        assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "CHANNEL_NOT_FOUND"), "{query}");
    }
    for query in ["", "?slug=demo&login=demo", "?provider=twitch", "?slug=%00"] {
        let wrong = find(query).await;
        assert_eq!((wrong.status.as_u16(), wrong.error_code()), (400, "VALIDATION_ERROR"), "{query}");
    }
}

#[tokio::test]
async fn what_is_hidden_is_nowhere_until_it_is_brought_back() {
    let stage = Stage::open().await;
    let (asset, meme) = shown(&stage).await;
    let anna = stage.viewer("anna", 1000).await;
    let activate = format!("/memes/{}/activate", meme["id"].as_str().unwrap());
    anna.put(&format!("/me/favourites/{}", meme["id"].as_str().unwrap()), &json!({})).await.expect(204);
    let hidden = act(&stage.admin, &asset, "hide").await.expect(200);
    assert!(hidden["hiddenAt"].is_string(), "{hidden}");
    let lists = [
        "/channels/demo/memes".to_owned(),
        "/channels/demo/memes?sort=popular".to_owned(),
        "/channels/demo/memes?sort=price".to_owned(),
        "/channels/demo/memes?sort=title".to_owned(),
        "/public/channels/demo/memes".to_owned(),
        "/streamer/memes".to_owned(),
        format!("/me/favourites?channelId={}", stage.channel_id),
    ];
    for list in &lists {
        assert_eq!(stage.streamer.get(list).await.expect(200), json!([]), "{list}");
    }
    assert_eq!(anna.post(&activate, &json!({})).await.error_code(), "MEME_NOT_FOUND");
    assert_eq!(served(&stage, &meme).await, 404);
    assert_eq!(stage.admin.get("/moderation/meme-assets?hidden=true").await.expect(200)[0]["id"], asset["id"]);
    // The same bytes are not let in by another door.
    let boris = stage.app.login("boris", "viewer").await;
    let again = sent_in(&stage, &boris).await;
    let refused = decide(&stage.streamer, &again, "approve", &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "ASSET_PURGED_OR_QUARANTINED"));

    act(&stage.admin, &asset, "unhide").await.expect(200);
    act(&stage.admin, &asset, "unhide").await.expect(200);
    assert_eq!(stage.streamer.get("/channels/demo/memes").await.expect(200)[0]["id"], meme["id"]);
    assert_eq!(served(&stage, &meme).await, 200);
    anna.post(&activate, &json!({})).await.expect(200);
    assert_eq!(stage.admin.get("/moderation/meme-assets?hidden=true").await.expect(200), json!([]));

    let acts = stage.admin.get("/owner/audit").await.expect(200)["acts"].clone();
    let of = |name: &str| acts.as_array().unwrap().iter().filter(|act| act["act"] == name).cloned().collect::<Vec<_>>();
    let (hides, unhides) = (of("hide_asset"), of("unhide_asset"));
    assert_eq!((hides.len(), unhides.len()), (1, 1), "a decision is written down once");
    assert_eq!((&hides[0]["before"]["hidden"], &hides[0]["after"]["hidden"]), (&json!(false), &json!(true)));
    assert_eq!((&hides[0]["thing"], &hides[0]["reason"]), (&asset["id"], &json!("somebody else's work")));
    stage.streamer.post("/streamer/queue/clear", &json!({})).await.expect(200);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_deleted_leaves_no_bytes_and_does_not_come_back() {
    let stage = Stage::open().await;
    let (asset, meme) = shown(&stage).await;
    act(&stage.admin, &asset, "hide").await.expect(200);
    assert!(!references(&stage.app).await.is_empty(), "hidden is not gone");
    let deleted = act(&stage.admin, &asset, "delete").await.expect(200);
    assert!(deleted["deletedAt"].is_string(), "{deleted}");
    stage.app.drain().await;
    let left: Vec<i64> = sqlx::query_scalar("select size from file_hashes").fetch_all(stage.app.pool()).await.unwrap();
    assert_eq!(left, [0], "an empty file stands in its place");
    assert_eq!(served(&stage, &meme).await, 404);
    assert_eq!(stage.streamer.get("/channels/demo/memes").await.expect(200), json!([]));
    for action in ["hide", "unhide", "delete"] {
        let late = act(&stage.admin, &asset, action).await;
        assert_eq!((late.status.as_u16(), late.error_code()), (409, "ASSET_PURGED_OR_QUARANTINED"), "{action}");
    }
    let unknown = json!({ "id": stage.channel_id });
    let missing = act(&stage.admin, &unknown, "hide").await;
    assert_eq!((missing.status.as_u16(), missing.error_code()), (404, "MEME_ASSET_NOT_FOUND"));
}

#[tokio::test]
async fn an_admin_lets_others_moderate_all_channels_and_takes_it_back() {
    let stage = Stage::open().await;
    let (asset, _) = shown(&stage).await;
    let mona = stage.app.login("mona", "viewer").await;
    let list = async || mona.get("/moderation/meme-assets").await.status.as_u16();
    assert_eq!((list().await, act(&stage.streamer, &asset, "hide").await.status.as_u16()), (403, 403));
    let path = |action: &str| format!("/owner/moderators/{}/{action}", mona.user_id);
    let all = stage.admin.post(&path("grant"), &json!({})).await.expect(200);
    assert_eq!((&all[0]["login"], all.as_array().unwrap().len()), (&json!("mona"), 1));
    assert_eq!(stage.admin.get("/owner/moderators").await.expect(200), all);
    assert_eq!(list().await, 200);
    act(&mona, &asset, "hide").await.expect(200);
    assert_eq!(mona.get("/owner/moderators").await.status.as_u16(), 403, "and nothing else that is for admins");
    assert_eq!(stage.admin.post(&path("revoke"), &json!({})).await.expect(200), json!([]));
    assert_eq!((list().await, act(&mona, &asset, "unhide").await.status.as_u16()), (403, 403));
    let acts = stage.admin.get("/owner/audit?act=change_moderator&user=mona").await.expect(200)["acts"].clone();
    assert_eq!((&acts[1]["after"]["moderator"], &acts[0]["after"]["moderator"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn the_house_finds_wallets_by_person_and_by_channel() {
    let stage = Stage::open().await;
    let mut viewers = Vec::new();
    for (login, coins) in [("anna", 10), ("anton", 20), ("boris", 30)] {
        viewers.push(stage.viewer(login, coins).await);
    }
    let found = async |query: &str| -> Vec<(String, i64)> {
        let list = stage.admin.get(&format!("/owner/wallets?{query}")).await.expect(200);
        let of = |wallet: &Value| (wallet["login"].as_str().unwrap().to_owned(), wallet["balance"].as_i64().unwrap());
        list.as_array().unwrap().iter().map(of).collect()
    };
    let all = [("anna".to_owned(), 10), ("anton".to_owned(), 20), ("boris".to_owned(), 30)];
    let (user, channel) = (format!("userId={}", viewers[1].user_id), format!("channelId={}", stage.channel_id));
    assert_eq!(found("").await, all);
    assert_eq!(found(&channel).await, all);
    assert_eq!(found(&user).await, all[1..2]);
    assert_eq!(found(&format!("{user}&{channel}")).await, all[1..2]);
    assert_eq!(found(&format!("channelId={}", viewers[1].user_id)).await, []);
    let page = stage.admin.get(&format!("/owner/wallets?limit=2&{channel}")).await;
    assert_eq!(page.header("x-has-more"), "true");
    assert_eq!(found(&format!("cursor={}", page.header("x-next-cursor"))).await, all[2..]);
    let options = stage.admin.get("/owner/wallets/options?q=AN").await.expect(200);
    assert_eq!((&options["users"][0]["name"], &options["users"][1]["name"]), (&json!("anna"), &json!("anton")));
    assert_eq!((options["users"].as_array().unwrap().len(), &options["channels"]), (2, &json!([])));
    let channels = stage.admin.get("/owner/wallets/options?q=dem").await.expect(200)["channels"].clone();
    assert_eq!(channels, json!([{ "id": stage.channel_id, "name": "demo" }]));
}
