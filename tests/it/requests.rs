//! Requests that do not fit: what is wrong, and what would fit, in the words of the document.

use futures_util::future::join_all;
use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{matrix::operations, stage::Stage};

#[tokio::test]
async fn a_parameter_that_does_not_fit_is_named_with_what_would_fit() {
    let stage = Stage::open().await;
    let overlay = stage.streamer.get("/streamer/overlay/token").await.expect(200);
    let poll = format!("/overlay/t/{}/poll", overlay["token"].as_str().unwrap());
    let an_id = "an id such as 01a1fc55-e97f-7272-9a0b-3ed5ef258b15 is expected, not";
    for (path, detail) in [
        ("/me/activations/7", format!("id: {an_id} \"7\"")),
        ("/wallet", "channelId: it is missing".to_owned()),
        ("/wallet?channelId=demo", format!("channelId: {an_id} \"demo\"")),
        ("/streamer/queue?limit=many", "limit: a whole number is expected, not \"many\"".to_owned()),
        ("/streamer/queue?limit=201", "limit: 1 to 200".to_owned()),
        (&format!("{poll}?wait=26"), "wait: 26 is not between 0 and 25".to_owned()),
        (&format!("{poll}?wait=-1"), "wait: -1 is not between 0 and 25".to_owned()),
        (&format!("{poll}?screen=t%20v"), "screen: \"t v\" is none of obs, browser".to_owned()),
        ("/streamer/bot/outbox/twitch/last", format!("id: {an_id} \"last\"")),
    ] {
        let answer = stage.streamer.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{path}");
        assert_eq!(answer.json["detail"], detail, "{path}");
    }
    // What no platform is called is no feature of ours, as clients know it.
    let nowhere = stage.streamer.get("/streamer/bot/outbox/icq/01a1fc55-e97f-7272-9a0b-3ed5ef258b15").await;
    assert_eq!((nowhere.status.as_u16(), nowhere.error_code()), (404, "FEATURE_NOT_AVAILABLE"));
    let path = format!("/owner/wallets/{}/here/adjust", stage.streamer.user_id);
    let answer = stage.admin.post(&path, &json!({ "delta": 1, "reason": "gift" })).await;
    assert_eq!(answer.json["detail"], format!("channelId: {an_id} \"here\""));
}

#[tokio::test]
async fn a_field_that_does_not_fit_is_named_with_what_would_fit() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    for (body, detail) in [
        (json!({ "overlayMode": "chaos" }), "overlayMode: \"chaos\" is none of queue, simultaneous"),
        (json!({ "overlayShowSender": "yes" }), "overlayShowSender: true or false is expected, not \"yes\""),
        (json!({ "defaultPrice": "free" }), "defaultPrice: a whole number is expected, not \"free\""),
        (json!({ "name": true }), "name: a text is expected, not true"),
        (json!({ "overlayMaxConcurrent": 6 }), "overlayMaxConcurrent: 6 is not between 1 and 5"),
        (json!(["name"]), "the body: an object is expected, not [\"name\"]"),
    ] {
        let answer = demo.patch("/streamer/channel/settings", &body).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{body}");
        assert_eq!(answer.json["detail"], detail, "{body}");
    }
    let unknown = demo.patch("/streamer/channel/settings", &json!({ "colour": "red" })).await.expect(400);
    assert!(unknown["detail"].as_str().unwrap().starts_with("colour: there is no such field; there are name, "));
    let several = json!({ "defaultPrice": "free", "colour": "red", "overlayMaxConcurrent": 6 });
    let several = demo.patch("/streamer/channel/settings", &several).await.expect(400);
    assert_eq!(several["detail"], "defaultPrice: a whole number is expected, not \"free\"", "the first of them");
    let fields: Vec<_> = several["errors"].as_array().unwrap().iter().map(|fault| fault["field"].clone()).collect();
    assert_eq!(fields, ["defaultPrice", "overlayMaxConcurrent", "colour"]);
    assert_eq!(several["errors"][1]["detail"], "6 is not between 1 and 5");
    let missing = demo.post("/channels", &json!({})).await.expect(400);
    assert_eq!(missing["detail"], "slug: it is missing");
    let nothing_to_say = demo.post("/streamer/bot/say", &json!({ "message": "" })).await.expect(400);
    assert_eq!(nothing_to_say["detail"], "message: it has 0 characters, at least 1 are needed");
}

#[tokio::test]
async fn no_operation_takes_a_field_that_it_does_not_know() {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    let document = stage.app.anonymous().get("/openapi.json").await.expect(200);
    let mut seen = 0;
    for operation in operations(&document).iter().filter(|operation| operation.body.is_some()) {
        let path = operation.path.split('/').map(|part| match part {
            "{pool}" => "media",
            "{provider}" => "twitch",
            "{login}" => "anna",
            "{id}" if operation.path.starts_with("/admin") => "1",
            "{token}" => stage.token.as_str(),
            part if part.starts_with('{') => "01a1fc55-e97f-7272-9a0b-3ed5ef258b15",
            part => part,
        });
        let path = path.collect::<Vec<_>>().join("/");
        let of_the_house = matches!(operation.asker.as_str(), "admin" | "houseModerator");
        let who = if of_the_house { &stage.admin } else { &stage.streamer };
        let mut body = operation.body.clone().unwrap();
        body["refreshToken"] = json!("somewhere else");
        let answer = Session::send(who.request(operation.method.clone(), &path).json(&body)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error_code()),
            (400, "VALIDATION_ERROR"),
            "{}: {}",
            operation.name,
            answer.text
        );
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.starts_with("refreshToken: there is no such field; there are "), "{}: {detail}", operation.name);
        let schema = &document["components"]["schemas"][operation.schema.as_deref().unwrap()];
        assert_eq!(schema["additionalProperties"], false, "{}", operation.name);
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
}

#[tokio::test]
async fn a_field_that_is_null_is_a_field_left_out() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let before = demo.get("/streamer/channel/settings").await.expect(200);
    let nothing = json!({ "name": null, "overlayMode": null, "defaultPrice": null });
    assert_eq!(demo.patch("/streamer/channel/settings", &nothing).await.expect(200), before);
}

#[tokio::test]
async fn a_method_that_is_not_there_is_answered_with_those_that_are() {
    let app = TestApp::builder().pools(&[]).start().await;
    let anybody = app.anonymous();
    for (method, path, allowed) in [
        (Method::TRACE, "/wallet", "GET, HEAD"),
        (Method::DELETE, "/streamer/channel/settings", "GET, PATCH, HEAD"),
        (Method::GET, "/channels", "POST"),
        // A name outranks a parameter.
        (Method::DELETE, "/auth/sessions", "GET, HEAD"),
        (Method::GET, "/auth/sessions/end-others", "POST"),
        (Method::POST, "/openapi.yaml", "GET, HEAD"),
        (Method::GET, "/auth/dev/login", "POST"),
    ] {
        let answer = anybody.request(method.clone(), path).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allowed, "{method} {path}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["errorCode"], "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_told_so() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let send = async |kind: Option<&str>, body: &'static str| {
        let mut request = demo.request(Method::PATCH, "/streamer/channel/settings").body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        harness::Session::send(request).await
    };
    let broken = send(Some("application/json"), "{\"name\":").await.expect(400);
    assert_eq!(broken["detail"], "the body: it is not JSON: EOF while parsing a value at line 1 column 8");
    assert_eq!(send(Some("application/json"), "").await.expect(400)["detail"], "the body: it is missing");
    for (kind, detail) in [
        (Some("text/plain"), "Content-Type: application/json is taken, not \"text/plain\""),
        (None, "Content-Type: it is missing; application/json is taken"),
    ] {
        let answer = send(kind, "{}").await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{kind:?}");
        assert_eq!(answer.json["detail"], detail);
    }
}

#[tokio::test]
async fn a_key_that_is_no_text_is_refused_and_not_overlooked() {
    let stage = Stage::open().await;
    let viewer = stage.viewer("anna", 100).await;
    let path = format!("/memes/{}/activate", stage.meme(1000).await);
    let bytes = |key: &[u8]| reqwest::header::HeaderValue::from_bytes(key).unwrap();
    for keys in [vec![b"caf\xe9".as_slice()], vec!["ключ".as_bytes()], vec![b"two words"], vec![b"one", b"two"]] {
        let mut request = viewer.request(Method::POST, &path);
        for key in &keys {
            request = request.header("idempotency-key", bytes(key));
        }
        let answer = harness::Session::send(request).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{keys:?}");
        let detail = "Idempotency-Key: one key of 1 to 128 visible ASCII characters";
        assert_eq!(answer.json["detail"], detail, "{keys:?}");
    }
    assert_eq!(stage.balance(&viewer).await, 100, "nothing was bought");
}

#[tokio::test]
async fn a_channel_gets_no_slug_of_ours_and_no_name_that_is_not_what_it_seems() {
    let app = TestApp::builder().pools(&[]).start().await;
    let anna = app.login("anna", "viewer").await;
    for slug in ["admin", "API", "overlay", "me", "docs", "health"] {
        let answer = anna.post("/channels", &json!({ "slug": slug })).await.expect(400);
        assert_eq!(answer["detail"], "slug: this word is reserved", "{slug}");
    }
    for slug in ["de\u{200b}mo", "demo\u{200d}", "d\u{435}mo"] {
        anna.post("/channels", &json!({ "slug": slug })).await.expect(400);
    }
    for name in ["\u{200b}", "de\u{200b}mo", "\u{202e}omed", "a\0b"] {
        let answer = anna.post("/channels", &json!({ "slug": "anna", "name": name })).await.expect(400);
        assert!(answer["detail"].as_str().unwrap().starts_with("name: "), "{answer}");
    }
    anna.post("/channels", &json!({ "slug": "anna", "name": "Anna ❤️" })).await.expect(201);
}

#[tokio::test]
async fn a_get_that_does_something_has_no_head() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let head = async |path: &str| Session::send(demo.request(Method::HEAD, path)).await;
    for path in ["/auth/twitch", "/auth/twitch/callback", "/auth/google/link", "/me/events", "/channels/demo/events"] {
        let answer = head(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET"), "{path}");
    }
    for path in ["/me", "/auth/accounts", "/auth/sessions", "/channels/demo", "/health"] {
        assert_eq!(head(path).await.status, 200, "{path}");
    }
    let other = Session::send(demo.request(Method::DELETE, "/me/events")).await;
    assert_eq!((other.status.as_u16(), other.header("allow")), (405, "GET"));
}

/// The same order under one key, from several hands at once and again later: one answer, letter by letter.
async fn ordered_once(streamer: &Session, path: &str, key: &'static str) -> Value {
    let ask = || Session::send(streamer.request(Method::POST, path).header("idempotency-key", key).json(&json!({})));
    let mut answers = join_all((0..8).map(|_| ask())).await;
    answers.push(ask().await);
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text), "{path}: {answers:?}");
    answers[0].json.clone()
}

#[tokio::test]
async fn what_is_ordered_again_under_the_same_key_happens_once() {
    let stage = Stage::open().await;
    let mut screen = stage.screen().await;
    let (meme, anna) = (stage.meme(10_000).await, stage.viewer("anna", 1000).await);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(stage.activate(&anna, meme).await);
    }
    let first = screen.next_item().await.data;
    screen.ack(&first, "started").await.expect(200);

    let skipped = ordered_once(&stage.streamer, "/streamer/queue/skip", "one").await;
    assert_eq!(skipped["id"], json!(ids[0]));
    // A dock asks for the same under its own name.
    assert_eq!(ordered_once(&stage.streamer, "/streamer/dock/queue/skip", "one").await, skipped);
    let second = screen.next_item().await.data;
    screen.ack(&second, "started").await.expect(200);
    let other = format!("/streamer/queue/skip?activationId={}", ids[1]);
    let other = Session::send(stage.streamer.request(Method::POST, &other).header("idempotency-key", "one")).await;
    assert_eq!((other.status.as_u16(), other.error_code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(stage.streamer.get("/streamer/queue/history").await.expect(200).as_array().unwrap().len(), 1);

    let cleared = ordered_once(&stage.streamer, "/streamer/queue/clear", "one").await;
    assert_eq!((&cleared["cleared"], &cleared["refunded"]), (&json!(2), &json!(200)));
    let late = stage.activate(&anna, meme).await;
    assert_eq!(ordered_once(&stage.streamer, "/streamer/dock/queue/clear", "one").await, cleared);
    let waiting = stage.streamer.get("/streamer/queue").await.expect(200);
    assert!(waiting.to_string().contains(&late.to_string()), "what came later is cleared: {waiting}");

    let path = format!("/streamer/test-event?memeId={meme}");
    let shown = ordered_once(&stage.streamer, &path, "one").await;
    let waiting = stage.streamer.get("/streamer/queue").await.expect(200);
    let waiting: Vec<&Value> = waiting["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(waiting, [&json!(late), &shown["id"]]);
    ordered_once(&stage.streamer, "/streamer/queue/clear", "two").await;
    stage.streamer.post("/streamer/queue/skip", &json!({})).await.expect(200);
}

#[tokio::test]
async fn a_twin_of_a_request_that_takes_long_waits_a_while_and_is_told_to_ask_again() {
    let stage = Stage::open().await;
    let skip = async || {
        let request = stage.streamer.request(Method::POST, "/streamer/queue/skip").header("idempotency-key", "one");
        Session::send(request).await
    };
    let mut first = stage.app.pool().begin().await.unwrap();
    sqlx::query("insert into idempotency_keys (actor, operation, key, fingerprint) values ($1, 'skip', 'one', '')")
        .bind(stage.streamer.user_id.parse::<Uuid>().unwrap())
        .execute(&mut *first)
        .await
        .unwrap();
    let twin = skip().await;
    assert_eq!((twin.status.as_u16(), twin.error_code()), (409, "REQUEST_IN_FLIGHT"), "{}", twin.text);
    assert_eq!(twin.header("retry-after"), "1");
    // It came to nothing: the next one is the first.
    first.rollback().await.unwrap();
    assert_eq!(skip().await.error_code(), "CONFLICT");
}

#[tokio::test]
async fn who_logs_in_says_one_name() {
    let app = TestApp::builder().pools(&[]).start().await;
    let both = json!({ "username": "anna", "email": "bert@example.org", "password": "correct horse" });
    let refused = app.anonymous().post("/auth/login", &both).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"));
    assert_eq!(refused.json["detail"], "username and email: one of them, not both");
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": "MemAlerts" });
    let refused = app.anonymous().post("/auth/register", &wish).await.expect(400);
    assert_eq!(refused["detail"], "password: the name of this place is no password");
}
