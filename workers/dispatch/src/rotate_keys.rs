//! Brings what is sealed under another key under the present one.

use std::sync::Arc;

use domain::{
    access::Vault,
    keys::{self, KeysError, Progress, RotateKeys},
};
use queue::{Ctx, JobError, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, job: RotateKeys, vault: Arc<Vault>) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let progress = keys::advance(&mut tx, &vault, job).await.map_err(|error| match error {
        KeysError::Restless { .. } => JobError::discard(error),
        _ => JobError::retry(error),
    })?;
    tx.commit().await?;
    if let Progress::Complete(done) = progress {
        let RotateKeys { key, renewed, unreadable, .. } = done;
        tracing::info!(key, renewed, unreadable, "the rotation is complete");
    }
    Ok(Verdict::Done)
}
