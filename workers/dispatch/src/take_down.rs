//! Takes what shall not be shown any more off queues and screens.

use domain::playback::{self, TakeDown};
use queue::{Ctx, Outcome, Verdict};

use crate::retry;

/// Some of one channel at a time, so that nobody waits long for its lane; what is done stays done.
pub(crate) async fn handle(ctx: Ctx, job: TakeDown) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    let channels = playback::channels_with(&mut tx, &job.unwanted).await.map_err(retry)?;
    tx.commit().await?;
    for channel in channels {
        loop {
            let mut tx = ctx.db().begin().await?;
            let more = playback::take_down(&mut tx, channel, &job.unwanted).await.map_err(retry)?;
            tx.commit().await?;
            if !more {
                break;
            }
        }
    }
    Ok(Verdict::Done)
}
