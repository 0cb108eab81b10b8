//! What has been shown goes into the statistics.

use domain::stats::{self, RollUpPlays};
use queue::{Ctx, Outcome, Verdict};

/// Plays of one transaction; few enough to hold nobody up.
const SOME: i64 = 1_000;

/// Each transaction marks what it has counted, so a run that is cut short has still done its part.
pub(crate) async fn handle(ctx: Ctx, _job: RollUpPlays) -> Outcome {
    loop {
        let mut tx = ctx.db().begin().await?;
        let counted = stats::roll_up(&mut tx, SOME).await?;
        tx.commit().await?;
        if counted < SOME || ctx.cancelled.is_cancelled() {
            return Ok(Verdict::Done);
        }
    }
}
