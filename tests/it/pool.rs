//! What other channels show, looked through and sent in.

use domain::media::MediaType;
use harness::{Answer, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    reviews::decide,
    stage::Stage,
    submissions::{Upload, kept, references},
};

/// A channel with a picture and a GIF, and one that takes from it.
async fn open() -> (Stage, Session, Vec<Value>) {
    let stage = Stage::open().await;
    let other = stage.app.login("other", "streamer").await;
    let mut made = Vec::new();
    for kind in [MediaType::Image, MediaType::Gif] {
        made.push(Upload::sample(kind).await.with("tags", r#"["funny"]"#).judged(&other).await.expect(201));
    }
    stage.app.drain().await;
    (stage, other, made)
}

async fn take(who: &Session, stage: &Stage, wish: &Value) -> Answer {
    let mut wish = wish.clone();
    wish["channelId"] = json!(stage.channel_id);
    who.post("/submissions/pool", &wish).await
}

async fn pool(app: &TestApp, query: &str) -> Vec<Value> {
    app.anonymous().get(&format!("/memes/pool{query}")).await.expect(200).as_array().unwrap().clone()
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (status, code), "{}", answer.text);
}

#[tokio::test]
async fn the_pool_shows_each_file_once_and_not_whose_it_is() {
    let (stage, other, _) = open().await;
    Upload::sample(MediaType::Image).await.judged(&stage.streamer).await.expect(201);
    stage.app.drain().await;
    let all = pool(&stage.app, "").await;
    assert_eq!(all.iter().map(|item| &item["type"]).collect::<Vec<_>>(), [&json!("gif"), &json!("image")], "{all:?}");
    assert_eq!((&all[0]["title"], &all[0]["tags"]), (&json!("A gif"), &json!(["funny"])));
    assert!(all[0]["fileUrl"].is_string() && all[0]["posterUrl"].is_string());
    let text = json!(all).to_string();
    assert!(!text.contains("other") && !text.contains(&other.user_id) && !text.contains("channel"), "{text}");
    assert_eq!(pool(&stage.app, "?type=image").await.len(), 1);
    assert!(pool(&stage.app, "?type=video").await.is_empty());

    let first = stage.app.anonymous().get("/memes/pool?limit=1").await;
    assert_eq!((first.json.as_array().unwrap().len(), first.header("x-has-more")), (1, "true"));
    let next = pool(&stage.app, &format!("?limit=1&cursor={}", first.header("x-next-cursor"))).await;
    assert_eq!(next, all[1..]);
    assert_eq!(pool(&stage.app, "?offset=1").await, all[1..]);
}

#[tokio::test]
async fn the_pool_is_searched_by_words_and_has_nothing_of_who_does_not_share() {
    let (stage, other, made) = open().await;
    let rename = |meme: &Value| format!("/streamer/memes/{}", meme["memeId"].as_str().unwrap());
    other.patch(&rename(&made[0]), &json!({ "title": "Танцующие котики", "tags": ["cats"] })).await.expect(200);
    for (words, found) in [
        ("котик", 1),
        ("танцую", 1),
        ("cat", 1),
        ("котик танк", 0),
        ("funny", 1),
        ("gif", 1),
        ("%21", 0),
        ("channel", 0),
    ] {
        let items = pool(&stage.app, &format!("?q={words}")).await;
        assert_eq!(items.len(), found, "{words}: {items:?}");
    }
    assert!(pool(&stage.app, "?q=cat&type=gif").await.is_empty());
    let own = stage.app.anonymous().get("/public/channels/other/memes/search?q=channel").await.expect(200);
    assert_eq!(own, json!([]), "which is none of its words");
    let long = stage.app.anonymous().get(&format!("/memes/pool?q={}", "a".repeat(201))).await;
    refused(&long, 400, "VALIDATION_ERROR");

    // The file that another channel shows, too, stays, under the words that are there.
    let taken = take(&stage.streamer, &stage, &json!({ "memeId": made[0]["memeId"], "title": "Dance", "tags": [] }))
        .await
        .expect(201);
    stage.app.drain().await;
    let settings = other.patch("/streamer/channel/settings", &json!({ "sharesMemes": false })).await.expect(200);
    assert_eq!(settings["sharesMemes"], false);
    let left = pool(&stage.app, "").await;
    assert_eq!(left.iter().map(|item| &item["title"]).collect::<Vec<_>>(), [&taken["title"]]);
    assert!(pool(&stage.app, "?q=cats").await.is_empty());
    assert_eq!(pool(&stage.app, "?q=dances").await, left);
    refused(&take(&stage.streamer, &stage, &json!({ "memeId": made[1]["memeId"] })).await, 404, "MEME_ASSET_NOT_FOUND");
    other.patch("/streamer/channel/settings", &json!({ "sharesMemes": true })).await.expect(200);
    take(&stage.streamer, &stage, &json!({ "memeId": made[1]["memeId"] })).await.expect(201);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_a_streamer_takes_is_a_meme_at_once_and_its_files_are_shared() {
    let (stage, _, _) = open().await;
    let all = pool(&stage.app, "").await;
    let (files, before) = (kept(&stage.app).await, references(&stage.app).await);
    let taken = take(&stage.streamer, &stage, &json!({ "memeAssetId": all[0]["id"] })).await.expect(201);
    assert_eq!((&taken["title"], &taken["tags"], &taken["type"]), (&json!("A gif"), &json!(["funny"]), &json!("gif")));
    stage.app.drain().await;
    assert_eq!(
        (kept(&stage.app).await, references(&stage.app).await.iter().sum::<i32>()),
        (files, before.iter().sum::<i32>() + 2)
    );
    let memes = stage.streamer.get("/channels/demo/memes").await.expect(200);
    assert_eq!((&memes[0]["id"], &memes[0]["fileUrl"]), (&taken["memeId"], &all[0]["fileUrl"]));
    assert_eq!(memes[0]["posterUrl"], all[0]["posterUrl"], "pictures are shared, too");
    assert_eq!(pool(&stage.app, "").await, all, "the pool has it once");
    let again = take(&stage.streamer, &stage, &json!({ "memeAssetId": all[0]["id"] })).await;
    refused(&again, 409, "ALREADY_IN_CHANNEL");
    let named = json!({ "memeId": taken["memeId"], "title": "Mine", "tags": [], "notes": "" });
    refused(&take(&stage.streamer, &stage, &named).await, 409, "ALREADY_IN_CHANNEL");
}

#[tokio::test]
async fn what_a_viewer_takes_waits_for_the_team_and_goes_without_a_trace() {
    let (stage, _, made) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let rewards = json!({ "submissionRewardCoins": 50 });
    stage.streamer.patch("/streamer/channel/settings", &rewards).await.expect(200);
    let before = references(&stage.app).await;
    let wish = json!({ "memeId": made[0]["memeId"], "title": "Mine", "tags": ["Cats"], "notes": "Please!" });
    let sent = take(&anna, &stage, &wish).await.expect(202);
    assert_eq!(
        (&sent["uploadState"], &sent["status"], &sent["title"]),
        (&json!("ready"), &json!("pending"), &json!("Mine"))
    );
    let inbox = stage.streamer.get("/streamer/submissions?status=pending").await.expect(200);
    assert_eq!((&inbox[0]["id"], &inbox[0]["notes"]), (&sent["id"], &json!("Please!")));
    decide(&stage.streamer, sent["id"].as_str().unwrap(), "reject", &json!({})).await.expect(200);
    stage.app.drain().await;
    assert_eq!(references(&stage.app).await, before);
    assert_eq!(pool(&stage.app, "").await.len(), 2, "where it comes from it stays");

    let sent = take(&anna, &stage, &wish).await.expect(202);
    let approved = decide(&stage.streamer, sent["id"].as_str().unwrap(), "approve", &json!({})).await.expect(200);
    assert!(approved["memeId"].is_string() && approved["fromPool"] == true, "{approved}");
    assert_eq!(approved["rewardCoins"], Value::Null, "nobody is paid for what others have made");
    stage.app.drain().await;
}

#[tokio::test]
async fn the_review_mode_and_the_gates_are_those_of_uploads() {
    let (stage, _, made) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let set = async |patch: Value| stage.streamer.patch("/streamer/channel/settings", &patch).await.expect(200);
    let wish = |made: &Value| json!({ "memeId": made["memeId"] });
    set(json!({ "submissionsEnabled": false })).await;
    refused(&take(&anna, &stage, &wish(&made[0])).await, 403, "SUBMISSIONS_DISABLED");
    set(json!({ "submissionsEnabled": true, "submissionsOnlyWhenLive": true })).await;
    refused(&take(&anna, &stage, &wish(&made[0])).await, 403, "SUBMISSIONS_OFFLINE");
    set(json!({ "submissionsOnlyWhenLive": false, "reviewMode": "flagged" })).await;
    let taken = take(&anna, &stage, &wish(&made[0])).await.expect(201);
    stage.streamer.post("/streamer/blocklist", &json!({ "memeId": taken["memeId"] })).await.expect(200);
    stage.streamer.delete(&format!("/streamer/memes/{}", taken["memeId"].as_str().unwrap())).await.expect(204);
    refused(&take(&anna, &stage, &wish(&made[0])).await, 403, "CONTENT_BLOCKED");
    take(&anna, &stage, &wish(&made[1])).await.expect(201);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_hidden_deleted_or_blocked_everywhere_is_not_in_the_pool() {
    let (stage, other, made) = open().await;
    let all = pool(&stage.app, "").await;
    let (gif, image) = (all[0]["id"].as_str().unwrap().to_owned(), all[1]["id"].as_str().unwrap().to_owned());
    let taken = async |id: &str| take(&stage.streamer, &stage, &json!({ "memeAssetId": id })).await;
    let path = format!("/moderation/meme-assets/{gif}");
    stage.admin.post(&format!("{path}/hide"), &json!({})).await.expect(200);
    assert_eq!(pool(&stage.app, "").await, all[1..]);
    refused(&taken(&gif).await, 404, "MEME_ASSET_NOT_FOUND");
    stage.admin.post(&format!("{path}/unhide"), &json!({})).await.expect(200);
    assert_eq!(pool(&stage.app, "").await, all);

    let block = stage.admin.post("/moderation/blocklist", &json!({ "memeId": made[1]["memeId"] })).await.expect(200);
    assert_eq!(pool(&stage.app, "").await, all[1..]);
    refused(&taken(&gif).await, 404, "MEME_ASSET_NOT_FOUND");
    stage.admin.delete(&format!("/moderation/blocklist/{}", block["id"].as_str().unwrap())).await.expect(204);
    other.delete(&format!("/streamer/memes/{}", made[0]["memeId"].as_str().unwrap())).await.expect(204);
    assert_eq!(pool(&stage.app, "").await, all[..1]);
    refused(&taken(&image).await, 404, "MEME_ASSET_NOT_FOUND");

    // What a channel shows that is closed is on no list.
    stage.admin.post(&format!("/owner/users/{}/ban", other.user_id), &json!({})).await.expect(200);
    assert!(pool(&stage.app, "").await.is_empty());
    refused(&taken(&gif).await, 404, "MEME_ASSET_NOT_FOUND");
    refused(&taken(&Uuid::now_v7().to_string()).await, 404, "MEME_ASSET_NOT_FOUND");
    let unknown = json!({ "memeId": Uuid::now_v7() });
    refused(&take(&stage.streamer, &stage, &unknown).await, 404, "MEME_NOT_FOUND");
    for wrong in [json!({}), json!({ "memeId": Uuid::now_v7(), "memeAssetId": gif })] {
        refused(&take(&stage.streamer, &stage, &wrong).await, 400, "VALIDATION_ERROR");
    }
    stage.app.drain().await;
}

#[tokio::test]
async fn a_request_that_is_repeated_takes_once() {
    let (stage, _, made) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let wish = json!({ "channelId": stage.channel_id, "memeId": made[0]["memeId"] });
    let send = async |wish: &Value| {
        let request = anna.request(Method::POST, "/submissions/pool").header("idempotency-key", "one").json(wish);
        Session::send(request).await
    };
    let first = send(&wish).await.expect(202);
    assert_eq!(send(&wish).await.expect(202)["id"], first["id"]);
    let other = json!({ "channelId": stage.channel_id, "memeId": made[1]["memeId"] });
    refused(&send(&other).await, 422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(anna.get("/submissions/mine").await.expect(200).as_array().unwrap().len(), 1);
    stage.app.drain().await;
}

#[tokio::test]
async fn the_last_of_those_who_show_a_file_takes_it_along() {
    let (stage, _, _) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut sent = Vec::new();
    for item in pool(&stage.app, "").await {
        sent.push(take(&anna, &stage, &json!({ "memeAssetId": item["id"] })).await.expect(202));
    }
    for item in pool(&stage.app, "").await {
        let path = format!("/moderation/meme-assets/{}/delete", item["id"].as_str().unwrap());
        stage.admin.post(&path, &json!({})).await.expect(200);
    }
    stage.app.drain().await;
    // The house deletes the file wherever it is, also where nobody has decided yet.
    for sent in sent {
        let refused = decide(&stage.streamer, sent["id"].as_str().unwrap(), "approve", &json!({})).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "ASSET_PURGED_OR_QUARANTINED"));
        decide(&stage.streamer, sent["id"].as_str().unwrap(), "reject", &json!({})).await.expect(200);
    }
    stage.app.drain().await;
    assert!(kept(&stage.app).await <= 1, "the empty file, which stands where a file was");
}
