//! Gives back the files of what was rejected or replaced.

use domain::{
    media::{self, Asset},
    submissions::GiveBackFiles,
};
use queue::{Ctx, JobError, Outcome, Verdict};

use crate::pool::Pool;

pub(crate) async fn handle(ctx: Ctx, job: GiveBackFiles, pool: Pool) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let asset = match job.asset {
        Some(id) => media::find_asset(&mut tx, id).await?,
        None => None,
    };
    let mut hashes: Vec<String> = asset.iter().flat_map(files_of).chain(job.source).collect();
    hashes.sort_unstable();
    // Twice, where what was sent is what is shown: each reference is given back.
    let mut held = hashes.clone();
    held.dedup();
    for hash in &held {
        media::hold(&mut tx, hash).await?;
    }
    if let Some(asset) = &asset
        && !media::remove_asset(&mut tx, asset).await?
    {
        return Err(JobError::retry("its files are others by now: they were drawn, or its sender is being forgotten"));
    }
    let mut unneeded = Vec::new();
    for hash in &hashes {
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

/// Its references, each to be given back.
pub(crate) fn files_of(asset: &Asset) -> impl Iterator<Item = String> {
    let shown = [Some(asset.file_hash.clone()), asset.source_hash.clone()];
    shown.into_iter().chain([asset.poster_hash.clone(), asset.preview_hash.clone()]).flatten()
}
