//! From an upload to a meme, or to a refusal that leaves nothing behind.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::media::MediaType;
use harness::{Answer, MemalertsProcess, Pool, Session, TestApp, wait_until};
use reqwest::{
    Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Bytes to send, with what the sender says about them.
#[derive(Clone)]
pub(crate) struct Upload {
    bytes: Vec<u8>,
    content_type: String,
    file_name: String,
    /// Empty: not said.
    kind: String,
    fields: Vec<(&'static str, String)>,
}

impl Upload {
    pub(crate) async fn sample(kind: MediaType) -> Self {
        let sample = media::sample(&media::Settings::default(), kind).await.expect("ffmpeg makes a sample");
        Self {
            bytes: sample.bytes,
            content_type: sample.content_type.to_owned(),
            file_name: sample.file_name.to_owned(),
            kind: kind.as_str().to_owned(),
            fields: vec![("title", format!("A {kind}"))],
        }
    }

    pub(crate) fn of(bytes: &[u8], content_type: &str, kind: &str) -> Self {
        let (content_type, kind) = (content_type.to_owned(), kind.to_owned());
        Self { bytes: bytes.to_vec(), content_type, file_name: "file.mp4".to_owned(), kind, fields: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// The same file without its second half.
    pub(crate) fn cut_short(mut self) -> Self {
        self.bytes.truncate(self.bytes.len() / 2);
        self
    }

    /// The same without a title.
    pub(crate) fn untitled(mut self) -> Self {
        self.fields.retain(|(name, _)| *name != "title");
        self
    }

    /// The file alone.
    pub(crate) fn part(&self) -> Part {
        let file = Part::bytes(self.bytes.clone()).file_name(self.file_name.clone());
        file.mime_str(&self.content_type).expect("a content type")
    }

    pub(crate) fn request(&self, who: &Session, headers: &[(&str, &str)]) -> RequestBuilder {
        let mut form = Form::new();
        if !self.kind.is_empty() {
            form = form.text("type", self.kind.clone());
        }
        for (name, value) in &self.fields {
            form = form.text(*name, value.clone());
        }
        let mut request = who.request(Method::POST, "/submissions").multipart(form.part("file", self.part()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    }

    pub(crate) async fn send(&self, who: &Session, headers: &[(&str, &str)]) -> Answer {
        Session::send(self.request(who, headers)).await
    }

    /// Sends it and waits for the verdict.
    pub(crate) async fn judged(&self, who: &Session) -> Answer {
        self.send(who, &[("prefer", "wait=30")]).await
    }
}

/// Files below the upload directory, but for its marker.
pub(crate) fn stored(app: &TestApp) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![app.process.config.uploads.dir.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".memalerts-database") {
                files.push(path);
            }
        }
    }
    files
}

/// The last thing that happens to a refused upload: its file goes.
pub(crate) async fn nothing_is_stored(app: &TestApp) {
    wait_until("nothing is stored", async || stored(app).is_empty().then_some(())).await;
}

/// How many of them are not pictures that were drawn of others.
pub(crate) async fn kept(app: &TestApp) -> usize {
    let drawn = "select poster_hash from meme_assets where poster_hash is not null
                 union select preview_hash from meme_assets where preview_hash is not null";
    let drawn: Vec<String> = sqlx::query_scalar(drawn).fetch_all(app.pool()).await.unwrap();
    stored(app).iter().filter(|path| !drawn.iter().any(|hash| path.ends_with(hash))).count()
}

/// Reference counts of all files but the pictures that were drawn of others, ascending.
pub(crate) async fn references(app: &TestApp) -> Vec<i32> {
    let counts = "select reference_count from file_hashes f
                  where not exists (select from meme_assets where poster_hash = f.hash or preview_hash = f.hash) order by 1";
    sqlx::query_scalar(counts).fetch_all(app.pool()).await.unwrap()
}

async fn state(who: &Session, id: &str) -> Value {
    who.get(&format!("/submissions/{id}")).await.expect(200)
}

/// Waits until the submission is in this state.
pub(crate) async fn reaches(who: &Session, id: &str, wanted: &str) -> Value {
    wait_until(&format!("the submission is {wanted}"), async || {
        let now = state(who, id).await;
        (now["uploadState"] == wanted).then_some(now)
    })
    .await
}

/// A program that stands in for ffmpeg or ffprobe.
pub(crate) fn fake(folder: &Path, script: &str) -> String {
    let path = folder.join("program");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    for path in [folder, &path] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    path.display().to_string()
}

/// Processes whose command line contains this text.
pub(crate) fn running(text: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap();
    let lines = processes.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(text)).count()
}

#[tokio::test]
async fn an_owners_upload_of_each_type_becomes_a_meme() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    for kind in MediaType::ALL {
        let answer = Upload::sample(kind).await.with("tags", r#"["funny"]"#).judged(&owner).await;
        assert_eq!(answer.status.as_u16(), 201, "{kind}: {}", answer.text);
        assert_eq!(answer.json["status"], "approved");
        assert_eq!(answer.json["uploadState"], "ready");
        assert_eq!(answer.json["progress"], 100);
        assert_eq!(answer.json["tags"][0], "funny");
    }
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    let types: Vec<&str> = memes.as_array().unwrap().iter().map(|meme| meme["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["audio", "video", "gif", "image"]);
    let mine = owner.get("/submissions/mine?limit=2").await;
    assert_eq!((mine.json.as_array().unwrap().len(), mine.header("x-total-count")), (2, "4"));
    app.drain().await;
}

#[tokio::test]
async fn a_file_alone_is_enough_it_says_its_type_and_its_title() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    for kind in MediaType::ALL {
        let sample = Upload::sample(kind).await;
        let name = format!("my_best {}", sample.file_name);
        let alone = Upload { kind: String::new(), file_name: name, fields: Vec::new(), ..sample };
        let answer = alone.judged(&owner).await.expect(201);
        assert_eq!((answer["type"].as_str(), &answer["title"]), (Some(kind.as_str()), &json!("my best sample")));
    }
    let nameless =
        Upload { kind: String::new(), file_name: ".png".to_owned(), ..Upload::sample(MediaType::Image).await };
    let blank = Upload { fields: vec![("title", " ".to_owned())], ..nameless };
    assert_eq!(blank.judged(&owner).await.expect(201)["title"], "Untitled");
    app.drain().await;
}

#[tokio::test]
async fn an_upload_is_answered_at_once_and_told_to_panel_and_sender_when_ready() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let mut panel = owner.events("/streamer/events").await;
    let mut own = owner.events("/me/events").await;
    let accepted = Upload::sample(MediaType::Video).await.send(&owner, &[]).await;
    assert_eq!(accepted.status.as_u16(), 202, "{}", accepted.text);
    assert_eq!(accepted.json["status"], "pending");
    let id = accepted.json["id"].as_str().unwrap();
    for events in [&mut panel, &mut own] {
        let created = events.wait_for("submission:created").await;
        assert!(created.data.to_string().contains(id));
        let approved = events.wait_for("submission:approved").await;
        assert!(approved.data.to_string().contains(id));
    }
    assert_eq!(state(&owner, id).await["uploadState"], "ready");
    app.drain().await;
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_stored_file() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let video = Upload::sample(MediaType::Video).await;
    let (first, second) = (video.judged(&owner).await.expect(201), video.judged(&owner).await.expect(201));
    assert_ne!(first["memeId"], second["memeId"]);
    assert_eq!(first["fileHash"], second["fileHash"]);
    app.drain().await;
    // The source and its rendition, each with two references.
    assert_eq!(references(&app).await, [2, 2]);
    assert_eq!(kept(&app).await, 2);
}

#[tokio::test]
async fn twins_that_race_are_one_stored_file_too() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let gif = Upload::sample(MediaType::Gif).await;
    let racers = futures_util::future::join_all((0..6).map(|_| gif.judged(&owner))).await;
    assert!(racers.iter().all(|answer| answer.status == 201), "{racers:?}");
    app.drain().await;
    assert_eq!(references(&app).await, [6, 6]);
    assert_eq!(kept(&app).await, 2);
}

#[tokio::test]
async fn the_same_bytes_on_their_way_twice_are_encoded_once() {
    let folder = tempfile::tempdir().unwrap();
    let (go, runs) = (folder.path().join("go"), folder.path().join("runs"));
    std::fs::write(&runs, "").unwrap();
    std::fs::set_permissions(&runs, std::fs::Permissions::from_mode(0o666)).unwrap();
    let slow = fake(
        folder.path(),
        // Posters are drawn in another quality.
        &format!(
            "case \"$*\" in *'-quality 85'*) echo >>{};; esac; until [ -e {} ]; do sleep 0.02; done; exec ffmpeg \"$@\"",
            runs.display(),
            go.display()
        ),
    );
    let app = TestApp::builder().env("FFMPEG_PATH", &slow).env("MEDIA_CONCURRENCY", "3").start().await;
    let owner = app.login("demo", "streamer").await;
    let picture = Upload::sample(MediaType::Image).await;
    let mut ids = Vec::new();
    for shown in ["3000", "7000"] {
        let accepted = picture.clone().with("durationMs", shown).send(&owner, &[]).await.expect(202);
        let id = accepted["id"].as_str().unwrap().to_owned();
        reaches(&owner, &id, "transcoding").await;
        ids.push((id, shown));
    }
    std::fs::write(&go, "").unwrap();
    for (id, shown) in ids {
        let meme = reaches(&owner, &id, "ready").await["memeId"].clone();
        let memes = owner.get("/channels/demo/memes").await.expect(200);
        let meme = memes.as_array().unwrap().iter().find(|listed| listed["id"] == meme).unwrap();
        assert_eq!(meme["durationMs"].to_string(), shown);
    }
    app.drain().await;
    assert_eq!(std::fs::read(&runs).unwrap(), b"\n", "one run");
    assert_eq!(references(&app).await, [2, 2]);
}

#[tokio::test]
async fn the_same_idempotency_key_makes_one_submission() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let picture = Upload::sample(MediaType::Image).await;
    let key = [("idempotency-key", "one"), ("prefer", "wait=30")];
    let racers = futures_util::future::join_all((0..8).map(|_| picture.send(&owner, &key))).await;
    let ids: std::collections::HashSet<&str> = racers.iter().filter_map(|answer| answer.json["id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "{racers:?}");
    assert_eq!(references(&app).await, [1, 1]);

    let other = picture.clone().with("notes", "another question").send(&owner, &key).await;
    assert_eq!((other.status.as_u16(), other.error_code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    app.drain().await;
}

#[tokio::test]
async fn a_bad_file_is_refused_with_its_code_and_leaves_nothing() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let png = Upload::sample(MediaType::Image).await.bytes;
    let mp4 = Upload::sample(MediaType::Video).await.bytes;
    let ftyp = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    for (name, upload, status, code) in [
        ("a picture named video", Upload::of(&png, "video/mp4", "video"), 400, "INVALID_FILE_CONTENT"),
        ("a picture named video, without a type", Upload::of(&png, "video/mp4", ""), 400, "INVALID_FILE_CONTENT"),
        (
            "a picture named video, by type alone",
            Upload::of(&png, "application/octet-stream", "video"),
            400,
            "INVALID_FILE_CONTENT",
        ),
        ("a text without any word", Upload::of(b"hello", "application/octet-stream", ""), 400, "INVALID_FILE_CONTENT"),
        ("nothing", Upload::of(b"", "video/mp4", "video"), 400, "INVALID_FILE_CONTENT"),
        ("a playlist", Upload::of(b"#EXTM3U\n/etc/passwd\n", "video/mp4", "video"), 400, "INVALID_FILE_CONTENT"),
        (
            "a playlist in disguise",
            Upload::of(&[ftyp, &b"#EXTM3U"[..]].concat(), "video/mp4", "video"),
            400,
            "INVALID_FILE_CONTENT",
        ),
        (
            "a page before a video",
            Upload::of(&[b"<html>", &mp4[..]].concat(), "video/mp4", "video"),
            400,
            "INVALID_FILE_CONTENT",
        ),
        ("half a video", Upload::of(&mp4[..mp4.len() / 2], "video/mp4", "video"), 400, "INVALID_FILE_CONTENT"),
        ("half a picture", Upload::of(&png[..png.len() / 2], "image/png", "image"), 400, "INVALID_FILE_CONTENT"),
        ("a drawing that is a program", Upload::of(b"<svg/>", "image/svg+xml", "image"), 400, "INVALID_FILE_TYPE"),
        ("a document", Upload::of(b"%PDF-1.7", "application/pdf", "video"), 400, "INVALID_FILE_TYPE"),
        ("a picture sent as video", Upload::of(&png, "image/png", "video"), 400, "INVALID_MEDIA_TYPE"),
        ("a type that is none", Upload::of(&mp4, "video/mp4", "hologram"), 400, "INVALID_MEDIA_TYPE"),
        ("a long title", Upload::of(&mp4, "video/mp4", "video").with("title", &"x".repeat(201)), 400, "INVALID_TITLE"),
        ("a title with NUL", Upload::of(&mp4, "video/mp4", "video").with("title", "a\0b"), 400, "INVALID_TITLE"),
        ("long notes", Upload::of(&mp4, "video/mp4", "video").with("notes", &"x".repeat(501)), 400, "VALIDATION_ERROR"),
        ("tags that are none", Upload::of(&mp4, "video/mp4", "video").with("tags", "funny"), 400, "VALIDATION_ERROR"),
    ] {
        let answer = upload.judged(&owner).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (status, code), "{name}: {}", answer.text);
        let field = if code == "INVALID_TITLE" { "title: " } else { "" };
        assert!(answer.json["detail"].as_str().unwrap().starts_with(field), "{name}: {}", answer.text);
    }
    app.drain().await;
    nothing_is_stored(&app).await;
    assert!(references(&app).await.is_empty());
}

#[tokio::test]
async fn a_video_that_plays_too_long_is_refused() {
    // One second, so that the sample of two is too long.
    let app = TestApp::builder().env("MAX_DURATION_MS", "1000").start().await;
    let owner = app.login("demo", "streamer").await;
    let answer = Upload::sample(MediaType::Video).await.judged(&owner).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (413, "VIDEO_TOO_LONG"), "{}", answer.text);
    let id = answer.json["submissionId"].as_str().unwrap();
    let failed = state(&owner, id).await;
    assert_eq!((&failed["status"], &failed["errorCode"]), (&"rejected".into(), &"VIDEO_TOO_LONG".into()));
    app.drain().await;
    nothing_is_stored(&app).await;
}

#[tokio::test]
async fn one_byte_too_many_ends_the_upload_before_the_rest_is_read() {
    let app = TestApp::builder().env("MAX_UPLOAD_BYTES", "1000000").start().await;
    let owner = app.login("demo", "streamer").await;
    let mut png = Upload::sample(MediaType::Image).await.bytes;
    assert!(png.len() < 1_000_000);
    png.resize(1_000_000, 0);
    // Bytes after a picture's end are nobody's.
    let exact = Upload::of(&png, "image/png", "image").judged(&owner).await;
    assert_eq!(exact.status.as_u16(), 201, "{}", exact.text);

    // By hand: a client that has said how much will come, has sent one byte more than allowed, and then waits.
    let token =
        owner.request(Method::GET, "/").build().unwrap().headers()["authorization"].to_str().unwrap().to_owned();
    let address = app.base.strip_prefix("http://").unwrap();
    let send = async |promised: usize, sent: usize| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /submissions HTTP/1.1\r\nhost: {address}\r\nauthorization: {token}\r\ncontent-length: {promised}\r\n\
             content-type: multipart/form-data; boundary=x\r\n\r\n"
        );
        let part = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\n";
        let mut body = part.as_bytes().to_vec();
        body.extend(std::iter::repeat_n(0, sent).enumerate().map(|(at, zero)| png.get(at).copied().unwrap_or(zero)));
        socket.write_all(head.as_bytes()).await.unwrap();
        if sent > 0 {
            socket.write_all(&body).await.unwrap();
        }
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await.expect("an answer");
        String::from_utf8_lossy(&answer[..read.unwrap()]).into_owned()
    };
    // The parser holds a few bytes back, for they might begin the boundary: send a little more than the one byte.
    let answer = send(2_000_000, 1_000_100).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("FILE_TOO_LARGE"), "{answer}");
    // Told by the promise alone.
    let answer = send(60_000_000, 0).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("FILE_TOO_LARGE"), "{answer}");
    let over = Upload::of(&[&png[..], &[0]].concat(), "image/png", "image").judged(&owner).await;
    assert_eq!((over.status.as_u16(), over.error_code()), (413, "FILE_TOO_LARGE"));
    // A form that never comes to the point: refused, not remembered.
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /submissions HTTP/1.1\r\nhost: {address}\r\nauthorization: {token}\r\ncontent-length: 1900000\r\n\
         content-type: multipart/form-data; boundary=x\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b'a'; 1_000_000]).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await.expect("an answer");
    assert!(answer[..read.unwrap()].starts_with(b"HTTP/1.1 400"));
    app.drain().await;
    assert_eq!(kept(&app).await, 2, "{:?}", stored(&app));
}

#[tokio::test]
async fn a_submission_needs_a_session_and_a_channel_and_is_none_for_others() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let viewer = app.login("anna", "viewer").await;
    let channel = owner.get("/me").await.expect(200)["channelId"].as_str().unwrap().to_owned();
    let picture = Upload::sample(MediaType::Image).await;

    let anonymous = picture.judged(&app.anonymous()).await;
    assert_eq!((anonymous.status.as_u16(), anonymous.error_code()), (401, "UNAUTHORIZED"));
    let nowhere = picture.judged(&viewer).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.error_code()), (400, "MISSING_CHANNEL_ID"));
    let unknown = picture.clone().with("channelId", &uuid::Uuid::nil().to_string()).judged(&viewer).await;
    assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "CHANNEL_NOT_FOUND"));
    nothing_is_stored(&app).await;

    let mine = picture.clone().with("channelId", &channel).judged(&owner).await.expect(201);
    let id = mine["id"].as_str().unwrap();
    let hidden = viewer.get(&format!("/submissions/{id}")).await;
    assert_eq!((hidden.status.as_u16(), hidden.error_code()), (404, "SUBMISSION_NOT_FOUND"));
    app.drain().await;
}

#[tokio::test]
async fn the_name_of_a_file_means_nothing() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let picture = Upload::sample(MediaType::Image).await;
    for name in ["../../../../etc/cron.d/x", "a\\..\\b", "\u{202e}gnp.exe", "%00.png", &"n".repeat(5000)] {
        let answer = Upload { file_name: name.to_owned(), ..picture.clone() }.judged(&owner).await;
        assert_eq!(answer.status.as_u16(), 201, "{name}: {}", answer.text);
    }
    app.drain().await;
    let dir = &app.process.config.uploads.dir;
    for file in stored(&app) {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(file, dir.join(&name[..2]).join(&name[2..4]).join(name));
    }
}

#[tokio::test]
async fn a_probe_that_hangs_is_killed_tried_again_and_then_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let hanging = fake(folder.path(), "sleep 4711 & sleep 4712");
    let mut app = TestApp::builder()
        .env("FFPROBE_PATH", &hanging)
        .env("PROBE_TIMEOUT_MS", "300")
        .pools(&[Pool::Media])
        .start()
        .await;
    let owner = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Video).await.send(&owner, &[]).await.expect(202);
    let id = accepted["id"].as_str().unwrap();
    for attempt in 1..=3_i16 {
        wait_until(&format!("attempt {attempt} is over"), async || {
            let attempts: Option<i16> = sqlx::query_scalar(
                "select attempts from jobs where kind = 'probe-upload' and state <> 'running' and attempts = $1",
            )
            .bind(attempt)
            .fetch_optional(app.pool())
            .await
            .unwrap();
            attempts
        })
        .await;
        if attempt < 3 {
            assert_eq!(state(&owner, id).await["uploadState"], "probing");
            app.advance(Duration::from_secs(400)).await;
        }
    }
    let failed = reaches(&owner, id, "failed").await;
    assert_eq!(failed["errorCode"], "UPLOAD_TIMEOUT");
    nothing_is_stored(&app).await;
    assert_eq!(running("sleep 471"), 0);
    app.leaves_jobs_behind();
}

#[tokio::test]
async fn a_drain_in_mid_transcode_gives_the_job_back() {
    let folder = tempfile::tempdir().unwrap();
    let slow = fake(folder.path(), "exec sleep 4713");
    let mut app = TestApp::builder().env("FFMPEG_PATH", &slow).start().await;
    let owner = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Video).await.send(&owner, &[]).await.expect(202);
    let id = accepted["id"].as_str().unwrap().to_owned();
    wait_until("the encoder runs", async || (running("sleep 4713") > 0).then_some(())).await;
    app.stop();
    assert_eq!(running("sleep 4713"), 0);
    let attempts: i16 =
        sqlx::query_scalar("select attempts from jobs where kind = 'transcode-upload' and state = 'ready'")
            .fetch_one(app.pool())
            .await
            .unwrap();
    assert_eq!(attempts, 0, "a drain uses no attempt");

    let next = app.beside().start().await;
    let owner = next.login("demo", "streamer").await;
    reaches(&owner, &id, "ready").await;
    next.drain().await;
    assert_eq!(kept(&next).await, 2);
}

#[tokio::test]
async fn a_worker_killed_in_mid_transcode_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let slow = fake(folder.path(), "exec sleep 4714");
    // The API alone: the pool is a process that can be killed.
    let app = TestApp::builder().pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Video).await.send(&owner, &[]).await.expect(202);
    let id = accepted["id"].as_str().unwrap();

    let shared = app.process_env();
    let env: Vec<(&str, &str)> = shared.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut worker = MemalertsProcess::spawn(&["work", "media"], &[&env[..], &[("FFMPEG_PATH", &slow)]].concat());
    wait_until("the encoder runs", async || (running("sleep 4714") > 0).then_some(())).await;
    worker.kill();
    wait_until("the encoder died with its worker", async || (running("sleep 4714") == 0).then_some(())).await;
    assert_eq!(state(&owner, id).await["uploadState"], "transcoding");

    let mut next = MemalertsProcess::spawn(&["work", "media"], &env);
    let ready = reaches(&owner, id, "ready").await;
    assert_eq!(owner.get("/channels/demo/memes").await.expect(200)[0]["id"], ready["memeId"]);
    assert_eq!(references(&app).await, [1, 1]);
    assert!(next.stop().await.success());
    assert_eq!(kept(&app).await, 2, "what the killed one was writing went with it");
}

#[tokio::test]
async fn a_job_that_is_discarded_by_hand_ends_its_submission_at_once() {
    // Nobody works yet, so the job waits.
    let app = TestApp::builder().pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Video).await.send(&owner, &[]).await.expect(202);
    let id = accepted["id"].as_str().unwrap();
    let job: i64 =
        sqlx::query_scalar("select id from jobs where kind = 'validate-upload'").fetch_one(app.pool()).await.unwrap();
    let discard = MemalertsProcess::spawn(&["jobs", "discard", &job.to_string()], &app.process_env());
    assert_eq!(discard.output().await, format!("job {job} is discarded"));

    let works = app.beside().pools(&[Pool::Media]).start().await;
    let failed = reaches(&owner, id, "failed").await;
    assert_eq!((&failed["status"], &failed["errorCode"]), (&json!("rejected"), &json!("UPLOAD_FAILED")));
    works.drain().await;
    nothing_is_stored(&app).await;
}

#[tokio::test]
async fn a_job_that_dies_with_its_process_again_and_again_ends_its_submission_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let slow = fake(folder.path(), "exec sleep 4715");
    let app = TestApp::builder().pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    let accepted = Upload::sample(MediaType::Video).await.send(&owner, &[]).await.expect(202);
    let shared = app.process_env();
    let env: Vec<(&str, &str)> = shared.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut worker = MemalertsProcess::spawn(&["work", "media"], &[&env[..], &[("FFMPEG_PATH", &slow)]].concat());
    wait_until("the encoder runs", async || (running("sleep 4715") > 0).then_some(())).await;
    // Two processes have died under it before.
    let twice = "update jobs set crashes = 2 where kind = 'transcode-upload' and state = 'running'";
    assert_eq!(sqlx::query(twice).execute(app.pool()).await.unwrap().rows_affected(), 1);
    worker.kill();

    let mut next = MemalertsProcess::spawn(&["work", "media"], &env);
    let failed = reaches(&owner, accepted["id"].as_str().unwrap(), "failed").await;
    assert_eq!((&failed["status"], &failed["errorCode"]), (&json!("rejected"), &json!("UPLOAD_FAILED")));
    assert!(next.stop().await.success());
    // But for what the killed one was writing.
    wait_until("nothing is stored", async || {
        stored(&app).iter().all(|file| file.parent().unwrap().ends_with("staging")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_may_not_send_in_hears_it_although_the_whole_file_was_sent() {
    let app = TestApp::builder().pools(&[]).start().await;
    let address = app.base.strip_prefix("http://").unwrap();
    for (path, kind, refusal) in [
        ("/submissions", "multipart/form-data; boundary=x", "HTTP/1.1 401"),
        ("/streamer/channel/settings", "application/json", "HTTP/1.1 413"),
    ] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let bytes = 8 << 20;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {bytes}\r\ncontent-type: {kind}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        // More than the sockets' buffers hold: it goes through only if somebody reads it.
        socket.write_all(&vec![b'-'; bytes]).await.expect("the whole body is taken");
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..read.unwrap()]).into_owned();
        assert!(answer.starts_with(refusal), "{path}: {answer}");
    }
}
