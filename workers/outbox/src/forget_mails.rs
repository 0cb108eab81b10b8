//! Keeps what was mailed from growing for ever.

use domain::mails::{self, ForgetMails};
use queue::{Ctx, Outcome, Verdict};

/// Rows removed in one statement; small enough to hold nobody up.
const AT_ONCE: i64 = 10_000;

/// Each statement commits by itself: a run that is cut short has still done its part.
pub(crate) async fn handle(ctx: Ctx, _job: ForgetMails) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    while mails::forget_old(&mut conn, AT_ONCE).await? == AT_ONCE.unsigned_abs() && !ctx.cancelled.is_cancelled() {}
    Ok(Verdict::Done)
}
