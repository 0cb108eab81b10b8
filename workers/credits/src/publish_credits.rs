//! Tell the overlay the present credits, at most once a second and the last value always.

use domain::credits::{self, PublishCredits, Published};
use queue::{Ctx, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, job: PublishCredits) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    match credits::publish(&mut tx, job.channel_id).await? {
        Published::Done => {
            fail::fail_point!("credits::publish::before");
            tx.commit().await?;
            fail::fail_point!("credits::publish::after");
            Ok(Verdict::Done)
        }
        Published::TooSoon(rest) => {
            // The job is not finished after all: it comes again, or folds into one that waits.
            tx.rollback().await?;
            Ok(Verdict::Snooze(rest))
        }
    }
}
