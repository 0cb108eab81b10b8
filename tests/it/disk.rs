//! A disk that has no room.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::Path,
    time::Duration,
};

use domain::media::MediaType;
use harness::{MemalertsProcess, TestApp, wait_until};
use nix::unistd::Uid;
use test_s3::Server;

use crate::{browser::made, bucket, submissions::Upload};

/// Bytes of the disk.
const SMALL: u64 = 4 << 20;

/// Takes all the room there is, until the file is removed.
fn fill(filler: &Path) {
    let mut file = File::create(filler).unwrap();
    for chunk in [64 * 1024, 1] {
        let full = loop {
            if let Err(error) = file.write_all(&vec![0; chunk]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }
}

#[tokio::test]
async fn an_upload_to_a_full_disk_is_refused_leaves_nothing_and_is_taken_once_there_is_room() {
    let app = TestApp::builder().pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    let disk = tempfile::tempdir().unwrap();
    let mut env: Vec<(&str, String)> = app.process_env().into();
    env.push(("UPLOAD_DIR", disk.path().display().to_string()));
    let mut api = MemalertsProcess::spawn_on_disk(disk.path(), SMALL, &["api"], &env);
    let there = owner.at(&api.base_url().await);
    let filler = api.sees(&disk.path().join("filler"));
    let image = Upload::sample(MediaType::Image).await;
    let rows = async || {
        let query = "select (select count(*) from meme_submissions) + (select count(*) from file_hashes)";
        sqlx::query_scalar::<_, i64>(query).fetch_one(app.pool()).await.unwrap()
    };

    fill(&filler);
    for _ in 0..3 {
        let refused = image.send(&there, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (507, "STORAGE_FULL"), "{}", refused.text);
        assert!(!refused.header("retry-after").is_empty());
    }
    assert_eq!(rows().await, 0);
    let staging = api.sees(&disk.path().join("staging"));
    assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0, "what was begun is gone");
    // What needs no disk goes on.
    there.get("/me").await.expect(200);

    std::fs::remove_file(filler).unwrap();
    image.send(&there, &[]).await.expect(202);
    assert_eq!(rows().await, 2);
}

#[tokio::test]
async fn work_that_finds_the_disk_full_is_done_once_there_is_room() {
    // Others cannot give a program a disk and run ffmpeg under another account.
    if !Uid::effective().is_root() {
        return;
    }
    let server = Server::start();
    let app = bucket::keeping(&server, TestApp::builder()).pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    let taken = Upload::sample(MediaType::Image).await.send(&owner, &[]).await.expect(202);
    let disk = tempfile::tempdir().unwrap();
    let mut env: Vec<(&str, String)> = app.process_env().into();
    env.extend(server.settings());
    env.push(("UPLOAD_DIR", disk.path().display().to_string()));
    sqlx::query("insert into job_pauses (pool) values ('media')").execute(app.pool()).await.unwrap();
    let mut media = MemalertsProcess::spawn_on_disk(disk.path(), SMALL, &["work", "media"], &env);
    media.logged("the pools take jobs").await;
    let filler = media.sees(&disk.path().join("filler"));
    fill(&filler);
    sqlx::query("delete from job_pauses").execute(app.pool()).await.unwrap();
    wait_until("a try has failed", async || {
        let tried = "select count(*) from jobs where kind = 'validate-upload' and attempts > 0 and state = 'ready'";
        let tried: i64 = sqlx::query_scalar(tried).fetch_one(app.pool()).await.unwrap();
        (tried > 0).then_some(())
    })
    .await;

    std::fs::remove_file(filler).unwrap();
    app.advance(Duration::from_secs(60)).await;
    let path = format!("/submissions/{}", taken["id"].as_str().unwrap());
    wait_until("it is a meme", async || (owner.get(&path).await.expect(200)["uploadState"] == "ready").then_some(()))
        .await;
    assert!(media.stop().await.success());
}

/// A program that cannot write takes it for the end of the file: the file is not to blame.
#[tokio::test]
async fn a_good_clip_is_not_refused_because_its_rendition_found_no_room() {
    if !Uid::effective().is_root() {
        return;
    }
    let server = Server::start();
    let app = bucket::keeping(&server, TestApp::builder()).pools(&[]).start().await;
    let owner = app.login("demo", "streamer").await;
    // So restless that no encoder makes little of it.
    let noise = "testsrc2=size=640x360:rate=25:duration=2,noise=alls=40:allf=t";
    let clip =
        made(&["-i", noise, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-pix_fmt", "yuv420p"], "mp4");
    let taken = Upload::of(&clip, "video/mp4", "video").send(&owner, &[]).await.expect(202);
    let disk = tempfile::tempdir().unwrap();
    let mut env: Vec<(&str, String)> = app.process_env().into();
    env.extend(server.settings());
    env.push(("UPLOAD_DIR", disk.path().display().to_string()));
    sqlx::query("insert into job_pauses (pool) values ('media')").execute(app.pool()).await.unwrap();
    let mut media = MemalertsProcess::spawn_on_disk(disk.path(), 8 * SMALL, &["work", "media"], &env);
    media.logged("the pools take jobs").await;
    let filler = media.sees(&disk.path().join("filler"));
    fill(&filler);
    // What was sent has room, and 64 KiB of what becomes of it.
    let file = File::options().write(true).open(&filler).unwrap();
    let left = file.metadata().unwrap().len() - u64::try_from(clip.len()).unwrap() - (64 << 10);
    file.set_len(left).unwrap();
    // What is open keeps its room when it is removed.
    drop(file);
    sqlx::query("delete from job_pauses").execute(app.pool()).await.unwrap();
    let path = format!("/submissions/{}", taken["id"].as_str().unwrap());
    wait_until("the encoder has tried", async || {
        let tried = "select count(*) from jobs where kind = 'transcode-upload' and attempts > 0 and state = 'ready'";
        let tried: i64 = sqlx::query_scalar(tried).fetch_one(app.pool()).await.unwrap();
        assert_eq!(owner.get(&path).await.expect(200)["errorCode"], serde_json::Value::Null);
        (tried > 0).then_some(())
    })
    .await;

    std::fs::remove_file(filler).unwrap();
    app.advance(Duration::from_secs(60)).await;
    wait_until("it is a meme", async || (owner.get(&path).await.expect(200)["uploadState"] == "ready").then_some(()))
        .await;
    assert!(media.stop().await.success());
}
