//! Removes what crashes left in the store.

use std::time::Duration;

use blobs::Hash;
use domain::{media, submissions::SweepBlobs};
use queue::{Ctx, JobError, Outcome, Verdict};

use crate::pool::Pool;

/// Longer than anything takes between the rename of a file and the commit of its row.
const AGE: Duration = Duration::from_secs(3600);
/// Names per question to the database.
const BATCH: usize = 500;

pub(crate) async fn handle(ctx: Ctx, _job: SweepBlobs, pool: Pool) -> Outcome {
    let staging = pool.blobs.sweep_staging(AGE).await.map_err(JobError::retry)?;
    let mut objects = 0;
    for shard in 0..=u8::MAX {
        if ctx.cancelled.is_cancelled() {
            return Ok(Verdict::Snooze(Duration::ZERO));
        }
        let old = pool.blobs.old_objects(shard, AGE).await.map_err(JobError::retry)?;
        for batch in old.chunks(BATCH) {
            objects += remove_orphans(&ctx, &pool, batch).await?;
        }
    }
    if staging + objects > 0 {
        tracing::info!(staging, objects, "removed what was left behind");
    }
    Ok(Verdict::Done)
}

async fn remove_orphans(ctx: &Ctx, pool: &Pool, batch: &[Hash]) -> Result<u64, JobError> {
    let names: Vec<String> = batch.iter().map(Hash::to_string).collect();
    let mut conn = ctx.db().pool().acquire().await?;
    let needed = media::referenced(&mut conn, &names).await?;
    drop(conn);
    let mut removed = 0;
    for name in names.iter().filter(|name| !needed.contains(*name)) {
        removed += u64::from(pool.remove_unneeded(ctx.db(), name).await?);
    }
    Ok(removed)
}
