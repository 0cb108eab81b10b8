//! Keeps what was said from growing for ever.

use domain::outbox::{self, TrimOutbox};
use queue::{Ctx, Outcome, Verdict};

/// Rows removed in one statement; small enough to hold nobody up.
const AT_ONCE: i64 = 10_000;

/// Each statement commits by itself: a run that is cut short has still done its part.
pub(crate) async fn handle(ctx: Ctx, _job: TrimOutbox) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while outbox::trim(&mut conn, AT_ONCE).await? == AT_ONCE.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}
