//! Asks ffprobe what is in the file and holds it against the rules.

use std::io::Read as _;

use domain::{
    media::{Container, HEAD},
    submissions::{self, ProbeUpload, Submission, SubmissionError, UploadState},
};
use queue::{Ctx, JobError, Outcome, Verdict};

use crate::{
    Stop, ffprobe,
    policy::{self, Facts, Refusal},
    pool::Pool,
};

pub(crate) async fn handle(ctx: Ctx, job: ProbeUpload, pool: Pool) -> Outcome {
    let Some(submission) = pool.load(&ctx, job.submission, UploadState::Probing).await? else {
        return Ok(Verdict::Done);
    };
    let facts = match probe(&ctx, &pool, &submission).await {
        Ok(facts) => facts,
        Err(stop) => return pool.stop::<ProbeUpload>(&ctx, &submission, stop).await,
    };
    let facts = serde_json::to_value(facts).map_err(JobError::discard)?;
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    match submissions::advance_to_transcode(&mut tx, &submission, &facts).await {
        Ok(()) => tx.commit().await?,
        Err(SubmissionError::Moved) => {
            tx.rollback().await?;
            return pool.overtaken(&ctx, None).await;
        }
        Err(error) => return Err(JobError::retry(error)),
    }
    Ok(Verdict::Done)
}

async fn probe(ctx: &Ctx, pool: &Pool, submission: &Submission) -> Result<Facts, Stop> {
    let mut source = pool.source(submission).await?;
    let container = sniff(&mut source).map_err(Stop::storage)?;
    let container = container.ok_or_else(|| Refusal::content("the file is of no kind that is taken"))?;
    let report = ffprobe::probe(&pool.blobs, &pool.settings, source, container, &ctx.cancelled).await?;
    Ok(policy::judge(&report, submission.kind, container, pool.settings.max_duration)?)
}

/// What the first bytes say. Short, so read in place.
fn sniff(source: &mut std::fs::File) -> std::io::Result<Option<Container>> {
    let mut head = Vec::new();
    source.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok(Container::sniff(&head))
}
