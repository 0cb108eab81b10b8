//! Periodic work that keeps tables small and screens true.

use domain::{
    adjustments::{self, ForgetPendingCoins},
    attempts::{self, ForgetAttempts},
    budgets::{self, ForgetBudgets},
    events::{self, TrimEvents},
    grants,
    playback::{self, SweepScreens},
    requests::{self, ForgetRequests},
    sessions::{self, ForgetSessions},
    tokens::{self, ForgetTokens},
};
use queue::{Ctx, Outcome, Verdict};

use crate::retry;

/// Forgets screens whose process died.
pub(crate) async fn sweep_screens(ctx: Ctx, _job: SweepScreens) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    playback::sweep(&mut tx).await.map_err(retry)?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Forgets stored answers after their time.
pub(crate) async fn forget_requests(ctx: Ctx, _job: ForgetRequests) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    requests::forget_old(&mut tx).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Forgets what was used of budgets whose time is over.
pub(crate) async fn forget_budgets(ctx: Ctx, _job: ForgetBudgets) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    budgets::forget_ended(&mut tx).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Rows removed in one statement; small enough to hold nobody up.
const TRIM: i64 = 10_000;

/// Forgets events after a day. Nothing else depends on which of them are gone, so each statement commits by itself and a
/// run that is cut short has still done its part.
pub(crate) async fn trim_events(ctx: Ctx, _job: TrimEvents) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while events::trim(&mut conn, TRIM).await? == TRIM.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    events::trim_streams(&mut conn).await?;
    Ok(Verdict::Done)
}

/// Forgets sessions a month after their end, in the same way.
pub(crate) async fn forget_sessions(ctx: Ctx, _job: ForgetSessions) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while sessions::forget_old(&mut conn, TRIM).await? == TRIM.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}

/// Forgets how often somebody guessed, in the same way.
pub(crate) async fn forget_attempts(ctx: Ctx, _job: ForgetAttempts) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while attempts::forget_old(&mut conn, TRIM).await? == TRIM.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}

/// Forgets tokens that are over, and where tokens were used, in the same way.
pub(crate) async fn forget_tokens(ctx: Ctx, _job: ForgetTokens) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while tokens::forget_old(&mut conn, TRIM).await? == TRIM.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}

/// Forgets coins that nobody came for, and old decisions about adjustments, in the same way.
pub(crate) async fn forget_pending_coins(ctx: Ctx, _job: ForgetPendingCoins) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while grants::forget_over(&mut conn, TRIM).await? == TRIM.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    while adjustments::forget_over(&mut conn, TRIM).await? == TRIM.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}
