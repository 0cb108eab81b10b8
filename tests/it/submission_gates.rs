//! When a channel takes submissions, what of them its team looks at, and decisions about many at once.

use domain::media::MediaType;
use harness::{Answer, Pool, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    reviews::{asked_to_change, decide, picture, sent_in},
    stage::Stage,
    submissions::{Upload, fake, nothing_is_stored, reaches},
};

async fn settings(stage: &Stage, patch: Value) -> Value {
    stage.streamer.patch("/streamer/channel/settings", &patch).await.expect(200)
}

fn refused(answer: &Answer, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (403, code), "{}", answer.text);
}

#[tokio::test]
async fn a_channel_that_takes_no_submissions_refuses_viewers_and_nobody_else() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut public = stage.app.anonymous().events("/channels/demo/events").await;
    settings(&stage, json!({ "submissionsEnabled": false })).await;
    let status = public.wait_for("submissions:status").await.data;
    assert_eq!(status, json!({ "enabled": false, "onlyWhenLive": false }));
    assert_eq!(anna.get("/channels/demo").await.expect(200)["acceptsSubmissions"], false);
    refused(&picture(&stage).await.send(&anna, &[]).await, "SUBMISSIONS_DISABLED");
    nothing_is_stored(&stage.app).await;
    picture(&stage).await.judged(&stage.streamer).await.expect(201);
    settings(&stage, json!({ "submissionsEnabled": true })).await;
    sent_in(&stage, &anna).await;
    stage.app.drain().await;
}

#[tokio::test]
async fn a_channel_can_take_submissions_only_while_its_streamer_is_live() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let live =
        async |live: bool| stage.streamer.put("/streamer/channel/live", &json!({ "live": live })).await.expect(200);
    settings(&stage, json!({ "submissionsOnlyWhenLive": true })).await;
    refused(&picture(&stage).await.send(&anna, &[]).await, "SUBMISSIONS_OFFLINE");
    let since = live(true).await["liveSince"].clone();
    assert!(since.is_string());
    sent_in(&stage, &anna).await;
    assert_eq!(live(true).await["liveSince"], since, "the first word counts");
    assert!(live(false).await["liveSince"].is_null());
    refused(&picture(&stage).await.send(&anna, &[]).await, "SUBMISSIONS_OFFLINE");
    stage.app.drain().await;
}

#[tokio::test]
async fn the_link_for_a_deck_switches_submissions_and_does_nothing_else() {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    let nobody = stage.app.anonymous();
    let link = stage.streamer.get("/streamer/submissions-control/link").await.expect(200);
    let token = link["token"].as_str().unwrap().to_owned();
    assert!(link["toggleUrl"].as_str().unwrap().ends_with(&format!("/public/submissions/toggle?token={token}")));
    let ask = async |method: Method, what: &str, token: &str| {
        Session::send(nobody.request(method, &format!("/public/submissions/{what}?token={token}"))).await
    };
    let mut panel = stage.streamer.events("/streamer/events").await;
    for (what, enabled, news) in
        [("disable", false, true), ("disable", false, false), ("toggle", true, true), ("enable", true, false)]
    {
        assert_eq!(ask(Method::POST, what, &token).await.expect(200)["enabled"], enabled, "{what}");
        assert_eq!(ask(Method::GET, "status", &token).await.expect(200)["enabled"], enabled);
        if news {
            assert_eq!(panel.wait_for("submissions:status").await.data["enabled"], enabled);
        }
    }
    let acts = stage.admin.get("/owner/audit?act=switch_submissions").await.expect(200);
    let last = &acts["acts"][0];
    assert_eq!((&last["actor"], &last["reason"]), (&json!("user:demo"), &json!("by the link")));
    assert_eq!((&last["before"]["enabled"], &last["after"]["enabled"]), (&json!(false), &json!(true)));

    for wrong in ["", "st_1_2", &stage.token, &format!("{token}0")] {
        let answer = ask(Method::POST, "disable", wrong).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (401, "UNAUTHORIZED"), "{wrong:?}");
    }
    let without = Session::send(nobody.request(Method::POST, "/public/submissions/disable")).await;
    assert_eq!((without.status.as_u16(), without.error_code()), (400, "VALIDATION_ERROR"));
    assert_eq!(nobody.with_token(&token).get("/streamer/queue").await.status, 401, "it opens nothing else");
    let next = stage.streamer.post("/streamer/submissions-control/link/rotate", &json!({})).await.expect(200);
    assert_eq!(ask(Method::POST, "disable", &token).await.status, 401, "rotated");
    ask(Method::POST, "disable", next["token"].as_str().unwrap()).await.expect(200);
}

#[tokio::test]
async fn the_link_is_used_fifteen_times_a_minute() {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).env("RATE_LIMIT_FACTOR", "1").start().await).await;
    stage.app.leaves_jobs_behind();
    let link = stage.streamer.get("/streamer/submissions-control/link").await.expect(200);
    let path = format!("/public/submissions/toggle?token={}", link["token"].as_str().unwrap());
    let nobody = stage.app.anonymous();
    for use_ in 1..=15 {
        assert_eq!(Session::send(nobody.request(Method::POST, &path)).await.status, 200, "use {use_}");
    }
    let over = Session::send(nobody.request(Method::POST, &path)).await;
    assert_eq!((over.status.as_u16(), over.error_code()), (429, "TOO_MANY_REQUESTS"));
}

#[tokio::test]
async fn of_whom_something_was_approved_is_no_new_sender() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.app.login("anna", "viewer").await, stage.app.login("bert", "viewer").await);
    let old = sent_in(&stage, &anna).await;
    decide(&stage.streamer, &old, "approve", &json!({})).await.expect(200);
    sent_in(&stage, &anna).await;
    settings(&stage, json!({ "reviewMode": "new_senders" })).await;
    // Another one: what is there already is looked at whoever sends it.
    let gif = Upload::sample(MediaType::Gif).await.with("channelId", &stage.channel_id.to_string());
    assert_eq!(gif.judged(&anna).await.expect(201)["status"], "approved");
    let new = sent_in(&stage, &bert).await;
    decide(&stage.streamer, &new, "reject", &json!({})).await.expect(200);
    sent_in(&stage, &bert).await;
    stage.app.drain().await;
}

#[tokio::test]
async fn where_only_what_was_flagged_is_looked_at_all_else_is_approved() {
    // Nobody works yet, so that a check can come first.
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    settings(&stage, json!({ "reviewMode": "flagged" })).await;
    let anna = stage.app.login("anna", "viewer").await;
    let send = async |kind: MediaType| {
        let file = Upload::sample(kind).await.with("channelId", &stage.channel_id.to_string());
        let sent = file.send(&anna, &[]).await.expect(202);
        sent["id"].as_str().unwrap().to_owned()
    };
    let (plain, flagged) = (send(MediaType::Image).await, send(MediaType::Gif).await);
    sqlx::query("update meme_submissions set flags = '{blocked_words}' where id = $1::uuid")
        .bind(&flagged)
        .execute(stage.app.pool())
        .await
        .unwrap();
    let works = stage.app.beside().pools(&[Pool::Media]).start().await;
    assert_eq!(reaches(&anna, &plain, "ready").await["status"], "approved");
    assert_eq!(reaches(&anna, &flagged, "ready").await["status"], "pending");
    let inbox = stage.streamer.get("/streamer/submissions?status=pending").await.expect(200);
    assert_eq!((&inbox[0]["id"], &inbox[0]["flags"]), (&json!(flagged), &json!(["blocked_words"])));
    works.drain().await;
}

#[tokio::test]
async fn what_trusted_people_send_in_is_approved_by_nobody() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let path = format!("/streamer/trusted-uploaders/{}", anna.user_id);
    let mut panel = stage.streamer.events("/streamer/events").await;
    for _ in 0..2 {
        assert_eq!(stage.streamer.put(&path, &json!({})).await.expect(200)["login"], "anna");
    }
    let list = stage.streamer.get("/streamer/trusted-uploaders").await.expect(200);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["userId"]), (1, &json!(anna.user_id)));
    let sent = picture(&stage).await.judged(&anna).await.expect(201);
    assert_eq!(sent["status"], "approved");
    let event = panel.wait_for("submission:approved").await.data;
    assert!(event["moderatorId"].is_null() && event["memeId"] == sent["memeId"], "{event}");

    stage.streamer.delete(&path).await.expect(204);
    assert_eq!(stage.streamer.delete(&path).await.error_code(), "NOT_FOUND");
    sent_in(&stage, &anna).await;
    let stranger = format!("/streamer/trusted-uploaders/{}", Uuid::now_v7());
    assert_eq!(stage.streamer.put(&stranger, &json!({})).await.error_code(), "NOT_FOUND");
    let acts = stage.admin.get("/owner/audit?act=change_trust&user=anna").await.expect(200);
    let told: Vec<&Value> = acts["acts"].as_array().unwrap().iter().map(|act| &act["after"]["trusted"]).collect();
    assert_eq!(told, [&json!(false), &json!(true)], "what changed nothing is no act");
    stage.app.drain().await;
}

#[tokio::test]
async fn what_was_changed_is_looked_at_again_whoever_sent_it() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let id = asked_to_change(&stage, &anna).await;
    stage.streamer.put(&format!("/streamer/trusted-uploaders/{}", anna.user_id), &json!({})).await.expect(200);
    let gif = Upload::sample(MediaType::Gif).await;
    let form = reqwest::multipart::Form::new().part("file", gif.part());
    let request = anna.request(Method::POST, &format!("/submissions/{id}/resubmit")).multipart(form);
    Session::send(request).await.expect(200);
    assert_eq!(reaches(&anna, &id, "ready").await["status"], "pending");
    stage.app.drain().await;
}

#[tokio::test]
async fn many_are_decided_about_each_by_itself() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut panel = stage.streamer.events("/streamer/events").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(sent_in(&stage, &anna).await);
    }
    decide(&stage.streamer, &ids[1], "approve", &json!({})).await.expect(200);
    let unknown = Uuid::now_v7().to_string();
    let wish = json!({ "ids": [ids[0], ids[1], unknown, ids[2]], "action": "reject", "note": "not today" });
    let ask = async |wish: &Value, key: &str| {
        let request = stage.streamer.request(Method::POST, "/streamer/submissions/bulk");
        Session::send(request.header("idempotency-key", key).json(wish)).await
    };
    let first = ask(&wish, "many").await.expect(200);
    let rejected = |id: &str| json!({ "id": id, "ok": true, "status": "rejected" });
    let results = &first["results"];
    assert_eq!((&results[0], &results[3]), (&rejected(&ids[0]), &rejected(&ids[2])));
    assert_eq!((&results[1]["ok"], &results[1]["errorCode"]), (&json!(false), &json!("SUBMISSION_NOT_PENDING")));
    assert_eq!((&results[2]["ok"], &results[2]["errorCode"]), (&json!(false), &json!("SUBMISSION_NOT_FOUND")));
    assert!(results[2]["detail"].is_string());
    assert_eq!(ask(&wish, "many").await.expect(200), first);
    // As if the first try had been cut off before its answer.
    sqlx::query("delete from idempotency_keys where operation = 'review-all'").execute(stage.app.pool()).await.unwrap();
    assert_eq!(ask(&wish, "many").await.expect(200), first);
    for _ in 0..2 {
        panel.wait_for("submission:rejected").await;
    }
    let acts = stage.admin.get("/owner/audit?act=reject_submission").await.expect(200);
    assert_eq!(acts["acts"].as_array().unwrap().len(), 2);
    assert_eq!(anna.get(&format!("/submissions/{}", ids[2])).await.expect(200)["moderatorNote"], "not today");

    let other = json!({ "ids": [ids[0]], "action": "approve" });
    assert_eq!(ask(&other, "many").await.error_code(), "IDEMPOTENCY_KEY_REUSED");
    for wrong in [
        json!({ "ids": [], "action": "approve" }),
        json!({ "ids": vec![Uuid::nil(); 101], "action": "approve" }),
        json!({ "ids": [ids[0]], "action": "needs_changes" }),
        json!({ "ids": [ids[0]], "action": "approve", "note": "fine" }),
        json!({ "ids": [ids[0]], "action": "burn" }),
    ] {
        let answer = ask(&wrong, "wrong").await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    stage.app.drain().await;
}

#[tokio::test]
async fn the_sender_hears_how_far_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    // As slow as it plays.
    let slow = fake(folder.path(), "exec ffmpeg -re \"$@\"");
    let stage = Stage::on(TestApp::builder().env("FFMPEG_PATH", &slow).start().await).await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut own = anna.events("/me/events").await;
    let video = Upload::sample(MediaType::Video).await.with("channelId", &stage.channel_id.to_string());
    let id = video.send(&anna, &[]).await.expect(202)["id"].clone();
    let halfway = own.wait_for("submission:progress").await.data;
    assert_eq!((&halfway["submissionId"], &halfway["uploadState"]), (&id, &json!("transcoding")));
    let per_cent = halfway["progress"].as_i64().unwrap();
    assert!((1..100).contains(&per_cent), "{halfway}");
    let ready = own.wait_where("it is ready", |event| event.data["uploadState"] == "ready").await;
    assert_eq!((ready.name.as_str(), &ready.data["progress"]), ("submission:progress", &json!(100)));
    stage.app.drain().await;
}
