//! Fetches the file of a submission.

use std::{io, sync::Arc, time::Duration};

use blobs::{StageError, Staged};
use domain::{
    media::{self, Container, HEAD},
    submissions::{self, Failure, FetchImport, Fetched, Submission, SubmissionError},
};
use egress::{GetError, MAX_URL};
use queue::{Ctx, Job as _, JobError, Outcome, Verdict};
use tokio::time::timeout;

use crate::Pool;

/// Why there is no file.
enum Stop {
    /// No further try will bring one.
    Refused(Failure, String),
    /// The other side may do better later; when it wants to be asked again.
    Away(String, Option<Duration>),
    /// Something of ours failed.
    Ours(String),
    /// The worker stops: another one begins anew.
    Cancelled,
}

pub(crate) async fn handle(ctx: Ctx, job: FetchImport, pool: Arc<Pool>) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    let submission = submissions::find(&mut conn, job.submission).await?;
    drop(conn);
    let Some(submission) = submission.filter(Submission::awaits_file) else { return Ok(Verdict::Done) };
    let fetched = tokio::select! {
        fetched = timeout(pool.patience, fetch(&pool, &submission)) => {
            fetched.unwrap_or_else(|_| Err(Stop::Away("it takes too long".to_owned(), None)))
        }
        () = ctx.cancelled.cancelled() => Err(Stop::Cancelled),
    };
    match fetched {
        Ok((staged, head)) => keep(&ctx, &pool, &submission, staged, &head).await,
        Err(stop) => end(&ctx, &submission, stop).await,
    }
}

/// The bytes, on disk and without a name, and the first of them.
async fn fetch(pool: &Pool, submission: &Submission) -> Result<(Staged, Vec<u8>), Stop> {
    let mut answer = pool.client.get(submission.source_url.as_deref().unwrap_or_default()).await?;
    match answer.status() {
        200 => {}
        status @ (408 | 425 | 429 | 500..) => {
            return Err(Stop::Away(format!("it answers with status {status}"), answer.retry_after()));
        }
        status => {
            let detail = format!("there is no file at this address: it answers with status {status}");
            return Err(Stop::Refused(Failure::MediaNotAvailable, detail));
        }
    }
    if answer.length().is_some_and(|length| length > pool.max_bytes) {
        return Err(too_large(pool.max_bytes));
    }
    let mut staging = pool.blobs.stage(pool.max_bytes).await?;
    let mut head = Vec::with_capacity(HEAD);
    while let Some(chunk) = answer.chunk().await? {
        head.extend_from_slice(&chunk[..chunk.len().min(HEAD - head.len())]);
        staging.write(&chunk).await?;
    }
    Ok((staging.seal().await?, head))
}

fn too_large(limit: u64) -> Stop {
    Stop::Refused(Failure::FileTooLarge, format!("the file has more than {limit} bytes"))
}

/// File, row, the order to work on it and "done" become true together: row, rename, commit.
async fn keep(ctx: &Ctx, pool: &Pool, submission: &Submission, staged: Staged, head: &[u8]) -> Outcome {
    let Ok((container, kind)) = Container::of_upload(None, None, head) else {
        let detail = "what is at this address is no file of a kind that is taken".to_owned();
        return end(ctx, submission, Stop::Refused(Failure::InvalidFileContent, detail)).await;
    };
    let (hash, size) = (staged.hash.to_string(), i64::try_from(staged.size).map_err(JobError::discard)?);
    // While no transaction waits for it.
    let staged = match pool.blobs.send(staged).await {
        Ok(staged) => staged,
        Err(error) => return end(ctx, submission, error.into()).await,
    };
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    media::hold(&mut tx, &hash).await?;
    match submissions::arrive(&mut tx, submission, &Fetched { kind, container, hash: &hash, size }).await {
        Ok(()) => {}
        // Rejected meanwhile: nothing of it is to be kept.
        Err(SubmissionError::Moved) => {
            tx.rollback().await?;
            tx = ctx.db().begin().await?;
            ctx.finish(&mut tx).await?;
            tx.commit().await?;
            return Ok(Verdict::Done);
        }
        Err(SubmissionError::Blocked) => {
            tx.rollback().await?;
            let detail = SubmissionError::Blocked.to_string();
            return end(ctx, submission, Stop::Refused(Failure::ContentBlocked, detail)).await;
        }
        Err(error) => return Err(JobError::retry(error)),
    }
    fail::fail_point!("imports::keep::before");
    pool.blobs.publish(staged).await.map_err(JobError::retry)?;
    fail::fail_point!("imports::keep::published");
    tx.commit().await?;
    fail::fail_point!("imports::keep::after");
    Ok(Verdict::Done)
}

/// Ends a run that has no file: for good, or until the next try.
async fn end(ctx: &Ctx, submission: &Submission, stop: Stop) -> Outcome {
    let is_last = ctx.attempt >= FetchImport::RETRY.attempts;
    match stop {
        Stop::Cancelled => Ok(Verdict::Snooze(Duration::ZERO)),
        Stop::Refused(failure, detail) => give_up(ctx, submission, failure, &detail).await,
        Stop::Away(cause, Some(wait)) if !is_last => Err(JobError::RetryAfter(wait, cause)),
        Stop::Away(cause, None) if !is_last => Err(JobError::Retry(cause)),
        Stop::Away(cause, _) => {
            let tries = FetchImport::RETRY.attempts;
            let detail = format!("it could not be fetched, {tries} times, the last time because {cause}");
            give_up(ctx, submission, Failure::MediaNotAvailable, &detail).await
        }
        Stop::Ours(cause) if !is_last => Err(JobError::Retry(cause)),
        // Its last wish tells the sender.
        Stop::Ours(cause) => Err(JobError::Discard(cause)),
    }
}

/// The sender's or the other side's fault, which is a result, so effect and done are one transaction.
async fn give_up(ctx: &Ctx, submission: &Submission, failure: Failure, detail: &str) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    match submissions::fail(&mut tx, submission, failure, detail).await {
        // Moved: it was rejected meanwhile.
        Ok(()) | Err(SubmissionError::Moved) => Ok(tx.commit().await.map(|()| Verdict::Done)?),
        Err(error) => Err(JobError::retry(error)),
    }
}

impl From<GetError> for Stop {
    fn from(error: GetError) -> Self {
        match error {
            GetError::Away(cause) => Self::Away(cause, None),
            GetError::Refused(_) | GetError::Private(_) | GetError::Lost => {
                let detail: String = error.to_string().chars().take(MAX_URL).collect();
                Self::Refused(Failure::InvalidMediaUrl, detail)
            }
        }
    }
}

impl From<StageError> for Stop {
    fn from(error: StageError) -> Self {
        match error {
            StageError::TooLarge { limit } => too_large(limit),
            StageError::Io(error) => error.into(),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Ours(format!("storage: {error}"))
    }
}
