//! The audit of files: whether rows and the store fit together, on disk and in a bucket.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use blobs::Hash;
use domain::media::MediaType;
use harness::{MemalertsProcess, TestApp};
use serde_json::{Value, json};
use test_s3::Server;

use crate::{bucket::keeping, submissions::Upload};

const DAY: Duration = Duration::from_hours(24);

/// A system with files, and a way to lay hands on them.
struct Kept {
    app: TestApp,
    server: Option<Server>,
}

impl Kept {
    async fn start(server: Option<Server>) -> Self {
        let builder = TestApp::builder();
        let app = match &server {
            Some(server) => keeping(server, builder),
            None => builder,
        };
        Self { app: app.start().await, server }
    }

    fn path(&self, hash: &str) -> PathBuf {
        let key = format!("{}/{}/{hash}", &hash[..2], &hash[2..4]);
        match &self.server {
            Some(server) => server.file(&key),
            None => self.app.process.config.uploads.dir.join(key),
        }
    }

    async fn publish(&self, bytes: &[u8]) -> Hash {
        let mut staging = self.app.process.blobs.stage(100).await.unwrap();
        staging.write(bytes).await.unwrap();
        self.app.process.blobs.publish(staging.seal().await.unwrap()).await.unwrap()
    }

    /// Whether the audit was content, and what it found, as `missing HASH`.
    async fn audit(&self, more: &[&str]) -> (bool, Vec<String>, Value) {
        let mut env: Vec<(&str, String)> = self.app.process_env().into();
        env.extend(self.server.iter().flat_map(Server::settings));
        let arguments = [&["blobs", "audit", "--json"], more].concat();
        let (status, said, log) = MemalertsProcess::spawn(&arguments, &env).outcome().await;
        let audit: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{status}: {said}{log}"));
        let findings = audit["findings"].as_array().unwrap().iter();
        let named =
            |finding: &Value| format!("{} {}", finding["wrong"].as_str().unwrap(), finding["file"].as_str().unwrap());
        let mut findings: Vec<String> = findings.map(named).collect();
        findings.sort();
        (status.success(), findings, audit)
    }
}

fn replace(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn the_audit_finds_whatever_does_not_fit_and_mends_what_loses_nothing() {
    for server in [None, Some(Server::start())] {
        let kept = Kept::start(server).await;
        let owner = kept.app.login("demo", "streamer").await;
        for kind in [MediaType::Image, MediaType::Audio] {
            Upload::sample(kind).await.judged(&owner).await.expect(201);
        }
        kept.app.drain().await;
        let (content, findings, audit) = kept.audit(&["--deep"]).await;
        assert!(content && findings.is_empty(), "{findings:?}");
        assert_eq!((&audit["rows"], &audit["objects"]), (&json!(6), &json!(6)), "each with its poster");

        let rows: Vec<String> =
            sqlx::query_scalar("select hash from file_hashes order by hash").fetch_all(kept.app.pool()).await.unwrap();
        let [missing, shorter, damaged, miscounted, ..] = &rows[..] else { panic!("{rows:?}") };
        std::fs::remove_file(kept.path(missing)).unwrap();
        replace(&kept.path(shorter), b"short");
        let mut bytes = std::fs::read(kept.path(damaged)).unwrap();
        bytes[0] ^= 1;
        replace(&kept.path(damaged), &bytes);
        sqlx::query("update file_hashes set reference_count = 7 where hash = $1")
            .bind(miscounted)
            .execute(kept.app.pool())
            .await
            .unwrap();
        let (orphan, young) = (kept.publish(b"orphan").await.to_string(), kept.publish(b"young").await.to_string());
        let long_ago = SystemTime::now() - 2 * DAY;
        std::fs::File::open(kept.path(&orphan)).unwrap().set_modified(long_ago).unwrap();

        // Of two hours ago: as old as the default asks, and not as a day.
        let recent = kept.publish(b"recent").await.to_string();
        let hours_ago = SystemTime::now() - DAY / 12;
        std::fs::File::open(kept.path(&recent)).unwrap().set_modified(hours_ago).unwrap();
        assert!(kept.audit(&[]).await.1.contains(&format!("orphan {recent}")));
        assert!(!kept.audit(&["--older-than", "1440"]).await.1.contains(&format!("orphan {recent}")));
        std::fs::remove_file(kept.path(&recent)).unwrap();

        let mut wrong = vec![
            format!("missing {missing}"),
            format!("size {shorter}"),
            format!("count {miscounted}"),
            format!("orphan {orphan}"),
        ];
        wrong.sort();
        let (content, findings, _) = kept.audit(&[]).await;
        assert!(!content);
        assert_eq!(findings, wrong, "what has the right size is not read");
        wrong.push(format!("damaged {damaged}"));
        wrong.sort();
        assert_eq!(kept.audit(&["--deep"]).await.1, wrong);
        assert!(kept.path(&orphan).exists(), "looking changes nothing");

        // What can be mended is; rows stay, whatever they lack.
        let (content, _, audit) = kept.audit(&["--repair"]).await;
        assert!(!content, "there is no file behind a row");
        let repaired = audit["findings"].as_array().unwrap().iter().filter(|finding| finding["repaired"] == true);
        assert_eq!(repaired.count(), 2);
        let mut left = vec![format!("missing {missing}"), format!("size {shorter}")];
        left.sort();
        assert_eq!(kept.audit(&[]).await.1, left);
        assert!(!kept.path(&orphan).exists() && kept.path(&young).exists());
        let count = "select reference_count from file_hashes where hash = $1";
        let count: i32 = sqlx::query_scalar(count).bind(miscounted).fetch_one(kept.app.pool()).await.unwrap();
        assert_eq!(count, 1);
        let acts = "select array_agg(act order by act) from job_acts";
        let acts: Vec<String> = sqlx::query_scalar(acts).fetch_one(kept.app.pool()).await.unwrap();
        assert_eq!(acts, ["mend_file_count", "remove_file"], "who did it is written down");
        let rows: i64 =
            sqlx::query_scalar("select count(*) from file_hashes").fetch_one(kept.app.pool()).await.unwrap();
        assert_eq!(rows, 6);
    }
}

#[tokio::test]
async fn the_audit_counts_what_is_still_being_worked_on_and_what_waits_for_its_person() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    Upload::sample(MediaType::Image).await.judged(&owner).await.expect(201);
    owner.post("/users/me/export", &json!({})).await.expect(202);
    app.drain().await;
    let admin = app.login("boss", "admin").await;
    admin.post("/admin/queues/media/pause", &json!({})).await.expect(200);
    // The same bytes again: two references to one file; and others, to none yet.
    for kind in [MediaType::Image, MediaType::Audio] {
        Upload::sample(kind).await.send(&owner, &[]).await.expect(202);
    }
    let text = MemalertsProcess::spawn(&["blobs", "audit"], &app.process_env()).output().await;
    assert_eq!(text, "looked at 5 rows and 5 files: they fit together");
    admin.post("/admin/queues/media/resume", &json!({})).await.expect(200);
    app.drain().await;
    let text = MemalertsProcess::spawn(&["blobs", "audit", "--deep"], &app.process_env()).output().await;
    assert_eq!(text, "looked at 7 rows and 7 files: they fit together");
}
