//! Gives the bytes of what the house has deleted back.

use domain::{
    media::{self, NOTHING, NewFile},
    moderation::PurgeAsset,
};
use queue::{Ctx, JobError, Outcome, Verdict};

use crate::{give_back_files::files_of, pool::Pool};

/// Rows of plays and submissions still refer to the asset, so it stays, and shows an empty file.
pub(crate) async fn handle(ctx: Ctx, job: PurgeAsset, pool: Pool) -> Outcome {
    let empty = pool.blobs.stage(0).await.map_err(JobError::retry)?.seal().await.map_err(JobError::retry)?;
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let Some(asset) = media::find_asset(&mut tx, job.asset).await?.filter(|asset| asset.file_hash != NOTHING) else {
        tx.commit().await?;
        return Ok(Verdict::Done);
    };
    let files: Vec<String> = files_of(&asset).collect();
    let mut held: Vec<&str> = files.iter().map(String::as_str).chain([NOTHING]).collect();
    held.sort_unstable();
    held.dedup();
    for hash in held {
        media::hold(&mut tx, hash).await?;
    }
    pool.blobs.publish(empty).await.map_err(JobError::retry)?;
    let nothing = NewFile { hash: NOTHING, size: 0, mime_type: "application/octet-stream" };
    media::add_reference(&mut tx, nothing).await.map_err(JobError::retry)?;
    if !media::empty_asset(&mut tx, &asset, NOTHING).await? {
        return Err(JobError::retry("its files are others by now: they were drawn, or its sender is being forgotten"));
    }
    let mut unneeded = Vec::new();
    for hash in &files {
        if media::release(&mut tx, hash).await.map_err(JobError::retry)? {
            unneeded.push(hash);
        }
    }
    tx.commit().await?;
    for hash in unneeded {
        if let Err(error) = pool.remove_unneeded(ctx.db(), hash).await {
            tracing::warn!(?error, hash, "the sweep will remove this file");
        }
    }
    Ok(Verdict::Done)
}
