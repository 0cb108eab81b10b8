//! Forgets who was in the credits of a session that is over.

use domain::credits::{self, ForgetCreditsSession};
use queue::{Ctx, Outcome, Verdict};

/// Rows of one kind removed in one statement; small enough to hold nobody up.
const AT_ONCE: i64 = 10_000;

/// Each statement commits by itself: a run that is cut short has still done its part.
pub(crate) async fn handle(ctx: Ctx, job: ForgetCreditsSession) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while credits::forget_session(&mut conn, job.session_id, AT_ONCE).await? == AT_ONCE.unsigned_abs()
        && !ctx.cancelled.is_cancelled()
    {}
    Ok(Verdict::Done)
}
