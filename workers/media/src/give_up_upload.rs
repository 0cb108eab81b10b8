//! Ends a submission whose job was given up before its last word: its process died under it again and again, it was too
//! slow or panicked every time, or somebody discarded it.

use domain::submissions::{Failure, GiveUpUpload};
use queue::{Ctx, Outcome, Verdict};

use crate::pool::Pool;

pub(crate) async fn handle(ctx: Ctx, job: GiveUpUpload, pool: Pool) -> Outcome {
    let Some(submission) = pool.load(&ctx, job.submission, job.state).await? else { return Ok(Verdict::Done) };
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let detail = "it could not be worked on, by no fault of the file";
    pool.give_up(ctx.db(), tx, &submission, Failure::UploadFailed, detail).await?;
    Ok(Verdict::Done)
}
