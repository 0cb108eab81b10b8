//! Files of memes, as browsers and OBS fetch them, and how the store is kept clean.

use std::time::{Duration, SystemTime};

use domain::{media::MediaType, submissions::SweepBlobs};
use harness::{Answer, Session, TestApp};
use reqwest::Method;

use crate::submissions::{Upload, stored};

/// The address of a meme's file.
async fn file(who: &Session, kind: MediaType) -> (String, String) {
    let made = Upload::sample(kind).await.judged(who).await.expect(201);
    let memes = who.get("/channels/demo/memes").await.expect(200);
    (memes[0]["fileUrl"].as_str().unwrap().to_owned(), made["fileHash"].as_str().unwrap().to_owned())
}

async fn get(who: &Session, path: &str, headers: &[(&str, &str)]) -> (Answer, usize) {
    let mut request = who.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (Answer { status, headers, json: serde_json::from_str(&text).unwrap_or_default(), text }, bytes.len())
}

#[tokio::test]
async fn a_file_is_served_whole_and_in_parts_for_ever_and_can_do_nothing() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let (url, source) = file(&owner, MediaType::Video).await;
    let anybody = app.anonymous();

    let (whole, size) = get(&anybody, &url, &[]).await;
    assert_eq!(whole.status.as_u16(), 200);
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert_eq!(whole.header("content-length"), size.to_string());
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(whole.header("cache-control").contains("immutable"));
    assert!(whole.header("content-security-policy").contains("sandbox"));
    let tag = whole.header("etag").to_owned();
    assert!(url.ends_with(tag.trim_matches('"')), "{tag}");

    let (part, length) = get(&anybody, &url, &[("range", "bytes=100-199")]).await;
    assert_eq!((part.status.as_u16(), length), (206, 100));
    assert_eq!(part.header("content-range"), format!("bytes 100-199/{size}"));
    let (tail, length) = get(&anybody, &url, &[("range", "bytes=-10"), ("if-range", &tag)]).await;
    assert_eq!((tail.status.as_u16(), length), (206, 10));
    let (other, length) = get(&anybody, &url, &[("range", "bytes=-10"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status.as_u16(), length), (200, size));
    let (beyond, _) = get(&anybody, &url, &[("range", &format!("bytes={size}-"))]).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, format!("bytes */{size}").as_str()));
    let (known, length) = get(&anybody, &url, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status.as_u16(), length), (304, 0));

    // What was sent in is there, and nobody gets it.
    let (raw, _) = get(&anybody, &format!("/uploads/{source}"), &[]).await;
    assert_eq!((raw.status.as_u16(), raw.error_code()), (404, "NOT_FOUND"));
    app.drain().await;
}

#[tokio::test]
async fn no_address_leads_out_of_the_store() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    let marker = app.process.config.uploads.dir.join(".memalerts-database");
    assert!(marker.is_file());
    for path in [
        "/uploads/..%2f..%2fetc%2fpasswd",
        "/uploads/..%2F.memalerts-database",
        "/uploads/.memalerts-database",
        "/uploads/staging",
        "/uploads/%2e%2e/%2e%2e/etc/passwd",
        "/uploads/..%5c..%5cetc",
        "/uploads/%00",
        "/uploads/",
        &format!("/uploads/{}", "0".repeat(64)),
        &format!("/uploads/{}", "A".repeat(64)),
    ] {
        let (answer, _) = get(&anybody, path, &[]).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {}", answer.status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn the_sweep_removes_what_crashes_left_and_nothing_else() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let (url, _) = file(&owner, MediaType::Image).await;
    app.drain().await;

    let blobs = &app.process.blobs;
    let publish = async |bytes: &[u8]| {
        let mut staging = blobs.stage(100).await.unwrap();
        staging.write(bytes).await.unwrap();
        blobs.publish(staging.seal().await.unwrap()).await.unwrap()
    };
    // Killed between rename and commit, long ago and just now; killed while it was written.
    let (orphan, fresh) = (publish(b"orphan").await, publish(b"about to be committed").await);
    let half = app.process.config.uploads.dir.join("staging/half");
    std::fs::write(&half, b"half").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    for path in stored(&app) {
        if !path.ends_with(fresh.to_string()) {
            std::fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
    }

    let mut tx = app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &SweepBlobs {}).await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
    assert!(!half.exists());
    assert!(blobs.open(&orphan).await.unwrap().is_none());
    assert!(blobs.open(&fresh).await.unwrap().is_some());
    // The meme's source and rendition are old too, and stay.
    assert_eq!(get(&app.anonymous(), &url, &[]).await.0.status.as_u16(), 200);
    // Its poster, too.
    assert_eq!(stored(&app).len(), 4);
}
