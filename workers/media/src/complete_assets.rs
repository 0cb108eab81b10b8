//! Orders what older assets lack, a few at a time.

use domain::media::{self, CompleteAssets};
use queue::{Ctx, JobError, Outcome, Verdict};

pub(crate) async fn handle(ctx: Ctx, _job: CompleteAssets) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let ordered = media::order_some(&mut tx).await.map_err(JobError::retry)?;
    let left = if ordered > 0 { media::incomplete(&mut tx).await? } else { 0 };
    tx.commit().await?;
    if ordered > 0 {
        tracing::info!(ordered, left, "older memes get loudness, pictures and looks");
    }
    Ok(Verdict::Done)
}
