//! Watches the clock of one play.

use domain::playback::{self, ExpirePlay, Overdue};
use queue::{Ctx, Outcome, Verdict};

use crate::retry;

pub(crate) async fn handle(ctx: Ctx, job: ExpirePlay) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    let overdue = playback::overdue(&mut conn, job.activation_id, job.play_epoch).await?;
    drop(conn);
    match overdue {
        Overdue::Over => Ok(Verdict::Done),
        Overdue::NotYet(left) => Ok(Verdict::Snooze(left)),
        Overdue::Now => {
            let mut tx = ctx.db().begin().await?;
            ctx.finish(&mut tx).await?;
            playback::expire_play(&mut tx, job.activation_id, job.play_epoch).await.map_err(retry)?;
            fail::fail_point!("playback::expire_play::before");
            tx.commit().await?;
            fail::fail_point!("playback::expire_play::after");
            Ok(Verdict::Done)
        }
    }
}
