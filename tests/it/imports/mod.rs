//! Memes that are sent in by the address of their file.

mod addresses;
pub(crate) mod host;

use std::time::Duration;

use domain::media::MediaType;
use harness::{Answer, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use self::host::{Host, Reply};
use crate::{
    reviews::decide,
    stage::Stage,
    submissions::{Upload, nothing_is_stored, reaches, references},
};

/// A small file of this kind.
pub(crate) async fn file(kind: MediaType) -> Reply {
    Reply::File(bytes(kind).await)
}

async fn bytes(kind: MediaType) -> Vec<u8> {
    media::sample(&media::Settings::default(), kind).await.expect("ffmpeg makes a sample").bytes
}

/// A channel, a system that fetches, and a host that it fetches from.
async fn open() -> (Stage, Host) {
    with(&[]).await
}

async fn with(settings: &[(&str, &str)]) -> (Stage, Host) {
    let host = Host::open();
    let builder = settings.iter().fold(TestApp::builder(), |builder, (name, value)| builder.env(name, value));
    (Stage::on(host.known_to(builder).start().await).await, host)
}

fn wish(stage: &Stage, url: &str) -> Value {
    json!({ "channelId": stage.channel_id, "url": url })
}

async fn import(who: &Session, wish: &Value, headers: &[(&str, &str)]) -> Answer {
    let request = who.request(Method::POST, "/submissions/import").json(wish);
    Session::send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

/// Sends it in and waits for the verdict.
async fn judged(who: &Session, stage: &Stage, url: &str) -> Answer {
    import(who, &wish(stage, url), &[("prefer", "wait=30")]).await
}

fn id_of(submission: &Value) -> &str {
    submission["id"].as_str().unwrap()
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (status, code), "{}", answer.text);
}

#[tokio::test]
async fn what_is_on_a_known_host_becomes_a_meme_as_if_it_had_been_sent() {
    let (stage, host) = open().await;
    let mut own = stage.streamer.events("/me/events").await;
    for kind in MediaType::ALL {
        let url = host.at(&format!("/my_best%20{kind}?x=1"), &[file(kind).await]);
        let made = judged(&stage.streamer, &stage, &url).await.expect(201);
        assert_eq!((&made["type"], &made["uploadState"]), (&json!(kind.as_str()), &json!("ready")), "{made}");
        assert_eq!((&made["title"], &made["sourceUrl"]), (&json!(format!("my best {kind}")), &json!(url)));
        assert_eq!(made["fileSize"], bytes(kind).await.len());
        for name in ["submission:created", "submission:approved"] {
            assert_eq!(own.wait_for(name).await.data["submissionId"], made["id"]);
        }
    }
    let memes = stage.streamer.get("/channels/demo/memes").await.expect(200);
    assert_eq!(memes.as_array().unwrap().len(), 4);
    assert!(host.asked().iter().all(|line| line.ends_with(" media.test")), "{:?}", host.asked());
    stage.app.drain().await;
}

#[tokio::test]
async fn a_viewers_waits_for_the_team_which_sees_where_it_comes_from() {
    let (stage, host) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let url = host.at("/a.png", &[file(MediaType::Image).await]);
    let wish = json!({
        "channelId": stage.channel_id, "url": url, "title": "Mine", "notes": "Look!", "tags": ["Cats"], "durationMs": 3000,
    });
    let sent = import(&anna, &wish, &[]).await.expect(202);
    assert_eq!(
        (&sent["uploadState"], &sent["title"], &sent["tags"]),
        (&json!("received"), &json!("Mine"), &json!(["cats"]))
    );
    assert_eq!((sent.get("fileHash"), &sent["fileSize"]), (None, &json!(0)), "nobody has its bytes yet");
    let ready = reaches(&anna, id_of(&sent), "ready").await;
    assert_eq!((&ready["status"], &ready["type"]), (&json!("pending"), &json!("image")));
    assert_eq!(ready["fileHash"].as_str().map(str::len), Some(64));
    let inbox = stage.streamer.get("/streamer/submissions?status=pending").await.expect(200);
    assert_eq!((&inbox[0]["sourceUrl"], &inbox[0]["durationMs"]), (&json!(url), &json!(3000)));
    decide(&stage.streamer, id_of(&sent), "approve", &json!({})).await.expect(200);
    // The same bytes by hand are the same file.
    Upload::sample(MediaType::Image).await.judged(&stage.streamer).await.expect(201);
    stage.app.drain().await;
    assert_eq!(references(&stage.app).await, [2, 2]);
}

#[tokio::test]
async fn what_is_not_on_a_known_host_is_refused_at_once() {
    let (stage, host) = open().await;
    for url in [
        "",
        "clip.mp4",
        "http://media.test/a",
        "https://media.test:8443/a",
        "https://me@media.test/a",
        "https://other.test/a",
        "https://cdn.test/a",
        "https://media.test./a",
        "https://127.0.0.1/a",
        "https://media.test/a b",
        "file:///etc/passwd",
    ] {
        let answer = import(&stage.streamer, &wish(&stage, url), &[]).await;
        let code = if url.is_empty() { "VALIDATION_ERROR" } else { "INVALID_MEDIA_URL" };
        refused(&answer, 400, code);
    }
    let long = format!("https://media.test/{}", "x".repeat(2000));
    refused(&import(&stage.streamer, &wish(&stage, &long), &[]).await, 400, "VALIDATION_ERROR");
    let mut titled = wish(&stage, "https://media.test/a");
    titled["title"] = json!("x".repeat(201));
    refused(&import(&stage.streamer, &titled, &[]).await, 400, "INVALID_TITLE");
    assert_eq!(stage.streamer.get("/submissions/mine").await.expect(200), json!([]));
    assert!(host.asked().is_empty());
}

#[tokio::test]
async fn where_no_host_is_known_nothing_is_fetched() {
    let stage = Stage::open().await;
    refused(&import(&stage.streamer, &wish(&stage, "https://media.test/a"), &[]).await, 404, "FEATURE_NOT_AVAILABLE");
}

#[tokio::test]
async fn redirects_are_followed_to_known_hosts_a_few_times() {
    let (stage, host) = open().await;
    host.at("/there.gif", &[file(MediaType::Gif).await]);
    host.at("/second", &[Reply::Redirect("https://a.cdn.test/there.gif".to_owned())]);
    let first = host.at("/first", &[Reply::Redirect("/second".to_owned())]);
    judged(&stage.streamer, &stage, &first).await.expect(201);
    assert_eq!(host.asked(), ["/first media.test", "/second media.test", "/there.gif a.cdn.test"]);

    for (path, to) in [
        ("/off", "https://other.test/a"),
        ("/clear", "http://media.test/there.gif"),
        ("/port", "https://media.test:444/there.gif"),
        ("/round", "/round"),
        ("/nowhere", "https://"),
    ] {
        let url = host.at(path, &[Reply::Redirect(to.to_owned())]);
        refused(&judged(&stage.streamer, &stage, &url).await, 400, "INVALID_MEDIA_URL");
    }
    assert_eq!(host.asked().iter().filter(|line| line.starts_with("/round")).count(), 6);
    stage.app.drain().await;
}

#[tokio::test]
async fn a_file_that_is_too_large_or_no_meme_leaves_nothing() {
    let (stage, host) = with(&[("MAX_UPLOAD_BYTES", "100000")]).await;
    let begin = bytes(MediaType::Image).await;
    for (path, reply, status, code) in [
        ("/large", Reply::File(vec![0; 100_001]), 413, "FILE_TOO_LARGE"),
        ("/said", Reply::Torn(begin.clone(), 100_001), 413, "FILE_TOO_LARGE"),
        ("/endless", Reply::Endless(begin.clone()), 413, "FILE_TOO_LARGE"),
        ("/page", Reply::File(b"<!doctype html><video src=a.mp4>".to_vec()), 400, "INVALID_FILE_CONTENT"),
        ("/nothing", Reply::File(Vec::new()), 400, "INVALID_FILE_CONTENT"),
        ("/half", Reply::File(begin[..begin.len() / 2].to_vec()), 400, "INVALID_FILE_CONTENT"),
    ] {
        let url = host.at(path, &[reply]);
        let answer = judged(&stage.streamer, &stage, &url).await;
        refused(&answer, status, code);
        let id = answer.json["submissionId"].as_str().unwrap();
        let failed = stage.streamer.get(&format!("/submissions/{id}")).await.expect(200);
        assert_eq!((&failed["status"], &failed["errorCode"]), (&json!("rejected"), &json!(code)), "{path}");
        assert!(failed["errorDetail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    stage.app.drain().await;
    nothing_is_stored(&stage.app).await;
    assert_eq!(references(&stage.app).await, [0_i32; 0]);
}

#[tokio::test]
async fn what_is_not_there_is_not_asked_for_again() {
    let (stage, host) = open().await;
    for (path, status) in [("/404", 404), ("/403", 403), ("/410", 410), ("/204", 204), ("/304", 304)] {
        let url = host.at(path, &[Reply::Status(status, "")]);
        let answer = judged(&stage.streamer, &stage, &url).await;
        refused(&answer, 404, "MEDIA_NOT_AVAILABLE");
        assert!(answer.text.contains(&status.to_string()), "{}", answer.text);
    }
    stage.app.drain().await;
    assert_eq!(host.asked().len(), 5);
}

/// Moves the clock on until the host was asked so often.
async fn asked(stage: &Stage, host: &Host, times: usize) {
    wait_until(&format!("the host is asked {times} times"), async || {
        stage.app.drain().await;
        if host.asked().len() >= times {
            return Some(());
        }
        stage.app.advance(Duration::from_secs(800)).await;
        None
    })
    .await;
}

#[tokio::test]
async fn a_host_that_is_away_is_asked_again_until_it_is_there() {
    let (stage, host) = open().await;
    let gif = bytes(MediaType::Gif).await;
    let half = Reply::Torn(gif[..gif.len() / 2].to_vec(), gif.len());
    let replies = [Reply::Status(503, ""), Reply::Status(429, "retry-after: 60\r\n"), half, Reply::File(gif)];
    let url = host.at("/a.gif", &replies);
    let sent = import(&stage.streamer, &wish(&stage, &url), &[]).await.expect(202);
    stage.app.drain().await;
    let waits = stage.streamer.get(&format!("/submissions/{}", id_of(&sent))).await.expect(200);
    assert_eq!((&waits["uploadState"], &waits["fileSize"]), (&json!("received"), &json!(0)));
    asked(&stage, &host, 4).await;
    assert_eq!(reaches(&stage.streamer, id_of(&sent), "ready").await["type"], "gif");
    stage.app.drain().await;
    assert_eq!(references(&stage.app).await, [1, 1], "of what came before nothing is kept");
}

#[tokio::test]
async fn a_host_that_stays_away_is_given_up_after_six_times_and_the_sender_hears_why() {
    let (stage, host) = open().await;
    let mut own = stage.streamer.events("/me/events").await;
    let url = host.at("/a.gif", &[Reply::Status(502, "")]);
    let sent = import(&stage.streamer, &wish(&stage, &url), &[]).await.expect(202);
    asked(&stage, &host, 6).await;
    let failed = reaches(&stage.streamer, id_of(&sent), "failed").await;
    assert_eq!(failed["errorCode"], "MEDIA_NOT_AVAILABLE");
    assert!(failed["errorDetail"].as_str().unwrap().contains("502"), "{failed}");
    assert_eq!(own.wait_for("submission:rejected").await.data["errorCode"], "MEDIA_NOT_AVAILABLE");
    stage.app.advance(Duration::from_secs(7200)).await;
    stage.app.drain().await;
    assert_eq!(host.asked().len(), 6);
}

#[tokio::test]
async fn a_host_that_says_nothing_is_left_after_a_while() {
    let (stage, host) = with(&[("IMPORT_TIMEOUT_MS", "300")]).await;
    let url = host.at("/a.gif", &[Reply::Silence, file(MediaType::Gif).await]);
    let sent = import(&stage.streamer, &wish(&stage, &url), &[]).await.expect(202);
    asked(&stage, &host, 2).await;
    reaches(&stage.streamer, id_of(&sent), "ready").await;
    stage.app.drain().await;
}

#[tokio::test]
async fn the_gates_of_the_channel_are_those_of_uploads() {
    let (stage, host) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let url = host.at("/a.png", &[file(MediaType::Image).await]);
    let set = async |patch: Value| stage.streamer.patch("/streamer/channel/settings", &patch).await.expect(200);
    set(json!({ "submissionsEnabled": false })).await;
    refused(&judged(&anna, &stage, &url).await, 403, "SUBMISSIONS_DISABLED");
    set(json!({ "submissionsEnabled": true, "submissionsOnlyWhenLive": true })).await;
    refused(&judged(&anna, &stage, &url).await, 403, "SUBMISSIONS_OFFLINE");
    assert!(host.asked().is_empty());
    set(json!({ "submissionsOnlyWhenLive": false, "reviewMode": "flagged" })).await;
    let made = judged(&anna, &stage, &url).await.expect(201);
    refused(&import(&anna, &json!({ "url": url }), &[]).await, 400, "MISSING_CHANNEL_ID");

    stage.streamer.post("/streamer/blocklist", &json!({ "memeId": made["memeId"] })).await.expect(200);
    refused(&judged(&anna, &stage, &url).await, 403, "CONTENT_BLOCKED");
    stage.app.drain().await;
    assert_eq!(references(&stage.app).await, [1, 1]);
}

#[tokio::test]
async fn what_is_rejected_while_it_is_fetched_is_not_kept() {
    let (stage, host) = open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let url = host.at("/a.png", &[Reply::Status(503, ""), file(MediaType::Image).await]);
    let sent = import(&anna, &wish(&stage, &url), &[]).await.expect(202);
    stage.app.drain().await;
    // Nobody knows what it is.
    let blocked = decide(&stage.streamer, id_of(&sent), "reject", &json!({ "block": true })).await;
    refused(&blocked, 409, "CONFLICT");
    decide(&stage.streamer, id_of(&sent), "reject", &json!({})).await.expect(200);
    stage.app.advance(Duration::from_secs(60)).await;
    stage.app.drain().await;
    assert_eq!(host.asked().len(), 1);
    let rejected = anna.get(&format!("/submissions/{}", id_of(&sent))).await.expect(200);
    assert_eq!((&rejected["status"], &rejected["errorCode"]), (&json!("rejected"), &Value::Null));
    nothing_is_stored(&stage.app).await;
}

#[tokio::test]
async fn the_same_idempotency_key_makes_one_submission() {
    let (stage, host) = open().await;
    let url = host.at("/a.png", &[file(MediaType::Image).await]);
    let key = [("idempotency-key", "one"), ("prefer", "wait=30")];
    let wish = wish(&stage, &url);
    let racers = futures_util::future::join_all((0..4).map(|_| import(&stage.streamer, &wish, &key))).await;
    let ids: std::collections::HashSet<&str> = racers.iter().map(|answer| id_of(&answer.json)).collect();
    assert_eq!(ids.len(), 1, "{racers:?}");
    let mut other = wish.clone();
    other["notes"] = json!("another question");
    refused(&import(&stage.streamer, &other, &key).await, 422, "IDEMPOTENCY_KEY_REUSED");
    stage.app.drain().await;
    assert_eq!(host.asked().len(), 1);
}
