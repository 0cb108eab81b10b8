//! Which sites' pages may talk to us, and what the others make a browser do in vain.

use std::{fs, path::Path};

use harness::{Answer, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

/// Every documented operation that changes something, with ids in its path.
fn unsafe_operations() -> Vec<(Method, String)> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let document: Value = serde_yaml_ng::from_str(&fs::read_to_string(document).unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, of_path) in document["paths"].as_object().unwrap() {
        let segment =
            |part: &str| if part.starts_with('{') { "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee" } else { part }.to_owned();
        let filled = path.split('/').map(segment).collect::<Vec<_>>().join("/");
        for method in of_path.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            if !method.is_safe() {
                operations.push((method, filled.clone()));
            }
        }
    }
    operations
}

/// Everything that a foreign page can make a browser say, and what is malformed.
fn foreign(host: &str) -> Vec<Vec<(&'static str, String)>> {
    let port = host.split_once(':').unwrap().1;
    let origins = [
        "null".to_owned(),
        "https://evil.test".to_owned(),
        format!("http://{host}.evil.test"),
        format!("http://evil.test:{port}"),
        format!("http://localhost.evil.test:{port}"),
        "http://127.0.0.1".to_owned(),
        format!("http://127.0.0.1:1{port}"),
        format!("http://{host}@evil.test"),
        format!("http://{host}/"),
        format!("ftp://{host}"),
        host.to_owned(),
        "*".to_owned(),
        String::new(),
    ];
    let mut attempts: Vec<_> = origins.into_iter().map(|origin| vec![("origin", origin)]).collect();
    let own = || ("origin", format!("http://{host}"));
    for site in ["cross-site", "same-site", "SAME-ORIGIN", "same-origin, none", ""] {
        attempts.push(vec![("sec-fetch-site", site.to_owned())]);
        attempts.push(vec![("sec-fetch-site", site.to_owned()), own()]);
    }
    attempts.push(vec![]);
    for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"] {
        attempts.push(vec![("content-type", kind.to_owned()), ("origin", "https://evil.test".to_owned())]);
        attempts.push(vec![("content-type", kind.to_owned())]);
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        attempts.push(vec![(name, "GET".to_owned()), ("origin", "https://evil.test".to_owned())]);
    }
    attempts
}

async fn ask(session: &Session, method: Method, path: &str, headers: &[(&'static str, String)]) -> Answer {
    let request =
        headers.iter().fold(session.request(method, path), |request, (name, value)| request.header(*name, value));
    Session::send(request).await
}

fn refused(answer: &Answer) -> bool {
    answer.status == 403 && answer.error_code() == "CSRF_INVALID"
}

#[tokio::test]
async fn no_operation_is_done_for_a_foreign_site_with_the_cookie_of_a_browser() {
    let app = TestApp::builder().pools(&[]).start().await;
    let boss = app.login("boss", "streamer").await;
    app.login("boss", "admin").await;
    let browser = app.anonymous();
    let host = app.base.strip_prefix("http://").unwrap().to_owned();
    let cookie = ("cookie", format!("theme=dark; token_dev={}", boss.token.as_deref().unwrap()));
    let attempts = foreign(&host);
    assert!(attempts.len() >= 30);
    let operations = unsafe_operations();
    assert!(operations.len() > 25, "{operations:?}");
    for (method, path) in &operations {
        for headers in &attempts {
            let mut headers = headers.clone();
            headers.push(cookie.clone());
            let answer = ask(&browser, method.clone(), path, &headers).await;
            assert!(refused(&answer), "{method} {path} with {headers:?}: {} {}", answer.status, answer.text);
        }
    }
    // The cookie is good: our own page may.
    let own = [("origin", format!("http://{host}")), cookie];
    ask(&browser, Method::POST, "/streamer/queue/clear", &own).await.expect(200);
}

#[tokio::test]
async fn a_foreign_site_cannot_log_a_browser_in_that_has_no_session_yet() {
    let app = TestApp::builder().pools(&[]).start().await;
    let nobody = app.anonymous();
    let log_in = |name: &'static str, value: &str| {
        let request = nobody.request(Method::POST, "/auth/dev/login").header(name, value);
        Session::send(request.json(&json!({ "login": "mallory", "role": "viewer" })))
    };
    for (name, value) in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        assert!(refused(&log_in(name, value).await), "{name}: {value}");
    }
    log_in("sec-fetch-site", "same-origin").await.expect(200);
}

#[tokio::test]
async fn a_screen_is_known_by_its_token_whatever_a_proxy_made_of_its_name() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let path = format!("{}/activations/{}/ack", crate::realtime::overlay_path(&demo).await, uuid::Uuid::nil());
    let said = json!({ "state": "started", "playEpoch": 1 });
    let request = app.anonymous().request(Method::POST, &path).header("origin", "https://memes.example");
    assert_eq!(Session::send(request.json(&said)).await.error_code(), "ACTIVATION_NOT_FOUND");
}

#[tokio::test]
async fn the_method_is_the_one_of_the_request_line_whatever_else_is_said() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let before = demo.get("/streamer/overlay/token").await.expect(200);
    for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let path = "/streamer/overlay/token/rotate?_method=POST";
        let answer = ask(&demo, Method::GET, path, &[(header, "POST".to_owned())]).await;
        assert_eq!(answer.status.as_u16(), 405, "{header}: {}", answer.text);
    }
    assert_eq!(demo.get("/streamer/overlay/token").await.expect(200), before);
}

/// Headers that tell a browser what a page may do.
fn permissions(answer: &Answer) -> Vec<&str> {
    answer.headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("access-control-")).collect()
}

fn asking(origin: &str) -> Vec<(&'static str, String)> {
    vec![
        ("origin", origin.to_owned()),
        ("access-control-request-method", "POST".to_owned()),
        ("access-control-request-headers", "authorization,idempotency-key".to_owned()),
    ]
}

#[tokio::test]
async fn a_site_that_the_settings_name_may_ask_with_the_persons_session_and_read_the_answer() {
    let panel = "https://panel.example";
    let app =
        TestApp::builder().env("CORS_ORIGINS", "https://panel.example, http://localhost:5173").pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let browser = app.anonymous();

    let preflight = ask(&browser, Method::OPTIONS, "/streamer/queue/clear", &asking(panel)).await;
    assert_eq!((preflight.status.as_u16(), preflight.text.as_str()), (204, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), panel);
    assert_eq!(preflight.header("access-control-allow-credentials"), "true");
    assert!(preflight.header("access-control-allow-methods").contains("DELETE"));
    assert!(preflight.header("access-control-allow-headers").to_lowercase().contains("idempotency-key"));
    assert_eq!(preflight.header("vary"), "Origin");

    let cookie = ("cookie", format!("token_dev={}", demo.token.as_deref().unwrap()));
    let from =
        |origin: &str| [("origin", origin.to_owned()), ("sec-fetch-site", "cross-site".to_owned()), cookie.clone()];
    let answer = ask(&browser, Method::POST, "/streamer/queue/clear", &from(panel)).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, panel));
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert!(answer.header("access-control-expose-headers").contains("Retry-After"));
    // A failure, too, or the page could not say what is wrong.
    let nowhere = ask(&browser, Method::GET, "/nowhere", &from(panel)).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.header("access-control-allow-origin")), (404, panel));

    for other in [
        "https://evil.test",
        "https://panel.example.evil.test",
        "http://panel.example",
        "null",
        "https://panel.example:8443",
    ] {
        let preflight = ask(&browser, Method::OPTIONS, "/streamer/queue/clear", &asking(other)).await;
        assert_eq!((preflight.status.as_u16(), permissions(&preflight)), (204, vec![]), "{other}");
        assert_eq!(preflight.header("vary"), "Origin", "{other}: a cache must not give this answer to the panel");
        let read = ask(&browser, Method::GET, "/me", &from(other)).await;
        assert_eq!((read.status.as_u16(), permissions(&read)), (200, vec![]), "{other}");
        assert_eq!(read.header("vary"), "Origin", "{other}");
        assert!(refused(&ask(&browser, Method::POST, "/streamer/queue/clear", &from(other)).await), "{other}");
    }
}

#[tokio::test]
async fn without_the_setting_no_other_site_may_read_anything() {
    let app = TestApp::builder().pools(&[]).start().await;
    for origin in ["https://evil.test", "null", app.base.as_str()] {
        let preflight = ask(&app.anonymous(), Method::OPTIONS, "/me", &asking(origin)).await;
        assert_eq!((preflight.status.as_u16(), permissions(&preflight)), (204, vec![]), "{origin}");
        let answer = ask(&app.anonymous(), Method::GET, "/health", &[("origin", origin.to_owned())]).await;
        assert_eq!(permissions(&answer), Vec::<&str>::new(), "{origin}");
    }
    // What is no question of a browser is answered as before.
    assert_eq!(ask(&app.anonymous(), Method::OPTIONS, "/health", &[]).await.status.as_u16(), 405);
}

#[tokio::test]
async fn a_word_behind_bearer_does_nothing_with_a_cookie() {
    let app = TestApp::builder().pools(&[]).start().await;
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": "correct horse" });
    let made = app.anonymous().post("/auth/register", &wish).await.expect(201);
    let of = |name: &str| made[name].as_str().unwrap().to_owned();
    let cookie = ("cookie", format!("token_dev={}; refresh_dev={}", of("access_token"), of("refresh_token")));
    let forged = [
        cookie,
        ("authorization", "Bearer x".to_owned()),
        ("origin", "https://evil.test".to_owned()),
        ("sec-fetch-site", "cross-site".to_owned()),
    ];
    let browser = app.anonymous();
    for path in ["/auth/logout", "/auth/refresh"] {
        let request = forged
            .iter()
            .fold(browser.request(Method::POST, path), |request, (name, value)| request.header(*name, value));
        let answer = Session::send(request.json(&json!({}))).await;
        assert!(answer.headers.get("set-cookie").is_none(), "{path}: {}", answer.text);
    }
    // It lives, and its refresh token was not used up.
    let renewed = browser.post("/auth/refresh", &json!({ "refresh_token": of("refresh_token") })).await.expect(200);
    assert!(renewed["access_token"].is_string());
}
