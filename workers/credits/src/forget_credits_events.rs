//! Forgets ids of old events.

use domain::credits::{self, ForgetCreditsEvents};
use queue::{Ctx, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, _: ForgetCreditsEvents) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    credits::forget_old_events(&mut tx).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}
