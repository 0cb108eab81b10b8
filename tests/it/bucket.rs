//! Files in a bucket of S3: the road of uploads, what is served, and what goes wrong between us and it.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use domain::{media::MediaType, submissions::SweepBlobs};
use harness::{Builder, MemalertsProcess, TestApp, wait_until};
use reqwest::{Method, redirect::Policy};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use test_s3::{Fault, Server};

use crate::submissions::{Upload, stored};

/// A system whose files are there.
pub(crate) fn keeping(server: &Server, builder: Builder) -> Builder {
    server.settings().iter().fold(builder, |builder, (name, value)| builder.env(name, value))
}

/// The bucket holds exactly the files that rows refer to, whole: what went wrong is gone, what is needed is there. Returns
/// how many. What is not needed and young is left to a sweep, which runs first.
pub(crate) async fn objects_are_those_of_the_rows(app: &TestApp, server: &Server) -> usize {
    const MARKER: &str = ".memalerts-database";
    for key in server.keys() {
        let long_ago = SystemTime::now() - Duration::from_secs(7200);
        std::fs::File::open(server.file(&key)).unwrap().set_modified(long_ago).unwrap();
    }
    let mut tx = app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &SweepBlobs {}).await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
    let rows = "select hash from file_hashes where reference_count > 0";
    let rows: BTreeSet<String> = sqlx::query_scalar(rows).fetch_all(app.pool()).await.unwrap().into_iter().collect();
    let mut keys = server.keys();
    assert!(keys.remove(MARKER), "{keys:?}");
    let files = keys.into_iter().map(|key| {
        let name = hex::encode(Sha256::digest(std::fs::read(server.file(&key)).unwrap()));
        assert_eq!(key, format!("{}/{}/{name}", &name[..2], &name[2..4]));
        name
    });
    assert_eq!(files.collect::<BTreeSet<_>>(), rows);
    assert!(stored(app).is_empty(), "this machine keeps nothing");
    rows.len()
}

async fn count(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(app.pool()).await.unwrap()
}

#[tokio::test]
async fn an_upload_becomes_a_meme_whose_file_is_served_from_the_bucket_as_from_disk() {
    let server = Server::start();
    let app = keeping(&server, TestApp::builder()).env("S3_PREFIX", "").start().await;
    let owner = app.login("demo", "streamer").await;
    Upload::sample(MediaType::Video).await.judged(&owner).await.expect(201);
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    let url = memes[0]["fileUrl"].as_str().unwrap();
    let get = async |headers: &[(&str, &str)]| {
        let request = app.anonymous().request(Method::GET, url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let told = (answer.status().as_u16(), header("content-type"), header("content-range"));
        let (tag, policy) = (header("etag").unwrap_or_default(), header("content-security-policy").unwrap_or_default());
        assert!(policy.contains("sandbox"), "{policy}");
        (told, tag, answer.bytes().await.unwrap())
    };
    let ((status, kind, _), tag, whole) = get(&[]).await;
    assert_eq!((status, kind.as_deref()), (200, Some("video/mp4")));
    assert!(url.ends_with(&hex::encode(Sha256::digest(&whole))) && url.ends_with(tag.trim_matches('"')));
    let size = whole.len();
    let ((status, _, range), _, part) = get(&[("range", "bytes=100-199")]).await;
    assert_eq!((status, range), (206, Some(format!("bytes 100-199/{size}"))));
    assert_eq!(part, whole.slice(100..200));
    let (_, _, tail) = get(&[("range", "bytes=-10"), ("if-range", &tag)]).await;
    assert_eq!(tail, whole.slice(size - 10..));
    assert_eq!(get(&[("range", &format!("bytes={size}-"))]).await.0.0, 416);
    assert_eq!(get(&[("if-none-match", &tag)]).await.0.0, 304);
    app.drain().await;
    // What was sent in is there, too, and nobody gets it; and the two pictures of the meme.
    assert_eq!(objects_are_those_of_the_rows(&app, &server).await, 4);
}

#[tokio::test]
async fn where_the_bucket_serves_files_ours_leads_to_an_address_that_works_once_it_is_signed() {
    let server = Server::start();
    let app = keeping(&server, TestApp::builder()).env("MEDIA_URLS", "presigned").start().await;
    let owner = app.login("demo", "streamer").await;
    Upload::sample(MediaType::Video).await.judged(&owner).await.expect(201);
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    let url = memes[0]["fileUrl"].as_str().unwrap();
    assert!(url.starts_with("/uploads/"), "clients know one address: {url}");
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let answer = client.get(format!("{}{url}", app.base)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 302);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with(&server.endpoint()), "{location}");

    let part = client.get(&location).header("range", "bytes=0-99").send().await.unwrap();
    assert_eq!(part.status().as_u16(), 206);
    assert_eq!(part.headers()["content-type"], "video/mp4");
    assert_eq!(part.bytes().await.unwrap().len(), 100);
    // For this file and no other, and for nothing but reading.
    let other = location.replace(url.rsplit('/').next().unwrap(), &"0".repeat(64));
    assert_eq!(client.get(other).send().await.unwrap().status().as_u16(), 403);
    assert_eq!(client.delete(&location).send().await.unwrap().status().as_u16(), 403);
    assert_eq!(client.get(location.replace("video%2Fmp4", "text%2Fhtml")).send().await.unwrap().status().as_u16(), 403);
    // Who only asks what there is is told by us.
    let head = client.head(format!("{}{url}", app.base)).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-type"]), (200, &"video/mp4".parse().unwrap()));

    // The pages may load it from there, and from nowhere else.
    let overlay = owner.get("/streamer/overlay/token").await.expect(200);
    let page = client.get(overlay["url"].as_str().unwrap()).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains(&format!("media-src 'self' {};", server.endpoint())), "{policy}");
}

#[tokio::test]
async fn whatever_goes_wrong_once_on_the_way_to_the_bucket_an_upload_becomes_a_meme() {
    // All that can go wrong is in the tests of crate `blobs`; here is one of each sort.
    for fault in
        [Fault::DoneBut(500), Fault::Silence, Fault::Reset, Fault::Flipped, Fault::ErrorIn200, Fault::Forgotten]
    {
        let server = Server::start();
        let app = keeping(&server, TestApp::builder()).env("S3_TIMEOUT_MS", "500").start().await;
        let owner = app.login("demo", "streamer").await;
        if fault != Fault::Flipped {
            server.fail(fault, "PUT", "/memes/", 2);
        }
        if !matches!(fault, Fault::Forgotten | Fault::DoneBut(_)) {
            server.fail(fault, "GET", "/memes/", 2);
        }
        let made = Upload::sample(MediaType::Image).await.judged(&owner).await.expect(201);
        assert_eq!(made["uploadState"], "ready", "{fault:?}");
        assert_eq!(server.heal(), 0, "{fault:?}");
        app.drain().await;
        assert_eq!(objects_are_those_of_the_rows(&app, &server).await, 3, "{fault:?}");
    }
}

#[tokio::test]
async fn while_the_bucket_is_away_uploads_are_refused_and_leave_nothing_and_then_all_is_well() {
    let server = Server::start();
    let app = keeping(&server, TestApp::builder()).start().await;
    let owner = app.login("demo", "streamer").await;
    let admin = app.login("boss", "admin").await;
    admin.post("/admin/queues/media/pause", &json!({})).await.expect(200);
    let image = Upload::sample(MediaType::Image).await;
    server.fail(Fault::Status(503), "PUT", "/memes/", usize::MAX);
    let refused = image.send(&owner, &[]).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (503, "SERVICE_UNAVAILABLE"));
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(
        count(&app, "select (select count(*) from meme_submissions) + (select count(*) from file_hashes)").await,
        0
    );
    server.heal();
    let taken = image.send(&owner, &[]).await.expect(202);

    // It goes away again before the rendition is there: the work is done later, and nothing is shown meanwhile.
    server.fail(Fault::Status(503), "PUT", "/memes/", usize::MAX);
    admin.post("/admin/queues/media/resume", &json!({})).await.expect(200);
    const TRIED: &str =
        "select count(*) from jobs where kind = 'transcode-upload' and attempts > 0 and state = 'ready'";
    wait_until("the encoder has tried", async || (count(&app, TRIED).await > 0).then_some(())).await;
    assert_eq!(count(&app, "select count(*) from memes").await, 0);
    server.heal();
    app.advance(Duration::from_secs(60)).await;
    app.drain().await;
    let path = format!("/submissions/{}", taken["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.expect(200)["uploadState"], "ready");
    assert_eq!(objects_are_those_of_the_rows(&app, &server).await, 3);

    // Reading while it is away says so, and that it passes.
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    server.fail(Fault::Status(500), "HEAD", "/memes/", usize::MAX);
    let unread = owner.get(memes[0]["fileUrl"].as_str().unwrap()).await;
    assert_eq!((unread.status.as_u16(), unread.error_code()), (503, "SERVICE_UNAVAILABLE"));
}

#[tokio::test]
async fn a_file_that_is_missing_is_not_found_and_not_a_fault_of_the_server() {
    let server = Server::start();
    for in_bucket in [false, true] {
        let builder = TestApp::builder();
        let app = if in_bucket { keeping(&server, builder) } else { builder }.start().await;
        let owner = app.login("demo", "streamer").await;
        Upload::sample(MediaType::Image).await.judged(&owner).await.expect(201);
        app.drain().await;
        let memes = owner.get("/channels/demo/memes").await.expect(200);
        let url = memes[0]["fileUrl"].as_str().unwrap();
        app.process.blobs.delete(&url.rsplit('/').next().unwrap().parse().unwrap()).await.unwrap();
        let missing = app.anonymous().get(url).await;
        assert_eq!((missing.status.as_u16(), missing.error_code()), (404, "MEDIA_NOT_AVAILABLE"));
    }
}

#[tokio::test]
async fn an_archive_of_a_person_waits_in_the_bucket_and_is_gone_an_hour_after_it_was_taken() {
    let server = Server::start();
    let app = keeping(&server, TestApp::builder()).start().await;
    let owner = app.login("demo", "streamer").await;
    Upload::sample(MediaType::Image).await.judged(&owner).await.expect(201);
    let export = owner.post("/users/me/export", &json!({})).await.expect(202);
    app.drain().await;
    assert_eq!(server.keys().len(), 5);
    let path = format!("/users/me/exports/{}/file", export["id"].as_str().unwrap());
    let archive = owner.request(Method::GET, &path).send().await.unwrap().bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let files: Vec<String> =
        archive.file_names().filter(|name| name.starts_with("media/")).map(str::to_owned).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for name in files {
        let mut hasher = Sha256::new();
        std::io::copy(&mut archive.by_name(&name).unwrap(), &mut hasher).unwrap();
        assert!(name.contains(&hex::encode(hasher.finalize())));
    }
    // Connections break: what was begun can be begun again, and an hour later nothing of it is left in the bucket.
    assert_eq!(owner.get(&path).await.status.as_u16(), 200);
    app.advance(Duration::from_hours(1)).await;
    wait_until("the archive is removed", async || (server.keys().len() == 4).then_some(())).await;
    let owner = app.login("demo", "streamer").await;
    assert_eq!(owner.get(&path).await.status.as_u16(), 409);
}

#[tokio::test]
async fn a_bucket_of_another_database_or_one_that_cannot_be_written_is_refused_at_the_start() {
    let server = Server::start();
    let first = keeping(&server, TestApp::builder()).pools(&[]).start().await;
    let second = TestApp::builder().pools(&[]).start().await;
    let settings = server.settings();
    let start = async |app: &TestApp, arguments: &[&str], more: &[(&'static str, String)]| {
        let env: Vec<_> =
            app.process_env().into_iter().chain(settings.iter().cloned()).chain(more.iter().cloned()).collect();
        MemalertsProcess::spawn(arguments, &env)
    };
    let why = async |process: MemalertsProcess| process.failure().await.join("\n");
    let said = why(start(&second, &["api"], &[]).await).await;
    assert!(said.contains("belongs to database") && said.contains("S3_BUCKET or S3_PREFIX"), "{said}");
    server.fail(Fault::Status(403), "PUT", "", usize::MAX);
    let said = why(start(&first, &["work", "media"], &[]).await).await;
    assert!(said.contains("does not let us put an object") && said.contains("S3_ACCESS_KEY_ID"), "{said}");
    assert!(!said.contains(test_s3::SECRET_KEY));
    let gone = [("S3_BUCKET", "gone".to_owned())];
    let said = why(start(&first, &["api"], &gone).await).await;
    assert!(said.contains("there is no bucket gone"), "{said}");
    // Who has nothing to do with files starts without it.
    let mut pool = start(&first, &["work", "dispatch"], &gone).await;
    pool.logged("the pools take jobs").await;
    assert!(pool.stop().await.success());
}
