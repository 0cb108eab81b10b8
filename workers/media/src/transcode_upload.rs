//! Encodes the file anew and makes the meme.

use std::time::Duration;

use domain::{
    media::{self, Asset, MediaError, NewFile},
    submissions::{self, Rendition, Submission, SubmissionError, TranscodeUpload, UploadState},
};
use queue::{Ctx, JobError, Outcome, Verdict};
use tokio::sync::watch;

use crate::{
    Stop,
    encoder::{self, Encoded, Order},
    policy::{Facts, Refusal},
    pool::Pool,
};

/// How often the row hears of the progress, and by how much it must have grown.
const EVERY: Duration = Duration::from_secs(1);
const STEP: i16 = 5;

pub(crate) async fn handle(ctx: Ctx, job: TranscodeUpload, pool: Pool) -> Outcome {
    let Some(submission) = pool.load(&ctx, job.submission, UploadState::Transcoding).await? else {
        return Ok(Verdict::Done);
    };
    let mut conn = ctx.db().pool().acquire().await?;
    let known = media::find_asset_of_source(&mut conn, &submission.source_hash, submission.kind).await?;
    drop(conn);
    // Made while this one waited for its turn.
    if let Some(known) = pool.shared(&submission, known) {
        return share(&ctx, &pool, &submission, &known).await;
    }
    let facts: Facts = match serde_json::from_value(submission.probe.clone().unwrap_or_default()) {
        Ok(facts) => facts,
        Err(error) => {
            let stop = Stop::ours("the stored probe", error);
            return pool.stop::<TranscodeUpload>(&ctx, &submission, stop).await;
        }
    };
    match encode(&ctx, &pool, &submission, &facts).await {
        Ok(encoded) => publish(&ctx, &pool, &submission, encoded).await,
        Err(stop) => pool.stop::<TranscodeUpload>(&ctx, &submission, stop).await,
    }
}

/// The submission gets the rendition that another upload of the same bytes has.
pub(crate) async fn share(ctx: &Ctx, pool: &Pool, submission: &Submission, known: &Asset) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    media::hold(&mut tx, &known.file_hash).await?;
    match submissions::reuse(&mut tx, submission, known).await {
        Ok(()) => tx.commit().await?,
        Err(SubmissionError::Moved) => {
            tx.rollback().await?;
            return pool.overtaken(ctx, None).await;
        }
        Err(SubmissionError::Blocked) => {
            tx.rollback().await?;
            return pool.stop::<TranscodeUpload>(ctx, submission, Refusal::blocked().into()).await;
        }
        // That other one was rejected meanwhile: this one is encoded then.
        Err(SubmissionError::Media(MediaError::FileNotFound(_))) => return Ok(Verdict::Snooze(Duration::ZERO)),
        Err(error) => return Err(JobError::retry(error)),
    }
    Ok(Verdict::Done)
}

/// Encodes while the row is told how far it is.
async fn encode(ctx: &Ctx, pool: &Pool, submission: &Submission, facts: &Facts) -> Result<Encoded, Stop> {
    let source = pool.source(submission).await?;
    let order = Order { kind: submission.kind, facts, claimed_ms: submission.claimed_duration_ms };
    let (progress, watched) = watch::channel(0);
    let encoding = encoder::encode(&pool.blobs, &pool.settings, source, &order, progress, &ctx.cancelled);
    tokio::pin!(encoding);
    let mut told = submission.progress;
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    loop {
        tokio::select! {
            encoded = &mut encoding => return encoded,
            _ = ticks.tick() => {
                let now = *watched.borrow();
                if now >= told + STEP {
                    told = now;
                    note(ctx, submission, now).await;
                }
            }
        }
    }
}

/// For whoever watches; the work goes on if it cannot be written.
async fn note(ctx: &Ctx, submission: &Submission, per_cent: i16) {
    let noted = async {
        let mut tx = ctx.db().begin().await?;
        submissions::tell_progress(&mut tx, submission, per_cent).await?;
        Ok::<_, SubmissionError>(tx.commit().await?)
    };
    if let Err(error) = noted.await {
        tracing::debug!(%error, "progress was not noted");
    }
}

/// File, asset, meme and "done" become true together: row, rename, commit.
async fn publish(ctx: &Ctx, pool: &Pool, submission: &Submission, encoded: Encoded) -> Outcome {
    let (hash, bytes) = (encoded.staged.hash.to_string(), encoded.staged.size);
    let (width, height) = encoded.size.map_or((None, None), |(w, h)| (i32::try_from(w).ok(), i32::try_from(h).ok()));
    let size = i64::try_from(bytes).map_err(JobError::discard)?;
    let file = NewFile { hash: &hash, size, mime_type: encoded.mime_type };
    let Encoded { duration_ms, loudness, look, .. } = encoded;
    let rendition = Rendition { file, look: look.as_ref(), duration_ms, width, height, loudness };

    // While no transaction waits for it.
    let staged = match pool.blobs.send(encoded.staged).await {
        Ok(staged) => staged,
        Err(error) => return pool.stop::<TranscodeUpload>(ctx, submission, Stop::storage(error)).await,
    };
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    media::hold(&mut tx, &hash).await?;
    fail::fail_point!("media::publish::before");
    pool.blobs.publish(staged).await.map_err(JobError::retry)?;
    fail::fail_point!("media::publish::after");
    match submissions::complete(&mut tx, submission, rendition).await {
        Ok(()) => tx.commit().await?,
        Err(SubmissionError::Moved) => {
            tx.rollback().await?;
            return pool.overtaken(ctx, Some(&hash)).await;
        }
        Err(SubmissionError::Blocked) => {
            tx.rollback().await?;
            let outcome = pool.stop::<TranscodeUpload>(ctx, submission, Refusal::blocked().into()).await;
            if let Err(error) = pool.remove_unneeded(ctx.db(), &hash).await {
                tracing::warn!(?error, hash, "the sweep will remove this file");
            }
            return outcome;
        }
        Err(error) => return Err(JobError::retry(error)),
    }
    Ok(Verdict::Done)
}
