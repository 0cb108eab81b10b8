//! Gives up what a ban has rejected, when it is too late to take that back.

use domain::submissions::{self, GiveBackShelved};
use queue::{Ctx, JobError, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, job: GiveBackShelved) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    // It came back, and was rejected again since.
    if let Some(left) = submissions::give_back_shelved(&mut tx, job.submission).await.map_err(JobError::retry)? {
        return Ok(Verdict::Snooze(left));
    }
    ctx.finish(&mut tx).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}
