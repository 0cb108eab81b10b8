//! Ask platforms whether the tokens that we keep are still good: Twitch demands it each hour of whoever keeps any.

use std::sync::Arc;

use domain::{
    access::Vault,
    identities::{self, TokenError, ValidateGrant, ValidateGrants},
};
use identity::Platforms;
use queue::{Ctx, JobError, Outcome, Verdict};
use uuid::Uuid;

/// Orders of one transaction.
const AT_ONCE: i64 = 500;

/// Orders one job an account: one that fails is tried again by itself.
pub(crate) async fn all(ctx: Ctx, _job: ValidateGrants, platforms: Platforms) -> Outcome {
    for provider in platforms.validating() {
        let mut after = Uuid::nil();
        loop {
            let mut tx = ctx.db().begin().await?;
            let accounts = identities::to_validate(&mut tx, provider, after, AT_ONCE).await?;
            for account_id in accounts.iter().copied() {
                queue::enqueue(&mut tx, &ValidateGrant { account_id }).await?;
            }
            tx.commit().await?;
            match accounts.last() {
                Some(last) if !ctx.cancelled.is_cancelled() => after = *last,
                _ => break,
            }
        }
    }
    Ok(Verdict::Done)
}

/// A token that is not good any more is renewed; where that is refused, too, the person must link the account again.
pub(crate) async fn one(ctx: Ctx, job: ValidateGrant, platforms: Platforms, vault: Arc<Vault>) -> Outcome {
    let provider = {
        let mut conn = ctx.db().pool().acquire().await?;
        identities::find_provider(&mut conn, job.account_id).await?
    };
    let Some(provider) = provider else { return Ok(Verdict::Done) };
    let account = job.account_id;
    let token = match platforms.fresh_token(ctx.db(), &vault, account, None).await {
        Ok(token) => token,
        Err(error) => return without(error),
    };
    if platforms.is_valid(provider, &token).await.map_err(JobError::retry)? {
        return Ok(Verdict::Done);
    }
    match platforms.fresh_token(ctx.db(), &vault, account, Some(token)).await {
        Ok(_) => Ok(Verdict::Done),
        Err(error) => without(error),
    }
}

fn without(error: TokenError) -> Outcome {
    match error {
        // The account says so by itself.
        TokenError::NotFound | TokenError::Relink(_) => Ok(Verdict::Done),
        TokenError::Vault(error) => Err(JobError::discard(error)),
        TokenError::Unavailable(_) | TokenError::Database(_) => Err(JobError::retry(error)),
    }
}
