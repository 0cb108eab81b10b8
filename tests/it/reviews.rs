//! What viewers send in, and what the channel's team decides about it.

use std::{collections::HashSet, time::Duration};

use domain::media::MediaType;
use harness::{Answer, Events, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    stage::Stage,
    submissions::{Upload, fake, kept, nothing_is_stored, reaches, references, running, stored},
};

/// A picture for the stage's channel.
pub(crate) async fn picture(stage: &Stage) -> Upload {
    Upload::sample(MediaType::Image).await.with("channelId", &stage.channel_id.to_string())
}

/// The viewer's picture, when it can be looked at; its id.
pub(crate) async fn sent_in(stage: &Stage, viewer: &Session) -> String {
    let answer = picture(stage).await.judged(viewer).await.expect(202);
    assert_eq!((&answer["status"], &answer["uploadState"]), (&json!("pending"), &json!("ready")), "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn decide(who: &Session, id: &str, action: &str, body: &Value) -> Answer {
    who.post(&format!("/streamer/submissions/{id}/{action}"), body).await
}

pub(crate) async fn asked_to_change(stage: &Stage, viewer: &Session) -> String {
    let id = sent_in(stage, viewer).await;
    decide(&stage.streamer, &id, "needs-changes", &json!({ "note": "louder" })).await.expect(200);
    id
}

/// Sends it in again with these fields and perhaps another file.
async fn again(viewer: &Session, id: &str, fields: &[(&'static str, &str)], file: Option<&Upload>) -> Answer {
    // An empty form is none.
    let mut form = reqwest::multipart::Form::new().text("notes", "");
    for (name, value) in fields {
        form = form.text(*name, (*value).to_owned());
    }
    if let Some(file) = file {
        form = form.part("file", file.part());
    }
    Session::send(viewer.request(Method::POST, &format!("/submissions/{id}/resubmit")).multipart(form)).await
}

/// The names of all `submission:*` events up to one that is caused here, last.
async fn told(events: &mut Events, stage: &Stage) -> Vec<String> {
    stage.streamer.patch("/streamer/channel/settings", &json!({ "overlayShowSender": true })).await.expect(200);
    let mut names = Vec::new();
    loop {
        match events.next().await {
            event if event.name == "overlay:config" => return names,
            event if event.name.starts_with("submission:") => names.push(event.name),
            _ => {}
        }
    }
}

async fn titles(who: &Session, query: &str) -> Vec<String> {
    let list = who.get(&format!("/streamer/submissions{query}")).await.expect(200);
    list.as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_a_viewer_sends_in_waits_until_the_team_approves_it() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut panel = stage.streamer.events("/streamer/events").await;
    let mut own = anna.events("/me/events").await;
    let id = sent_in(&stage, &anna).await;
    let created = panel.wait_for("submission:created").await.data;
    assert_eq!((&created["submissionId"], &created["submitterId"]), (&json!(id), &json!(anna.user_id)));
    assert_eq!(own.wait_for("submission:created").await.data, created);
    assert_eq!(stage.streamer.get("/channels/demo/memes").await.expect(200), json!([]), "nobody has looked yet");

    let inbox = stage.streamer.get("/streamer/submissions?status=pending").await.expect(200);
    let item = &inbox[0];
    assert_eq!((&item["id"], &item["submitterLogin"], &item["revision"]), (&json!(id), &json!("anna"), &json!(1)));
    let file = stage.app.anonymous().request(Method::GET, item["fileUrl"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(file.status(), 200, "the team looks at it before it decides");
    assert_eq!(decide(&anna, &id, "approve?channel=demo", &json!({})).await.error_code(), "CHANNEL_NOT_FOUND");

    let wish = json!({ "title": "Better", "price": 7, "tags": ["cats"] });
    let approved = decide(&stage.streamer, &id, "approve", &wish).await.expect(200);
    assert_eq!((&approved["status"], &approved["tags"]), (&json!("approved"), &json!(["cats"])));
    let memes = stage.app.anonymous().get("/channels/demo/memes").await.expect(200);
    assert_eq!((&memes[0]["title"], &memes[0]["price"]), (&json!("Better"), &json!(7)));
    assert_eq!(memes[0]["id"], approved["memeId"]);
    for events in [&mut panel, &mut own] {
        let event = events.wait_for("submission:approved").await.data;
        assert_eq!((&event["submissionId"], &event["moderatorId"]), (&json!(id), &json!(stage.streamer.user_id)));
    }
    for action in ["approve", "reject"] {
        let late = decide(&stage.streamer, &id, action, &json!({})).await;
        assert_eq!((late.status.as_u16(), late.error_code()), (409, "SUBMISSION_NOT_PENDING"));
        assert_eq!((&late.json["status"], &late.json["submissionStatus"]), (&json!(409), &json!("approved")));
    }
    assert_eq!(told(&mut panel, &stage).await, [""; 0], "one event a decision");

    let acts = stage.admin.get("/owner/audit?act=approve_submission").await.expect(200);
    let act = &acts["acts"][0];
    assert_eq!((&act["actor"], &act["login"], &act["thing"]), (&json!("user:demo"), &json!("anna"), &json!(id)));
    assert_eq!((&act["before"]["status"], &act["after"]["status"]), (&json!("pending"), &json!("approved")));
    assert_eq!(acts["acts"].as_array().unwrap().len(), 1);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_rejected_is_no_meme_and_leaves_no_file_and_its_sender_reads_why() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut panel = stage.streamer.events("/streamer/events").await;
    let id = sent_in(&stage, &anna).await;
    assert!(!stored(&stage.app).is_empty());
    let note = json!({ "note": "We have it." });
    decide(&stage.streamer, &id, "reject", &note).await.expect(200);
    stage.app.drain().await;
    nothing_is_stored(&stage.app).await;
    assert!(references(&stage.app).await.is_empty());
    let mine = anna.get("/submissions/mine").await.expect(200);
    assert_eq!((&mine[0]["status"], &mine[0]["moderatorNote"]), (&json!("rejected"), &json!("We have it.")));
    assert_eq!(anna.get("/submissions").await.expect(200), mine);
    assert_eq!(anna.get(&format!("/submissions/{id}")).await.expect(200), mine[0]);
    assert_eq!(stage.streamer.get("/channels/demo/memes").await.expect(200), json!([]));
    assert_eq!(decide(&stage.streamer, &id, "approve", &json!({})).await.error_code(), "SUBMISSION_NOT_PENDING");
    assert_eq!(told(&mut panel, &stage).await, ["submission:created", "submission:rejected"]);
}

#[tokio::test]
async fn bytes_that_somebody_else_has_sent_too_stay_when_one_of_the_two_is_rejected() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.app.login("anna", "viewer").await, stage.app.login("bert", "viewer").await);
    let (first, second) = (sent_in(&stage, &anna).await, sent_in(&stage, &bert).await);
    assert_eq!(references(&stage.app).await, [2, 2]);
    decide(&stage.streamer, &first, "reject", &json!({})).await.expect(200);
    stage.app.drain().await;
    assert_eq!(references(&stage.app).await, [1, 1]);
    decide(&stage.streamer, &second, "approve", &json!({})).await.expect(200);
    let memes = stage.streamer.get("/channels/demo/memes").await.expect(200);
    let file = stage.streamer.request(Method::GET, memes[0]["fileUrl"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(file.status(), 200);
}

#[tokio::test]
async fn a_file_that_is_still_worked_on_cannot_be_approved_and_a_rejection_ends_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let script = format!("until [ -e {} ]; do sleep 0.02; done; exec ffmpeg \"$@\"", go.display());
    let slow = fake(folder.path(), &script);
    let stage = Stage::on(TestApp::builder().env("FFMPEG_PATH", &slow).start().await).await;
    let anna = stage.app.login("anna", "viewer").await;
    let accepted = picture(&stage).await.send(&anna, &[]).await.expect(202);
    let id = accepted["id"].as_str().unwrap();
    reaches(&anna, id, "transcoding").await;
    wait_until("the encoder runs", async || (running(&slow) > 0).then_some(())).await;
    for (action, body) in [("approve", json!({})), ("needs-changes", json!({ "note": "louder" }))] {
        let early = decide(&stage.streamer, id, action, &body).await;
        assert_eq!((early.status.as_u16(), early.error_code()), (409, "CONFLICT"));
        let detail = early.json["detail"].as_str().unwrap();
        assert!(detail.starts_with("its file is still being worked on"), "{detail}");
    }
    let rejected = decide(&stage.streamer, id, "reject", &json!({})).await.expect(200);
    assert_eq!((&rejected["uploadState"], &rejected["errorCode"]), (&json!("failed"), &Value::Null));
    std::fs::write(&go, "").unwrap();
    stage.app.drain().await;
    nothing_is_stored(&stage.app).await;
    assert!(references(&stage.app).await.is_empty());
    assert_eq!(anna.get(&format!("/submissions/{id}")).await.expect(200)["status"], "rejected");
}

#[tokio::test]
async fn changes_are_asked_for_in_words_and_what_was_changed_waits_again() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mut own = anna.events("/me/events").await;
    let id = sent_in(&stage, &anna).await;
    for wrong in [json!({}), json!({ "note": "" }), json!({ "note": " " }), json!({ "note": "x".repeat(501) })] {
        let answer = decide(&stage.streamer, &id, "needs-changes", &wrong).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let early = again(&anna, &id, &[("title", "Another")], None).await;
    assert_eq!((early.status.as_u16(), early.error_code()), (409, "CONFLICT"), "it waits");
    decide(&stage.streamer, &id, "needs-changes", &json!({ "note": "louder" })).await.expect(200);
    let seen = anna.get(&format!("/submissions/{id}")).await.expect(200);
    assert_eq!((&seen["status"], &seen["moderatorNote"]), (&json!("needs_changes"), &json!("louder")));

    let bert = stage.app.login("bert", "viewer").await;
    assert_eq!(again(&bert, &id, &[], None).await.error_code(), "SUBMISSION_NOT_FOUND", "it is Anna's");
    let long = again(&anna, &id, &[("title", &"x".repeat(201))], None).await;
    assert_eq!((long.status.as_u16(), long.error_code()), (400, "INVALID_TITLE"));
    let sent = again(&anna, &id, &[("title", "Another"), ("tags", r#"["loud"]"#)], None).await.expect(200);
    assert_eq!((&sent["status"], &sent["revision"]), (&json!("pending"), &json!(2)));
    assert_eq!((&sent["title"], &sent["tags"]), (&json!("Another"), &json!(["loud"])));
    let inbox = stage.streamer.get("/streamer/submissions?status=pending").await.expect(200);
    assert_eq!((&inbox[0]["revision"], &inbox[0]["moderatorNote"]), (&json!(2), &json!("louder")));
    decide(&stage.streamer, &id, "approve", &json!({})).await.expect(200);
    assert_eq!(stage.streamer.get("/channels/demo/memes").await.expect(200)[0]["title"], "Another");
    assert_eq!(again(&anna, &id, &[], None).await.status, 409, "it is approved");
    for name in ["created", "needs_changes", "resubmitted", "approved"] {
        assert_eq!(own.wait_for(&format!("submission:{name}")).await.data["submissionId"], json!(id));
    }
    stage.app.drain().await;
}

#[tokio::test]
async fn a_submission_is_sent_in_again_as_often_as_it_may_be() {
    let stage = Stage::on(TestApp::builder().env("SUBMISSION_MAX_RESUBMITS", "1").start().await).await;
    let anna = stage.app.login("anna", "viewer").await;
    let id = asked_to_change(&stage, &anna).await;
    again(&anna, &id, &[], None).await.expect(200);
    // Nobody is asked for what could not be sent in.
    let over = decide(&stage.streamer, &id, "needs-changes", &json!({ "note": "still too quiet" })).await;
    assert_eq!((over.status.as_u16(), over.error_code()), (409, "CONFLICT"));
    assert_eq!(over.json["detail"], "it was sent in again 1 times, which is as often as it may be");
    assert_eq!(anna.get(&format!("/submissions/{id}")).await.expect(200)["status"], "pending");
    assert_eq!(again(&anna, &id, &[], None).await.error_code(), "CONFLICT");
    decide(&stage.streamer, &id, "approve", &json!({})).await.expect(200);
}

#[tokio::test]
async fn a_decision_that_says_nothing_more_needs_no_body() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    for (action, status) in [("approve", "approved"), ("reject", "rejected")] {
        let id = sent_in(&stage, &anna).await;
        let post = || stage.streamer.request(Method::POST, &format!("/streamer/submissions/{id}/{action}"));
        let song = Session::send(post().header("content-type", "text/plain").body("well")).await;
        assert_eq!(song.status.as_u16(), 415, "{}", song.text);
        let unknown = Session::send(post().json(&json!({ "prise": 1 }))).await;
        assert_eq!(unknown.error_code(), "VALIDATION_ERROR", "{}", unknown.text);
        assert_eq!(Session::send(post()).await.expect(200)["status"], status);
    }
    stage.app.drain().await;
}

#[tokio::test]
async fn what_it_is_called_fits_on_a_line_and_its_tags_are_kept_as_those_of_memes() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    for title in ["\u{202e}gpj.exe", "two\nlines", "bell\u{7}", "\u{2066}a\u{2069}"] {
        let refused = picture(&stage).await.untitled().with("title", title).send(&anna, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "INVALID_TITLE"), "{title:?}");
    }
    let wrong = picture(&stage).await.with("tags", r#"["a\u202eb"]"#).send(&anna, &[]).await;
    assert_eq!((wrong.status.as_u16(), wrong.error_code()), (400, "VALIDATION_ERROR"), "{}", wrong.text);
    let tags = r#"["Коты", " коты ", "Funny   Cat"]"#;
    let sent = picture(&stage).await.with("tags", tags).judged(&anna).await.expect(202);
    assert_eq!(sent["tags"], json!(["коты", "funny cat"]));
    let id = sent["id"].as_str().unwrap();
    assert_eq!(titles(&stage.streamer, "?tag=%D0%9A%D0%BE%D1%82%D1%8B").await.len(), 1, "as it was typed");
    let wish = json!({ "title": "a\u{202e}b" });
    assert_eq!(decide(&stage.streamer, id, "approve", &wish).await.error_code(), "INVALID_TITLE");
    let approved = decide(&stage.streamer, id, "approve", &json!({ "tags": ["Dogs"] })).await.expect(200);
    assert_eq!(approved["tags"], json!(["dogs"]));
    stage.app.drain().await;
}

#[tokio::test]
async fn another_file_takes_the_place_of_the_first_which_goes() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let id = asked_to_change(&stage, &anna).await;
    let before = anna.get(&format!("/submissions/{id}")).await.expect(200);
    let gif = Upload::sample(MediaType::Gif).await;
    let sent = again(&anna, &id, &[], Some(&gif)).await.expect(200);
    assert_eq!((&sent["type"], &sent["uploadState"]), (&json!("gif"), &json!("received")));
    assert_eq!(sent["title"], before["title"], "what is not said stays");
    assert_ne!(sent["fileHash"], before["fileHash"]);
    reaches(&anna, &id, "ready").await;
    stage.app.drain().await;
    assert_eq!((references(&stage.app).await, kept(&stage.app).await), (vec![1, 1], 2), "the picture is gone");
    decide(&stage.streamer, &id, "approve", &json!({})).await.expect(200);
    assert_eq!(stage.streamer.get("/channels/demo/memes").await.expect(200)[0]["type"], "gif");
}

#[tokio::test]
async fn of_two_moderators_who_decide_at_once_one_decides() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let mona = stage.app.login("mona", "viewer").await;
    stage.streamer.put("/streamer/team/mona", &json!({ "role": "moderator" })).await.expect(200);
    for _ in 0..4 {
        let mut panel = stage.streamer.events("/streamer/events").await;
        panel.wait_for("queue:state").await;
        let id = sent_in(&stage, &anna).await;
        let nothing = json!({});
        let (approve, reject) = tokio::join!(
            decide(&stage.streamer, &id, "approve", &nothing),
            decide(&mona, &id, "reject?channel=demo", &nothing),
        );
        let (won, lost) = if approve.status == 200 { (approve, reject) } else { (reject, approve) };
        assert_eq!((won.status.as_u16(), lost.status.as_u16()), (200, 409), "{} {}", won.text, lost.text);
        assert_eq!(
            (lost.error_code(), &lost.json["submissionStatus"]),
            ("SUBMISSION_NOT_PENDING", &won.json["status"])
        );
        let names = told(&mut panel, &stage).await;
        assert_eq!(names, ["submission:created", &format!("submission:{}", won.json["status"].as_str().unwrap())]);
        let acts: i64 = sqlx::query_scalar("select count(*) from people_acts where thing = $1::uuid")
            .bind(&id)
            .fetch_one(stage.app.pool())
            .await
            .unwrap();
        assert_eq!(acts, 1);
    }
    stage.app.drain().await;
}

#[tokio::test]
async fn a_decision_that_is_repeated_under_its_key_is_answered_again() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let id = sent_in(&stage, &anna).await;
    let ask = async |action: &str, body: Value| {
        let path = format!("/streamer/submissions/{id}/{action}");
        let request = stage.streamer.request(Method::POST, &path).header("idempotency-key", "once");
        Session::send(request.json(&body)).await
    };
    let first = ask("approve", json!({ "price": 5 })).await.expect(200);
    assert_eq!(ask("approve", json!({ "price": 5 })).await.expect(200), first);
    let other = ask("reject", json!({})).await;
    assert_eq!((other.status.as_u16(), other.error_code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    let changed = asked_to_change(&stage, &anna).await;
    let resubmit = async || {
        let form = reqwest::multipart::Form::new().text("title", "Again");
        let path = format!("/submissions/{changed}/resubmit");
        Session::send(anna.request(Method::POST, &path).header("idempotency-key", "once").multipart(form)).await
    };
    assert_eq!(resubmit().await.expect(200)["revision"], 2);
    assert_eq!(resubmit().await.expect(200)["revision"], 2);
    stage.app.drain().await;
}

#[tokio::test]
async fn the_inbox_is_searched_by_each_of_its_conditions() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.app.login("anna", "viewer").await, stage.app.login("bert", "viewer").await);
    let of = async |kind: MediaType, title: &str| {
        let sample = Upload::sample(kind).await.untitled().with("title", title);
        sample.with("channelId", &stage.channel_id.to_string())
    };
    let cat = of(MediaType::Image, "A cat").await.with("durationMs", "3000").with("tags", r#"["cats","cute"]"#);
    cat.judged(&anna).await.expect(202);
    stage.app.advance(Duration::from_mins(10)).await;
    let dog = of(MediaType::Image, "A dog").await.with("durationMs", "7000").with("notes", "not a CAT");
    dog.judged(&bert).await.expect(202);
    let clip = of(MediaType::Video, "A clip 100%").await;
    let clip = clip.judged(&anna).await.expect(202);
    let streamer = &stage.streamer;
    decide(streamer, clip["id"].as_str().unwrap(), "approve", &json!({})).await.expect(200);

    let at = clip["createdAt"].as_str().unwrap();
    let bert_is = format!("?submitter={}", bert.user_id);
    for (query, expected) in [
        ("", vec!["A clip 100%", "A dog", "A cat"]),
        ("?status=pending", vec!["A dog", "A cat"]),
        ("?status=approved", vec!["A clip 100%"]),
        ("?submitter=Anna", vec!["A clip 100%", "A cat"]),
        (&bert_is, vec!["A dog"]),
        ("?submitter=nobody", vec![]),
        ("?type=video", vec!["A clip 100%"]),
        ("?tag=cute", vec!["A cat"]),
        ("?tag=cut", vec![]),
        ("?q=cat", vec!["A dog", "A cat"]),
        ("?q=100%25", vec!["A clip 100%"]),
        ("?q=%25", vec!["A clip 100%"]),
        ("?minDurationMs=3001&type=image", vec!["A dog"]),
        ("?maxDurationMs=3000&type=image", vec!["A cat"]),
        (&format!("?from={at}"), vec!["A clip 100%"]),
        (&format!("?to={at}&status=pending&submitter=anna"), vec!["A cat"]),
    ] {
        assert_eq!(titles(streamer, query).await, expected, "{query}");
    }
    for wrong in ["?status=lost", "?type=song", "?from=yesterday", "?cursor=1", "?cursor=x-y", "?limit=0", "?q=%00"] {
        let answer = streamer.get(&format!("/streamer/submissions{wrong}")).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let rival = stage.app.login("rival", "streamer").await;
    assert_eq!(titles(&rival, "").await, [""; 0], "it is another channel's");
    stage.app.drain().await;
}

#[tokio::test]
async fn pages_by_cursor_repeat_nothing_while_others_send_in() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    for _ in 0..5 {
        sent_in(&stage, &anna).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = stage.streamer.get(&format!("/streamer/submissions?limit=2{cursor}")).await;
        let items = page.json.as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        sent_in(&stage, &anna).await;
        match page.headers.get("x-next-cursor") {
            Some(next) => cursor = format!("&cursor={}", next.to_str().unwrap()),
            None => break,
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<HashSet<_>>().len()), (5, 5));
    let page = stage.streamer.get("/streamer/submissions?limit=2&offset=2").await;
    assert_eq!((page.header("x-offset"), page.header("x-has-more"), page.header("x-total-count")), ("2", "true", "8"));
    stage.app.drain().await;
}

#[tokio::test]
async fn an_editors_upload_approves_itself_and_a_moderators_waits() {
    let stage = Stage::open().await;
    for (login, role, status) in [("edda", "editor", 201), ("mona", "moderator", 202)] {
        let member = stage.app.login(login, "viewer").await;
        stage.streamer.put(&format!("/streamer/team/{login}"), &json!({ "role": role })).await.expect(200);
        let answer = picture(&stage).await.judged(&member).await;
        assert_eq!(answer.status.as_u16(), status, "{role}: {}", answer.text);
        let id = answer.json["id"].as_str().unwrap();
        stage.streamer.get(&format!("/submissions/{id}")).await.expect(200);
    }
    stage.app.drain().await;
}

#[tokio::test]
async fn whoever_is_banned_has_nothing_that_waits_any_more() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.app.login("anna", "viewer").await, stage.app.login("bert", "viewer").await);
    let waits = sent_in(&stage, &anna).await;
    let changes = asked_to_change(&stage, &anna).await;
    let approved = sent_in(&stage, &anna).await;
    decide(&stage.streamer, &approved, "approve", &json!({})).await.expect(200);
    let other = sent_in(&stage, &bert).await;
    stage.admin.post(&format!("/owner/users/{}/ban", anna.user_id), &json!({})).await.expect(200);
    stage.app.drain().await;
    for (id, status) in [(&waits, "rejected"), (&changes, "rejected"), (&approved, "approved"), (&other, "pending")] {
        assert_eq!(stage.streamer.get(&format!("/submissions/{id}")).await.expect(200)["status"], status);
    }
    let told = stage.streamer.get(&format!("/submissions/{waits}")).await.expect(200);
    assert_eq!(told["moderatorNote"], "its sender was banned");
    assert!(references(&stage.app).await.iter().sum::<i32>() > 4, "files stay while the ban may be taken back");
    stage.app.advance(std::time::Duration::from_secs(7 * 24 * 3600 + 1)).await;
    stage.app.drain().await;
    assert_eq!(references(&stage.app).await, [2, 2], "the meme, and the other one's");
}

#[tokio::test]
async fn whoever_is_forgotten_leaves_nothing_that_waits_and_no_words_of_it() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let id = sent_in(&stage, &anna).await;
    let changes = asked_to_change(&stage, &anna).await;
    assert_eq!(anna.delete("/users/me").await.status, 202);
    stage.app.drain().await;
    for id in [&id, &changes] {
        let left = stage.streamer.get(&format!("/submissions/{id}")).await.expect(200);
        assert_eq!((&left["status"], &left["title"]), (&json!("rejected"), &json!("")), "{left}");
        assert!(left["moderatorNote"].is_null(), "{left}");
    }
    nothing_is_stored(&stage.app).await;
}
