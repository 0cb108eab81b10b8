//! Writes everything that there is about a person into an archive.

use std::io::{self, Write};

use blobs::Hash;
use domain::{
    events,
    media::{self, NewFile},
    privacy::{self, ExportPerson, HOLDINGS},
};
use queue::{Ctx, JobError, Outcome, Verdict};
use tokio::{io::AsyncReadExt as _, sync::mpsc};
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::pool::Pool;

const ABOUT: &str = "Everything that MemAlerts has about you.\n\n\
    tables/  one file of JSON a kind of thing: an array with your rows. Times are UTC, amounts are coins.\n\
    media/   the files that you have sent in and what was made of them, by the hashes that the tables name.\n\n\
    Not in here are secrets (of passwords, of sessions, of linked accounts), which are no use to anybody but us.\n";

/// Pieces that wait for the disk.
const AHEAD: usize = 8;
const CHUNK: usize = 256 * 1024;

/// What the writer is told.
enum Piece {
    File(String),
    Bytes(Vec<u8>),
}

pub(crate) async fn handle(ctx: Ctx, job: ExportPerson, pool: Pool) -> Outcome {
    if !privacy::is_pending(&mut *ctx.db().pool().acquire().await?, job.export).await? {
        return Ok(Verdict::Done);
    }
    let scratch = pool.blobs.scratch().await.map_err(JobError::retry)?;
    let file = scratch.open_for_writing().map_err(JobError::retry)?;
    let (pieces, told) = mpsc::channel(AHEAD);
    let writer = tokio::task::spawn_blocking(move || write(file, told));
    let read = read(&ctx, &pool, job.user, &pieces).await;
    drop(pieces);
    // When the writer has failed, the reader only knows that nobody listens any more.
    writer.await.map_err(JobError::retry)?.map_err(JobError::retry)?;
    read?;
    if ctx.cancelled.is_cancelled() {
        return Ok(Verdict::Snooze(std::time::Duration::ZERO));
    }

    let mut staging = pool.blobs.stage(u64::MAX).await.map_err(JobError::retry)?;
    let mut written = scratch.open_for_reading().await.map_err(JobError::retry)?;
    staging.copy(&mut written).await.map_err(JobError::retry)?;
    let staged = staging.seal_private().await.map_err(JobError::retry)?;
    let (hash, size) = (staged.hash.to_string(), i64::try_from(staged.size).map_err(JobError::discard)?);
    // While no transaction waits for it.
    let staged = pool.blobs.send(staged).await.map_err(JobError::retry)?;
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    media::hold(&mut tx, &hash).await?;
    pool.blobs.publish(staged).await.map_err(JobError::retry)?;
    fail::fail_point!("privacy::export::before");
    let file = NewFile { hash: &hash, size, mime_type: "application/zip" };
    // Who asked to be forgotten meanwhile waits for nothing; the sweep removes the file.
    privacy::ready(&mut tx, job.export, file).await.map_err(JobError::retry)?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

async fn read(ctx: &Ctx, pool: &Pool, user: Uuid, pieces: &mpsc::Sender<Piece>) -> Result<(), JobError> {
    let tell = async |piece| pieces.send(piece).await.map_err(|_| JobError::retry("the archive cannot be written"));
    tell(Piece::File("README.txt".to_owned())).await?;
    tell(Piece::Bytes(ABOUT.into())).await?;
    let mut tx = events::snapshot(ctx.db()).await?;
    for holding in HOLDINGS {
        tell(Piece::File(format!("tables/{}.json", holding.table))).await?;
        let mut offset = 0;
        loop {
            let rows = privacy::rows_of(&mut tx, holding, user, offset).await?;
            let mut text = String::new();
            for row in &rows {
                text += if offset == 0 { "[\n" } else { ",\n" };
                text += &row.to_string();
                offset += 1;
            }
            if rows.is_empty() || ctx.cancelled.is_cancelled() {
                text += if offset == 0 { "[]\n" } else { "\n]\n" };
            }
            tell(Piece::Bytes(text.into_bytes())).await?;
            if rows.is_empty() || ctx.cancelled.is_cancelled() {
                break;
            }
        }
    }
    let files = privacy::files_of(&mut tx, user).await?;
    drop(tx);
    for (name, mime_type) in files {
        let hash: Hash = name.parse().map_err(JobError::discard)?;
        let Some(blob) = pool.blobs.open(&hash).await.map_err(JobError::retry)? else { continue };
        let kind = mime_type.rsplit('/').next().unwrap_or_default();
        tell(Piece::File(format!("media/{name}.{kind}"))).await?;
        let size = blob.size;
        let mut reader = blob.into_range(0, size).await.map_err(JobError::retry)?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            let mut some = (&mut reader).take(CHUNK as u64);
            if some.read_to_end(&mut chunk).await.map_err(JobError::retry)? == 0 || ctx.cancelled.is_cancelled() {
                break;
            }
            tell(Piece::Bytes(chunk)).await?;
        }
    }
    Ok(())
}

/// On a thread that may wait for the disk.
fn write(file: std::fs::File, mut told: mpsc::Receiver<Piece>) -> io::Result<()> {
    let mut zip = ZipWriter::new(io::BufWriter::new(file));
    // Files of more than 4 GiB are rare, and the few bytes that it takes to allow them are not.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    while let Some(piece) = told.blocking_recv() {
        match piece {
            Piece::File(name) => zip.start_file(name, options)?,
            Piece::Bytes(bytes) => zip.write_all(&bytes)?,
        }
    }
    zip.finish()?.into_inner()?.sync_data()
}
