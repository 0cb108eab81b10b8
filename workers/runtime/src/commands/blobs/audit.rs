//! Whether the store holds what the rows say, and the other way round.
//!
//! Rows are read in one snapshot, the store after it, and both go on changing: what looks wrong is looked at once more while
//! its hash is held, so that neither writers nor removers are in between.

use std::{collections::HashMap, fmt, time::Duration};

use anyhow::Context as _;
use blobs::{Blobs, Hash};
use domain::{events, media};
use queue::{Database, Tx, admin};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::repo;
use crate::commands::ops::by;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// How it is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// Read all bytes, too.
    pub(super) deep: bool,
    /// Remove bytes that no row needs, and write counts that are right. Rows are never removed.
    pub(super) repair: bool,
    /// Bytes without a row are left alone for so long: the row may be about to be committed.
    pub(super) older_than: Duration,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wrong {
    /// There is a row, and there are no bytes.
    Missing,
    /// There are bytes, for long, and there is no row.
    Orphan,
    /// There are more or fewer bytes than the row says.
    Size,
    /// The bytes are others than the name says.
    Damaged,
    /// The row says that it is needed more or less often than it is.
    Count,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "missing",
            Self::Orphan => "orphan",
            Self::Size => "size",
            Self::Damaged => "damaged",
            Self::Count => "count",
        })
    }
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// SHA-256, lower-case hex.
    pub(super) file: String,
    pub(super) wrong: Wrong,
    /// In words.
    pub(super) detail: String,
    /// Not any more.
    pub(super) repaired: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Audit {
    /// Rows of files that were looked at.
    pub(super) rows: usize,
    /// Objects of the store that were looked at.
    pub(super) objects: usize,
    pub(super) findings: Vec<Finding>,
}

/// Audits all files.
///
/// # Errors
/// The database or the store refused: what was found until then says little.
pub(super) async fn run(db: &Database, blobs: &Blobs, options: Options) -> anyhow::Result<Audit> {
    let mut tx = events::snapshot(db).await?;
    let rows = repo::rows(&mut tx).await.context("read the rows of all files")?;
    tx.rollback().await?;
    let mut audit = Audit { rows: rows.len(), ..Audit::default() };
    let mut rows = rows.into_iter().peekable();
    for shard in 0..=u8::MAX {
        let objects = blobs.objects(shard).await.context("list the store")?;
        audit.objects += objects.len();
        let mut objects: HashMap<Hash, _> = objects.into_iter().map(|object| (object.hash, object)).collect();
        let name = format!("{shard:02x}");
        let (mut doubtful, mut whole) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next_if(|row| row.hash.starts_with(&name)) {
            let hash: Hash = row.hash.parse().with_context(|| format!("the row {} has no hash", row.hash))?;
            let fits = objects.remove(&hash).is_some_and(|object| i64::try_from(object.size) == Ok(row.size));
            if !fits || row.counted != row.references {
                doubtful.push(hash);
            }
            if fits {
                whole.push(hash);
            }
        }
        doubtful
            .extend(objects.into_values().filter(|object| object.age >= options.older_than).map(|object| object.hash));
        for hash in doubtful {
            audit.findings.extend(look_again(db, blobs, &hash, options.repair).await?);
        }
        for hash in whole.into_iter().filter(|_| options.deep) {
            audit.findings.extend(damage(blobs, &hash).await?);
        }
    }
    Ok(audit)
}

/// What is wrong with this file, now, while nobody writes or removes it; and no more, if that is wished and can be.
async fn look_again(db: &Database, blobs: &Blobs, hash: &Hash, repair: bool) -> anyhow::Result<Vec<Finding>> {
    let name = hash.to_string();
    let mut tx = db.begin().await?;
    media::hold(&mut tx, &name).await?;
    let row = repo::row(&mut tx, &name).await?;
    let size = blobs.open(hash).await.context("look into the store")?.map(|blob| blob.size);
    let mut found = Vec::new();
    let mut say = |wrong, detail, repaired| found.push(Finding { file: name.clone(), wrong, detail, repaired });
    if let Some(row) = &row
        && row.counted != row.references
    {
        if repair {
            repo::mend_count(&mut tx, row).await?;
            note(&mut tx, "mend_file_count", &name).await?;
        }
        say(Wrong::Count, format!("its row counts {} references, there are {}", row.counted, row.references), repair);
    }
    match (&row, size) {
        (Some(row), None) => {
            say(Wrong::Missing, format!("its row says {} bytes, and there is no file", row.size), false)
        }
        (Some(row), Some(size)) if i64::try_from(size) != Ok(row.size) => {
            say(Wrong::Size, format!("it has {size} bytes, its row says {}", row.size), false);
        }
        (None, Some(size)) => {
            if repair {
                blobs.delete(hash).await.context("remove a file")?;
                note(&mut tx, "remove_file", &name).await?;
            }
            say(Wrong::Orphan, format!("{size} bytes without a row"), repair);
        }
        // As it should be by now, or gone altogether.
        _ => {}
    }
    tx.commit().await?;
    Ok(found)
}

async fn note(tx: &mut Tx, act: &str, file: &str) -> anyhow::Result<()> {
    Ok(admin::note(&mut *tx, &by(), act, json!({ "file": file }), None).await?)
}

/// Reads it all. What is gone by now is not damaged.
async fn damage(blobs: &Blobs, hash: &Hash) -> anyhow::Result<Option<Finding>> {
    let Some(blob) = blobs.open(hash).await.context("look into the store")? else { return Ok(None) };
    let size = blob.size;
    let mut reader = std::pin::pin!(blob.into_range(0, size).await.context("read a file")?);
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk).await.with_context(|| format!("read the file {hash}"))? {
            0 => break,
            read => hasher.update(&chunk[..read]),
        }
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let is = Hash::from(digest);
    let finding = || Finding {
        file: hash.to_string(),
        wrong: Wrong::Damaged,
        detail: format!("its bytes are those of {is}"),
        repaired: false,
    };
    Ok((is != *hash).then(finding))
}
