//! Gives back what has waited too long on a channel.

use domain::playback::{self, ExpireWaiting};
use queue::{Ctx, Outcome, Verdict};

use crate::retry;

pub(crate) async fn handle(ctx: Ctx, job: ExpireWaiting) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    playback::expire_waiting(&mut tx, job.channel_id).await.map_err(retry)?;
    fail::fail_point!("playback::expire_waiting::before");
    tx.commit().await?;
    fail::fail_point!("playback::expire_waiting::after");
    Ok(Verdict::Done)
}
