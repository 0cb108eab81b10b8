//! Ends messages whose job is dead.

use domain::outbox::{self, EndStaleMessages};
use queue::{Ctx, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, _: EndStaleMessages) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let ended = outbox::drop_stale(&mut tx).await?;
    tx.commit().await?;
    if ended > 0 {
        tracing::warn!(ended, "messages were left behind by their jobs");
    }
    Ok(Verdict::Done)
}
