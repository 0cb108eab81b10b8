//! Removes archives whose time is over.

use domain::{
    media,
    privacy::{self, SweepExports},
};
use queue::{Ctx, JobError, Outcome, Verdict};

use crate::pool::Pool;

pub(crate) async fn handle(ctx: Ctx, _job: SweepExports, pool: Pool) -> Outcome {
    let over = privacy::forget_expired(&mut *ctx.db().pool().acquire().await?).await?;
    for (export, hash) in over {
        let mut tx = ctx.db().begin().await?;
        media::hold(&mut tx, &hash).await?;
        let was_last = privacy::expire(&mut tx, export, &hash).await.map_err(JobError::retry)?;
        tx.commit().await?;
        if was_last {
            pool.remove_unneeded(ctx.db(), &hash).await?;
        }
    }
    Ok(Verdict::Done)
}
