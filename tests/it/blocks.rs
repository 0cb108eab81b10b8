//! What looks like something that is there already, and what is not taken any more.

use domain::media::MediaType;
use harness::{Answer, TestApp};
use serde_json::{Value, json};

use crate::{
    browser::made,
    reviews::sent_in,
    stage::Stage,
    submissions::{Upload, fake, nothing_is_stored, reaches},
};

/// A picture that many colours are in, encoded so.
fn picture(scale: &str, quality: &str) -> Vec<u8> {
    let source = format!("mandelbrot=size=640x360,scale={scale}");
    made(&["-i", &source, "-frames:v", "1", "-q:v", quality], "jpg")
}

fn upload(bytes: &[u8], stage: &Stage) -> Upload {
    Upload::of(bytes, "image/jpeg", "image").with("channelId", &stage.channel_id.to_string())
}

async fn inbox(stage: &Stage, id: &Value) -> Value {
    let list = stage.streamer.get("/streamer/submissions").await.expect(200);
    list.as_array().unwrap().iter().find(|sent| sent["id"] == *id).unwrap().clone()
}

async fn takes_unseen(stage: &Stage) {
    let mode = json!({ "reviewMode": "flagged" });
    stage.streamer.patch("/streamer/channel/settings", &mode).await.expect(200);
}

fn is_blocked(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "CONTENT_BLOCKED"), "{}", answer.text);
}

#[tokio::test]
async fn what_looks_like_a_meme_of_the_channel_waits_for_its_team() {
    let stage = Stage::open().await;
    takes_unseen(&stage).await;
    let anna = stage.app.login("anna", "viewer").await;
    let first = upload(&picture("640:360", "3"), &stage).judged(&anna).await.expect(201);
    let twin = upload(&picture("500:282", "12"), &stage).judged(&anna).await.expect(202);
    let seen = inbox(&stage, &twin["id"]).await;
    assert_eq!((&seen["flags"], &seen["similarMemeId"]), (&json!(["similar_to_meme"]), &first["memeId"]), "{seen}");
    let mine = anna.get("/submissions/mine").await.expect(200);
    assert!(mine[0].get("flags").is_none() && mine[0].get("similarMemeId").is_none(), "for the team only: {mine}");
    let same = upload(&picture("640:360", "3"), &stage).judged(&anna).await.expect(202);
    assert_eq!(
        inbox(&stage, &same["id"]).await["similarMemeId"],
        first["memeId"],
        "the same bytes are as like as can be"
    );
    // Something else is taken, and so is the same once the meme is gone.
    let other = made(&["-i", "testsrc=size=640x360", "-frames:v", "1"], "jpg");
    upload(&other, &stage).judged(&anna).await.expect(201);
    stage.streamer.delete(&format!("/streamer/memes/{}", first["memeId"].as_str().unwrap())).await.expect(204);
    upload(&picture("560:316", "6"), &stage).judged(&anna).await.expect(201);
    stage.app.drain().await;
}

#[tokio::test]
async fn another_channels_meme_is_no_reason_to_wait() {
    let stage = Stage::open().await;
    takes_unseen(&stage).await;
    let other = stage.app.login("other", "streamer").await;
    Upload::of(&picture("640:360", "3"), "image/jpeg", "image").judged(&other).await.expect(201);
    let anna = stage.app.login("anna", "viewer").await;
    upload(&picture("500:282", "12"), &stage).judged(&anna).await.expect(201);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_was_rejected_for_good_is_refused_and_what_looks_like_it_waits() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let sent = upload(&picture("640:360", "3"), &stage).judged(&anna).await.expect(202);
    let path = format!("/streamer/submissions/{}/reject", sent["id"].as_str().unwrap());
    stage.streamer.post(&path, &json!({ "block": true, "note": "Not here." })).await.expect(200);
    stage.app.drain().await;
    nothing_is_stored(&stage.app).await;
    takes_unseen(&stage).await;

    let again = upload(&picture("640:360", "3"), &stage).judged(&anna).await;
    is_blocked(&again);
    let near = upload(&picture("500:282", "12"), &stage).judged(&anna).await.expect(202);
    assert_eq!(inbox(&stage, &near["id"]).await["flags"], json!(["similar_to_blocked"]));
    // Another channel does not care.
    let other = stage.app.login("other", "streamer").await;
    Upload::of(&picture("640:360", "3"), "image/jpeg", "image").judged(&other).await.expect(201);

    let list = stage.streamer.get("/streamer/blocklist").await;
    assert_eq!((list.json.as_array().unwrap().len(), list.header("x-total-count")), (1, "1"));
    assert_eq!((&list.json[0]["fileHash"], &list.json[0]["type"]), (&sent["fileHash"], &json!("image")));
    let id = list.json[0]["id"].as_str().unwrap().to_owned();
    let theirs = other.delete(&format!("/streamer/blocklist/{id}")).await;
    assert_eq!((theirs.status.as_u16(), theirs.error_code()), (404, "NOT_FOUND"));
    stage.streamer.delete(&format!("/streamer/blocklist/{id}")).await.expect(204);
    assert_eq!(stage.streamer.get("/streamer/blocklist").await.expect(200), json!([]));
    upload(&picture("640:360", "3"), &stage).judged(&anna).await.expect(201);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_blocked_everywhere_is_refused_on_every_channel_and_in_the_middle_of_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    std::fs::write(&go, "").unwrap();
    let script = format!("until [ -e {} ]; do sleep 0.02; done; exec ffmpeg \"$@\"", go.display());
    let app = TestApp::builder().env("FFMPEG_PATH", &fake(folder.path(), &script)).start().await;
    let stage = Stage::on(app).await;
    let anna = stage.app.login("anna", "viewer").await;
    let first = sent_in(&stage, &anna).await;
    stage.app.drain().await;
    std::fs::remove_file(&go).unwrap();
    let other = stage.app.login("other", "streamer").await;
    let gif = Upload::sample(MediaType::Gif).await;
    let working = gif.send(&other, &[]).await.expect(202);
    reaches(&other, working["id"].as_str().unwrap(), "transcoding").await;

    let grant = format!("/owner/moderators/{}/grant", anna.user_id);
    assert_eq!(anna.get("/moderation/blocklist").await.error_code(), "FORBIDDEN");
    stage.admin.post(&grant, &json!({})).await.expect(200);
    for wish in [json!({ "submissionId": first }), json!({ "submissionId": working["id"] })] {
        let refused = other.post("/moderation/blocklist", &wish).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (403, "FORBIDDEN"));
        let block = stage.admin.post("/moderation/blocklist", &wish).await.expect(200);
        assert_eq!(anna.post("/moderation/blocklist", &wish).await.expect(200), block, "once");
    }
    let list = anna.get("/moderation/blocklist").await.expect(200);
    assert_eq!(list.as_array().unwrap().len(), 2);
    std::fs::write(&go, "").unwrap();
    let failed = reaches(&other, working["id"].as_str().unwrap(), "failed").await;
    assert_eq!((&failed["status"], &failed["errorCode"]), (&json!("rejected"), &json!("CONTENT_BLOCKED")));
    is_blocked(&Upload::sample(MediaType::Image).await.judged(&other).await);
    is_blocked(&gif.judged(&stage.streamer).await);
    for wrong in [json!({}), json!({ "memeId": first, "submissionId": first })] {
        let refused = stage.admin.post("/moderation/blocklist", &wrong).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"));
    }
    for block in list.as_array().unwrap() {
        stage.admin.delete(&format!("/moderation/blocklist/{}", block["id"].as_str().unwrap())).await.expect(204);
    }
    Upload::sample(MediaType::Image).await.judged(&other).await.expect(201);
    let acts = stage.admin.get("/owner/audit?act=change_blocklist").await.expect(200);
    assert_eq!(acts["acts"].as_array().unwrap().len(), 4, "{acts}");
    let unknown = stage.admin.post("/moderation/blocklist", &json!({ "memeId": first })).await;
    assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "MEME_NOT_FOUND"));
    stage.app.drain().await;
}

#[tokio::test]
async fn what_looks_like_something_blocked_everywhere_is_nobodys_meme_before_the_house_has_seen_it() {
    let stage = Stage::open().await;
    let first = upload(&picture("640:360", "3"), &stage).judged(&stage.streamer).await.expect(201);
    stage.app.drain().await;
    let block = stage.admin.post("/moderation/blocklist", &json!({ "memeId": first["memeId"] })).await.expect(200);
    // The owner's own upload, which needs nobody's approval else.
    let other = stage.app.login("other", "streamer").await;
    let near = Upload::of(&picture("500:282", "12"), "image/jpeg", "image").judged(&other).await.expect(202);
    let seen = other.get("/streamer/submissions").await.expect(200);
    assert_eq!((&seen[0]["id"], &seen[0]["flags"]), (&near["id"], &json!(["similar_to_blocked"])));
    let path = format!("/streamer/submissions/{}/approve", near["id"].as_str().unwrap());
    let refused = other.post(&path, &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "ASSET_PURGED_OR_QUARANTINED"));
    let pool = async || stage.app.anonymous().get("/memes/pool").await.expect(200).as_array().unwrap().len();
    assert_eq!((pool().await, other.get("/channels/other/memes").await.expect(200)), (0, json!([])));

    // It is another one, says the house.
    let hidden = stage.admin.get("/moderation/meme-assets?hidden=true").await.expect(200);
    let asset = hidden.as_array().unwrap().iter().find(|asset| asset["title"] == Value::Null).unwrap();
    let unhide = format!("/moderation/meme-assets/{}/unhide", asset["id"].as_str().unwrap());
    stage.admin.post(&unhide, &json!({})).await.expect(200);
    other.post(&path, &json!({})).await.expect(200);
    assert_eq!((pool().await, other.get("/channels/other/memes").await.expect(200).as_array().unwrap().len()), (1, 1));
    // What the house has seen once needs it no more.
    let third = stage.app.login("third", "streamer").await;
    Upload::of(&picture("500:282", "12"), "image/jpeg", "image").judged(&third).await.expect(201);
    // Nor does anything once the block is gone.
    stage.admin.delete(&format!("/moderation/blocklist/{}", block["id"].as_str().unwrap())).await.expect(204);
    Upload::of(&picture("560:316", "6"), "image/jpeg", "image").judged(&third).await.expect(201);
    stage.app.drain().await;
}

/// What may be blocked is the channel's own.
#[tokio::test]
async fn a_channel_blocks_its_own_memes_and_nobody_elses() {
    let stage = Stage::open().await;
    let other = stage.app.login("other", "streamer").await;
    let made = Upload::sample(MediaType::Image).await.judged(&other).await.expect(201);
    let wish = json!({ "memeId": made["memeId"] });
    let refused = stage.streamer.post("/streamer/blocklist", &wish).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (404, "MEME_NOT_FOUND"));
    other.post("/streamer/blocklist", &wish).await.expect(200);
    is_blocked(&Upload::sample(MediaType::Image).await.judged(&other).await);
    let acts = stage.admin.get("/owner/audit?act=change_blocklist").await.expect(200);
    assert_eq!(acts["acts"].as_array().unwrap().len(), 1, "{acts}");
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_blocked_everywhere_is_shown_nowhere_until_it_is_taken_off_the_list() {
    let stage = Stage::open().await;
    let other = stage.app.login("other", "streamer").await;
    let first = Upload::sample(MediaType::Image).await.judged(&stage.streamer).await.expect(201);
    Upload::sample(MediaType::Image).await.judged(&other).await.expect(201);
    // One that the house has hidden by hand stays so.
    let by_hand = Upload::sample(MediaType::Gif).await.judged(&other).await.expect(201);
    stage.app.drain().await;
    let shown = async || {
        let mut titles = Vec::new();
        for channel in ["demo", "other"] {
            let memes = stage.streamer.get(&format!("/channels/{channel}/memes")).await.expect(200);
            titles.push(memes.as_array().unwrap().len());
        }
        titles
    };
    assert_eq!(shown().await, [1, 2]);
    let anna = stage.viewer("anna", 100).await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let waits = stage.activate(&anna, first["memeId"].as_str().unwrap().parse().unwrap()).await;

    let block = stage.admin.post("/moderation/blocklist", &json!({ "memeId": first["memeId"] })).await.expect(200);
    assert_eq!(shown().await, [0, 1], "the same bytes, on all channels");
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &waits).await["reason"], "taken_down");
    assert_eq!(stage.balance(&anna).await, 100);
    let blocked = stage.admin.post("/moderation/blocklist", &json!({ "memeId": by_hand["memeId"] })).await.expect(200);
    assert_eq!(shown().await, [0, 0]);
    let hidden = stage.admin.get("/moderation/meme-assets?hidden=true").await.expect(200);
    let gif = hidden.as_array().unwrap().iter().find(|asset| asset["type"] == "gif").unwrap();
    let path = |action: &str| format!("/moderation/meme-assets/{}/{action}", gif["id"].as_str().unwrap());
    stage.admin.post(&path("hide"), &json!({})).await.expect(200);

    let lift = async |block: &Value| {
        let path = format!("/moderation/blocklist/{}", block["id"].as_str().unwrap());
        stage.admin.delete(&path).await.expect(204);
    };
    lift(&block).await;
    assert_eq!(shown().await, [1, 1], "back where they were");
    lift(&blocked).await;
    assert_eq!(shown().await, [1, 1], "what somebody has hidden stays hidden");
    stage.admin.post(&path("unhide"), &json!({})).await.expect(200);
    assert_eq!(shown().await, [1, 2]);
    stage.app.advance(std::time::Duration::from_secs(61)).await;
    stage.app.drain().await;
}
