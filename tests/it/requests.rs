//! Requests that do not fit: what is wrong, and what would fit, in the words of the document.

use harness::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::stage::Stage;

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
        (
            "/streamer/bot/outbox/icq/01a1fc55-e97f-7272-9a0b-3ed5ef258b15",
            "provider: \"icq\" is none of twitch, vkvideo, youtube, trovo, kick".to_owned(),
        ),
        ("/streamer/bot/outbox/twitch/last", format!("id: {an_id} \"last\"")),
    ] {
        let answer = stage.streamer.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{path}");
        assert_eq!(answer.json["detail"], detail, "{path}");
    }
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
    let missing = demo.post("/channels", &json!({})).await.expect(400);
    assert_eq!(missing["detail"], "slug: it is missing");
    let nothing_to_say = demo.post("/streamer/bot/say", &json!({ "message": "" })).await.expect(400);
    assert_eq!(nothing_to_say["detail"], "message: it has 0 characters, at least 1 are needed");
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
