//! What the handlers of this pool share: the store, the settings, and how a piece of work ends without a result.

use std::sync::Arc;

use blobs::{Blobs, Hash};
use domain::{
    media::{self, Asset, MediaType},
    submissions::{self, Failure, Submission, SubmissionError, UploadState},
};
use queue::{Ctx, Database, Job, JobError, Outcome, Tx, Verdict};
use uuid::Uuid;

use crate::{Settings, Stop, encoder, policy::Refusal};

/// Given to each handler; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub blobs: Blobs,
    pub settings: Arc<Settings>,
}

impl Pool {
    /// The submission, if there is still something to do for it in this state.
    pub(crate) async fn load(&self, ctx: &Ctx, id: Uuid, state: UploadState) -> Result<Option<Submission>, JobError> {
        let mut conn = ctx.db().pool().acquire().await?;
        let submission = submissions::find(&mut conn, id).await?;
        Ok(submission.filter(|submission| submission.upload_state == state))
    }

    /// Opens the uploaded bytes.
    pub(crate) async fn source(&self, submission: &Submission) -> Result<std::fs::File, Stop> {
        let hash = hash(&submission.source_hash)?;
        let file = self.blobs.open_file(&hash).await.map_err(Stop::storage)?;
        file.ok_or_else(|| Stop::ours("storage", format!("the file {hash} is missing")))
    }

    /// The rendition that the same bytes got before, as this submission may show it.
    pub(crate) fn shared(&self, submission: &Submission, known: Option<Asset>) -> Option<Asset> {
        let shown = known.map(|asset| match asset.kind {
            // How long a picture is shown is each sender's own wish.
            MediaType::Image => {
                let wish = encoder::picture_ms(submission.claimed_duration_ms, &self.settings);
                Asset { duration_ms: i32::try_from(wish).unwrap_or(i32::MAX), ..asset }
            }
            _ => asset,
        });
        let limit = i32::try_from(self.settings.max_duration.as_millis()).unwrap_or(i32::MAX);
        shown.filter(|asset| asset.duration_ms <= limit)
    }

    /// Ends a run whose submission has left its state meanwhile: nothing of it is to be kept. `ours`: the file that the run
    /// has published.
    pub(crate) async fn overtaken(&self, ctx: &Ctx, ours: Option<&str>) -> Outcome {
        let mut tx = ctx.db().begin().await?;
        ctx.finish(&mut tx).await?;
        tx.commit().await?;
        if let Some(hash) = ours
            && let Err(error) = self.remove_unneeded(ctx.db(), hash).await
        {
            tracing::warn!(?error, hash, "the sweep will remove this file");
        }
        Ok(Verdict::Done)
    }

    /// Ends a run that has no result. A refusal is the job's result, so effect and done are one transaction; what is our
    /// fault is tried again, and when no try is left, the sender hears of it and the job is a dead letter.
    pub(crate) async fn stop<J: Job>(&self, ctx: &Ctx, submission: &Submission, stop: Stop) -> Outcome {
        match self.whose_fault(stop).await {
            Stop::Cancelled => Ok(Verdict::Snooze(std::time::Duration::ZERO)),
            Stop::Refused(Refusal { failure, detail }) => {
                let mut tx = ctx.db().begin().await?;
                ctx.finish(&mut tx).await?;
                self.give_up(ctx.db(), tx, submission, failure, &detail).await?;
                Ok(Verdict::Done)
            }
            Stop::Ours { cause, .. } if ctx.attempt < J::RETRY.attempts => Err(JobError::Retry(cause)),
            Stop::Ours { failure, cause } => {
                let detail = match failure {
                    Failure::UploadTimeout => "it took too long to work on, every time",
                    _ => "it could not be worked on, by no fault of the file",
                };
                let tx = ctx.db().begin().await?;
                self.give_up(ctx.db(), tx, submission, failure, detail).await?;
                Err(JobError::Discard(cause))
            }
        }
    }

    /// What a program could not write it takes for the end of the file: where there is hardly any room, nobody knows whether
    /// the file is bad.
    async fn whose_fault(&self, stop: Stop) -> Stop {
        let Stop::Refused(refusal) = stop else { return stop };
        match self.blobs.room().await {
            Ok(room) if room < encoder::MOST_OUTPUT => Stop::ours(
                "storage",
                format!("only {room} bytes of room are left, so it is not sure that {}", refusal.detail),
            ),
            _ => Stop::Refused(refusal),
        }
    }

    /// Fails the submission, gives its reference back and commits; then removes the bytes if it was the last.
    pub(crate) async fn give_up(
        &self,
        db: &Database,
        mut tx: Tx,
        submission: &Submission,
        failure: Failure,
        detail: &str,
    ) -> Result<(), JobError> {
        media::hold(&mut tx, &submission.source_hash).await?;
        match submissions::fail(&mut tx, submission, failure, detail).await {
            Ok(()) => {}
            // Another run ended it. Keeping this transaction's first statement (`finish`) is right all the same.
            Err(SubmissionError::Moved) => return Ok(tx.commit().await?),
            Err(error) => return Err(JobError::retry(error)),
        }
        // What was never fetched holds nothing.
        let was_last =
            submission.has_file() && media::release(&mut tx, &submission.source_hash).await.map_err(JobError::retry)?;
        tx.commit().await?;
        fail::fail_point!("media::remove::before");
        if was_last && let Err(error) = self.remove_unneeded(db, &submission.source_hash).await {
            tracing::warn!(?error, hash = submission.source_hash, "the sweep will remove this file");
        }
        fail::fail_point!("media::remove::after");
        Ok(())
    }

    /// Removes the bytes if nothing refers to them; nobody can begin to until they are gone. Whether they were there.
    pub(crate) async fn remove_unneeded(&self, db: &Database, name: &str) -> Result<bool, JobError> {
        let hash = name.parse::<Hash>().map_err(JobError::discard)?;
        let mut tx = db.begin().await?;
        media::hold(&mut tx, name).await?;
        let unneeded = !media::is_referenced(&mut tx, name).await?;
        let removed = unneeded && self.blobs.delete(&hash).await.map_err(JobError::retry)?;
        tx.commit().await?;
        Ok(removed)
    }
}

/// A hash from the database, which checks its form.
pub(crate) fn hash(text: &str) -> Result<Hash, Stop> {
    text.parse().map_err(|error| Stop::ours("database", error))
}
