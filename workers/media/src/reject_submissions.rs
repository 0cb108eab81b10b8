//! Rejects what somebody who was banned has sent in and nobody has decided about.

use domain::{
    accounts,
    submissions::{self, RejectSubmissions},
};
use queue::{Ctx, JobError, Outcome, Verdict};

/// For the sender, beside the decision.
const REASON: &str = "its sender was banned";

pub(crate) async fn handle(ctx: Ctx, job: RejectSubmissions) -> Outcome {
    loop {
        let mut tx = ctx.db().begin().await?;
        let sender = accounts::find(&mut tx, job.submitter).await?;
        // The ban may have been taken back before this began.
        if sender.is_none_or(|sender| sender.banned_at.is_none()) {
            return Ok(Verdict::Done);
        }
        let rejected = submissions::reject_some(&mut tx, job.submitter, Some(REASON)).await;
        if rejected.map_err(JobError::retry)? == 0 {
            return Ok(Verdict::Done);
        }
        tx.commit().await?;
    }
}
