//! Checks that the stored bytes are those that were sent, and whether we have encoded them before.

use std::io::Read as _;

use domain::{
    media::{self, Container, HEAD},
    submissions::{self, Submission, SubmissionError, UploadState, ValidateUpload},
};
use queue::{Ctx, JobError, Outcome, Verdict};
use sha2::{Digest as _, Sha256};

use crate::{Stop, policy::Refusal, pool::Pool, transcode_upload::share};

pub(crate) async fn handle(ctx: Ctx, job: ValidateUpload, pool: Pool) -> Outcome {
    let Some(submission) = pool.load(&ctx, job.submission, UploadState::Received).await? else {
        return Ok(Verdict::Done);
    };
    if let Err(stop) = check(&pool, &submission).await {
        return pool.stop::<ValidateUpload>(&ctx, &submission, stop).await;
    }

    let mut conn = ctx.db().pool().acquire().await?;
    let known = media::find_asset_of_source(&mut conn, &submission.source_hash, submission.kind).await?;
    drop(conn);
    if let Some(known) = pool.shared(&submission, known) {
        return share(&ctx, &pool, &submission, &known).await;
    }
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    match submissions::advance_to_probe(&mut tx, &submission).await {
        Ok(()) => tx.commit().await?,
        Err(SubmissionError::Moved) => {
            tx.rollback().await?;
            return pool.overtaken(&ctx, None).await;
        }
        Err(error) => return Err(JobError::retry(error)),
    }
    Ok(Verdict::Done)
}

/// The whole file is read once: a disk that gives back other bytes is found here, not on a stream.
async fn check(pool: &Pool, submission: &Submission) -> Result<(), Stop> {
    let mut file = pool.source(submission).await?;
    let read = tokio::task::spawn_blocking(move || {
        let mut hasher = Sha256::new();
        let mut head = Vec::with_capacity(HEAD);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => {
                    head.extend_from_slice(&buffer[..read.min(HEAD - head.len())]);
                    hasher.update(&buffer[..read]);
                }
            }
        }
        let digest: [u8; 32] = hasher.finalize().into();
        std::io::Result::Ok((digest, head))
    });
    let (digest, head) = read.await.map_err(|error| Stop::ours("storage", error))?.map_err(Stop::storage)?;
    if blobs::Hash::from(digest).to_string() != submission.source_hash {
        return Err(Stop::ours("storage", format!("the file {} has changed", submission.source_hash)));
    }
    match Container::sniff(&head) {
        Some(container) if container.can_be(submission.kind) => Ok(()),
        _ => Err(Refusal::content("the file is not what its content type says").into()),
    }
}
