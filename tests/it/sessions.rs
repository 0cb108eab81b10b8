//! Who one is, and that nobody else's word counts.

use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn whoever_logs_in_is_known_by_the_session() {
    let app = TestApp::start().await;
    let anna = app.login("anna", "viewer").await;
    let me = anna.get("/me").await.expect(200);
    assert_eq!(me["login"], "anna", "{me}");
    app.drain().await;
}

#[tokio::test]
async fn a_person_without_a_session_is_told_so() {
    let app = TestApp::start().await;
    let answer = app.anonymous().get("/me").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (401, "UNAUTHORIZED"));
}

#[tokio::test]
async fn an_admin_sees_every_pool_with_the_policy_of_its_jobs_and_nobody_else_does() {
    let app = TestApp::start().await;
    let admin = app.login("boss", "admin").await;
    let queues = admin.get("/admin/queues").await.expect(200);
    let pools: Vec<&str> = queues.as_array().unwrap().iter().map(|queue| queue["pool"].as_str().unwrap()).collect();
    for pool in ["chat", "credits", "dispatch", "media", "outbox"] {
        assert!(pools.contains(&pool), "{pools:?}");
    }
    let dispatch = queues.as_array().unwrap().iter().find(|queue| queue["pool"] == "dispatch").unwrap();
    let advance = dispatch["kinds"].as_array().unwrap().iter().find(|kind| kind["name"] == "advance-playback").unwrap();
    assert_eq!((&advance["maxAttempts"], &advance["backoffCapSeconds"]), (&json!(5), &json!(10.0)), "{advance}");
    for (login, role) in [("anna", "viewer"), ("demo", "streamer")] {
        assert_eq!(app.login(login, role).await.get("/admin/queues").await.status.as_u16(), 403);
    }
}

#[tokio::test]
async fn a_foreign_site_cannot_act_with_the_cookie_of_a_browser() {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let nobody = app.anonymous();
    let host = app.base.strip_prefix("http://").unwrap().to_owned();
    let act = |headers: Vec<(&'static str, String)>| {
        let mut request = nobody.request(Method::POST, "/streamer/queue/clear");
        request = request.header("cookie", format!("token_dev={}", demo.token.as_deref().unwrap()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Session::send(request)
    };
    for headers in [
        vec![],
        vec![("origin", "https://evil.example".to_owned())],
        vec![("origin", "null".to_owned())],
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![("sec-fetch-site", "same-site".to_owned()), ("origin", format!("http://{host}"))],
    ] {
        let what = format!("{headers:?}");
        let answer = act(headers).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "CSRF_INVALID"), "{what}");
    }
    for headers in [vec![("origin", format!("http://{host}"))], vec![("sec-fetch-site", "same-origin".to_owned())]] {
        act(headers).await.expect(200);
    }
}

#[tokio::test]
async fn what_no_operation_takes_is_refused_and_never_breaks_us() {
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let long = json!({ "description": "x".repeat(2 * 1024 * 1024) });
    assert_eq!(demo.patch("/streamer/channel/settings", &long).await.error_code(), "FILE_TOO_LARGE");
    assert_eq!(app.anonymous().post("/overlay/t/bad/activations/x/ack", &long).await.status.as_u16(), 413);
    for path in ["/channels/a%00b", "/channels/a%00b/events", "/channels/a%00b/memes"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{path}");
    }
    let nul = demo.patch("/streamer/channel/settings", &json!({ "description": "a\u{0}b" })).await;
    assert_eq!((nul.status.as_u16(), nul.error_code()), (400, "VALIDATION_ERROR"));
}

#[tokio::test]
async fn the_bare_address_leads_on_and_browsers_find_no_icon_without_an_error() {
    let app = TestApp::builder().pools(&[]).start().await;
    let anybody = app.anonymous();
    let front = anybody.get("/").await;
    assert_eq!((front.status.as_u16(), front.header("content-type")), (200, "text/html; charset=utf-8"));
    let links: Vec<&str> = front.text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.contains(&"/docs") && links.contains(&"/health"), "{links:?}");
    for link in links {
        assert_eq!(anybody.get(link).await.status.as_u16(), 200, "{link}");
    }
    assert_eq!(anybody.get("/favicon.ico").await.status.as_u16(), 204);
    // What stands behind no operation is still none.
    let nowhere = anybody.get("/nowhere").await;
    assert_eq!((nowhere.status.as_u16(), nowhere.error_code()), (404, "NOT_FOUND"));
}
