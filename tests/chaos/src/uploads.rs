//! Uploads: the files that are sent in, and what must be in the store when all is calm (I13).

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, ensure};
use domain::submissions::SweepBlobs;
use queue::{Database, Wakes};
use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{journal::Journal, rig::Rig};

/// Older than the sweep's age of an hour.
const LONG_AGO: Duration = Duration::from_secs(7200);

/// A video of less than half a second, made once; each upload of it is a file of its own.
#[derive(Debug, Clone)]
pub(crate) struct Sample(Vec<u8>);

impl Sample {
    pub(crate) async fn make(dir: &Path) -> anyhow::Result<Self> {
        let file = dir.join("sample.mp4");
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=10:duration=0.4"])
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "mp4"])
            .arg(&file)
            .output()
            .await
            .context("start ffmpeg")?;
        ensure!(made.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&made.stderr));
        Ok(Self(std::fs::read(file)?))
    }

    /// With a mark at its end that players pass over: a box that is free to use.
    pub(crate) fn marked(&self, mark: &str) -> Vec<u8> {
        let mut bytes = self.0.clone();
        let size = u32::try_from(mark.len() + 8).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(b"free");
        bytes.extend_from_slice(mark.as_bytes());
        bytes
    }

    /// Without its end: no program can read it.
    pub(crate) fn broken(&self) -> Vec<u8> {
        self.0[..self.0.len() / 2].to_vec()
    }
}

/// The request that sends the file in.
pub(crate) fn request(
    http: &Client,
    base: &str,
    token: &str,
    key: Uuid,
    bytes: Vec<u8>,
) -> anyhow::Result<RequestBuilder> {
    let file = Part::bytes(bytes).file_name("chaos.mp4").mime_str("video/mp4")?;
    let form = Form::new().text("type", "video").text("title", "Chaos").part("file", file);
    let request = http.post(format!("{base}/submissions")).bearer_auth(token);
    Ok(request.header("Idempotency-Key", key.to_string()).multipart(form))
}

/// Has everything that the store holds grow old, and the pool sweep it: what a crash left is to be gone then.
pub(crate) async fn sweep(rig: &Rig) -> anyhow::Result<Vec<String>> {
    for path in stored(&rig.store)? {
        std::fs::File::open(path)?.set_modified(SystemTime::now() - LONG_AGO)?;
    }
    let swept = || {
        sqlx::query_scalar!(r#"select count(*) as "count!" from jobs_done where kind = 'sweep-blobs'"#)
            .fetch_one(&rig.pool)
    };
    let before = swept().await?;
    let db = Database::new(rig.pool.clone(), Wakes::new().0);
    let mut tx = db.begin().await?;
    queue::enqueue(&mut tx, &SweepBlobs {}).await?;
    tx.commit().await?;
    sqlx::query!("select pg_notify('memalerts_wake', E'chaos\\npmedia')").fetch_one(&rig.pool).await?;
    let begun = Instant::now();
    while swept().await? == before {
        if begun.elapsed() > Duration::from_secs(20) {
            return Ok(vec!["I13: the store was not swept for 20 s".to_owned()]);
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(Vec::new())
}

/// I13: what was taken is kept and becomes a meme; the store holds exactly the files that rows refer to, whole.
pub(crate) async fn check(pool: &PgPool, journal: &Journal, store: &Path) -> anyhow::Result<Vec<String>> {
    let lost = sqlx::query_scalar!(
        r#"select 'upload ' || taken.id || case
                      when s.id is null then ' was taken and is not kept'
                      else ' failed: ' || coalesce(s.error_code, '') || ' ' || coalesce(s.error_detail, '') end as "lost!"
           from unnest($1::uuid[]) as taken (id) left join meme_submissions s on s.id = taken.id
           where s.id is null or s.upload_state = 'failed'"#,
        &journal.uploads(),
    )
    .fetch_all(pool)
    .await?;
    let mut findings: Vec<String> = lost.into_iter().map(|lost| format!("I13: {lost}")).collect();
    let rows = sqlx::query_scalar!("select hash from file_hashes").fetch_all(pool).await?;
    let mut unreferenced: BTreeSet<PathBuf> = stored(store)?.into_iter().collect();
    for hash in rows {
        let path = object(store, &hash);
        match std::fs::read(&path) {
            Ok(bytes) if hex::encode(Sha256::digest(&bytes)) == hash => {}
            Ok(_) => findings.push(format!("I13: the file {hash} holds other bytes")),
            Err(error) => findings.push(format!("I13: the file {hash} has a row and cannot be read: {error}")),
        }
        unreferenced.remove(&path);
    }
    findings.extend(unreferenced.into_iter().map(|path| format!("I13: nothing refers to {}", path.display())));
    Ok(findings)
}

/// Where the store keeps these bytes.
pub(crate) fn object(store: &Path, hash: &str) -> PathBuf {
    store.join(&hash[..2]).join(&hash[2..4]).join(hash)
}

/// All files of the store, those in the making among them; not its marker.
fn stored(store: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if !entry.file_name().to_string_lossy().starts_with('.') {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}
