//! Brings back what a ban had rejected that was taken back.

use domain::submissions::{self, ReturnSubmissions};
use queue::{Ctx, JobError, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, job: ReturnSubmissions) -> Outcome {
    loop {
        let mut tx = ctx.db().begin().await?;
        if submissions::return_some(&mut tx, job.submitter).await.map_err(JobError::retry)? == 0 {
            return Ok(Verdict::Done);
        }
        tx.commit().await?;
    }
}
