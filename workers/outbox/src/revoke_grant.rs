//! Tell a platform that it may take its tokens back.

use std::sync::Arc;

use domain::{
    access::Vault,
    identities::{self, RevokeGrant},
};
use identity::{IdentityError, Platforms};
use queue::{Ctx, Job, JobError, Outcome, Verdict};

/// As well as it can be done: what the platform refuses, or does not hear in a day and a half, is forgotten here.
pub(crate) async fn handle(ctx: Ctx, job: RevokeGrant, platforms: Platforms, vault: Arc<Vault>) -> Outcome {
    let found = {
        let mut conn = ctx.db().pool().acquire().await?;
        identities::find_revoked(&mut conn, &vault, job.grant_id).await.map_err(JobError::retry)?
    };
    fail::fail_point!("identities::revoke::before");
    let told = match &found {
        Some(grant) => platforms.revoke(grant.provider, grant.access.as_ref(), grant.refresh.as_ref()).await,
        None => Ok(()),
    };
    fail::fail_point!("identities::revoke::after");
    if let Err(error) = &told {
        let last = ctx.attempt >= RevokeGrant::RETRY.attempts;
        if !last && matches!(error, IdentityError::Unavailable(_)) {
            return Err(JobError::retry(error));
        }
        tracing::warn!(grant = %job.grant_id, %error, "tokens of an account that was unlinked are not taken back");
    }
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    identities::forget_revoked(&mut tx, job.grant_id).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}
