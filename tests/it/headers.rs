//! What answers say about themselves: what a browser may do with them, and who may keep them.

use domain::media::MediaType;
use harness::{Answer, Browser, Rendition, Session, TestApp};
use reqwest::Method;
use serde_json::json;

use crate::realtime::overlay_path;

/// Fails unless the answer has all that every answer has; its policy for browsers.
#[track_caller]
fn policy<'a>(what: &str, answer: &'a Answer) -> &'a str {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    let permissions = answer.header("permissions-policy");
    assert!(permissions.contains("camera=()") && permissions.contains("autoplay=(self)"), "{what}: {permissions}");
    let shown_to = answer.header("cross-origin-resource-policy");
    assert!(["same-origin", "cross-origin"].contains(&shown_to), "{what}: {shown_to}");
    assert!(!answer.header("x-request-id").is_empty(), "{what}");
    assert!(answer.header("strict-transport-security").is_empty(), "{what}: a dev machine has no https");
    assert!(answer.header("server").is_empty() && answer.header("x-powered-by").is_empty(), "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
    policy
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it_and_that_nobody_may_keep_it() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let nobody = app.anonymous();
    let long = json!({ "description": "x".repeat(2 << 20) });
    let odd = |method: Method, path: &str| Session::send(demo.request(method, path));
    for (status, what, answer) in [
        (200, "an answer", demo.get("/me").await),
        (200, "health", nobody.get("/health").await),
        (400, "a refusal before the operation", nobody.get("/channels/a%00b").await),
        (400, "a refusal by the operation", demo.patch("/streamer/channel/settings", &json!([])).await),
        (401, "nobody", nobody.get("/me").await),
        (403, "a foreign site", {
            Session::send(nobody.request(Method::POST, "/auth/logout").header("origin", "https://evil.test")).await
        }),
        (404, "nowhere", nobody.get("/nowhere").await),
        (404, "a call between processes", nobody.post("/internal/credits/chatter", &json!({})).await),
        (405, "another method", odd(Method::DELETE, "/health").await),
        (413, "a large body", demo.patch("/streamer/channel/settings", &long).await),
    ] {
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text);
        let policy = policy(what, &answer);
        for rule in ["frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'", "sandbox"] {
            assert!(policy.contains(rule), "{what}: {policy}");
        }
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{what}");
    }
    let stream = demo.request(Method::GET, "/me/events").send().await.unwrap();
    let header = |name: &str| stream.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store".into(), "nosniff".into()));
}

#[tokio::test]
async fn pages_run_their_own_scripts_only_and_files_run_nothing_and_may_be_shown_anywhere() {
    let app = TestApp::builder().pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let overlay = overlay_path(&demo).await;
    for (path, own) in [("/", true), (overlay.as_str(), true), ("/overlay/t/bad", true), ("/docs", false)] {
        let page = app.anonymous().get(path).await;
        let policy = policy(path, &page);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin", "{path}");
        let rules: Vec<&str> = policy.split(';').map(str::trim).collect();
        let scripts = rules.iter().find(|rule| rule.starts_with("script-src")).unwrap();
        assert!(
            !scripts.contains("unsafe") && !scripts.contains('*') && !scripts.contains("http"),
            "{path}: {scripts}"
        );
        assert_eq!(rules.contains(&"frame-ancestors 'self'"), own, "{path}: {policy}");
    }

    let file =
        app.meme(&demo, Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 1000, bytes: b"x" });
    file.await;
    let memes = app.anonymous().get("/channels/demo/memes").await.expect(200);
    let url = memes[0]["fileUrl"].as_str().unwrap().to_owned();
    let file = app.anonymous().get(&url).await;
    assert!(policy(&url, &file).ends_with("sandbox"));
    assert_eq!(file.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    // "You have it" must not take back what was said of it.
    let tag = file.header("etag").to_owned();
    let known = Session::send(app.anonymous().request(Method::GET, &url).header("if-none-match", tag)).await;
    assert_eq!((known.status.as_u16(), known.header("cache-control")), (304, "public, max-age=31536000, immutable"));
}

#[tokio::test]
async fn the_document_is_kept_until_it_is_another_one() {
    let app = TestApp::builder().pools(&[]).start().await;
    for path in ["/openapi.json", "/openapi.yaml"] {
        let document = app.anonymous().get(path).await;
        let what = (document.status.as_u16(), document.header("cache-control"), policy(path, &document));
        assert!((what.0, what.1) == (200, "no-cache") && what.2.contains("sandbox"), "{path}: {what:?}");
        let tag = document.header("etag").to_owned();
        for (known, status) in [(tag.clone(), 304), (format!("\"old\", W/{tag}"), 304), ("\"old\"".to_owned(), 200)] {
            let again = app.anonymous().request(Method::GET, path).header("if-none-match", &known);
            let again = Session::send(again).await;
            assert_eq!((again.status.as_u16(), again.header("etag")), (status, tag.as_str()), "{path}: {known}");
            assert_eq!(again.text.is_empty(), status == 304, "{path}: {known}");
        }
        let head = Session::send(app.anonymous().request(Method::HEAD, path)).await;
        assert_eq!((head.status.as_u16(), head.header("etag"), head.text.as_str()), (200, tag.as_str(), ""));
    }
}

#[tokio::test]
async fn the_dev_login_is_on_the_page_of_the_document_where_it_is_and_in_no_document_of_clients() {
    let app = TestApp::builder().pools(&[]).start().await;
    let nobody = app.anonymous();
    assert!(nobody.get("/docs").await.text.contains("\"/auth/dev/login\""));
    assert!(!nobody.get("/openapi.json").await.text.contains("/auth/dev/login"));
    let prod = TestApp::builder().pools(&[]).outside_of_dev("prod").start().await;
    assert!(!prod.anonymous().get("/docs").await.text.contains("/auth/dev/login"));
}

#[tokio::test]
async fn outside_of_dev_browsers_come_by_https_only() {
    let app = TestApp::builder().pools(&[]).outside_of_dev("prod").start().await;
    for path in ["/health", "/nowhere", "/docs"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains", "{path}");
    }
}

#[tokio::test]
async fn the_page_of_the_document_works_under_its_policy() {
    let Some(mut browser) = Browser::start("the_page_of_the_document_works_under_its_policy").await else { return };
    let app = TestApp::builder().pools(&[]).start().await;
    assert_eq!(browser.open(&format!("{}/docs", app.base), false).await, 200);
    let look = browser.look().await;
    for word in ["MemAlerts", "/memes/{id}/activate", "Play a meme"] {
        assert!(look.text.contains(word), "no {word:?} on the page: {}", look.text);
    }
    assert_eq!(look.complaints, Vec::<String>::new());
}
