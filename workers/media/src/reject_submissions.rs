//! Rejects what somebody who was banned has sent in and nobody has decided about.

use domain::submissions::{self, RejectSubmissions};
use queue::{Ctx, JobError, Outcome, Verdict};

/// For the sender, beside the decision.
const REASON: &str = "its sender was banned";

pub(crate) async fn handle(ctx: Ctx, job: RejectSubmissions) -> Outcome {
    loop {
        let mut tx = ctx.db().begin().await?;
        if submissions::shelve_some(&mut tx, job.submitter, job.channel, REASON).await.map_err(JobError::retry)? == 0 {
            return Ok(Verdict::Done);
        }
        tx.commit().await?;
    }
}
