//! Starts what may start on channels' screens.

use domain::{activations::AdvancePlayback, playback};
use queue::{Outcome, Together, Verdict};

use crate::retry;

pub(crate) async fn handle(mut together: Together<AdvancePlayback>) -> Outcome {
    let mut tx = together.db().begin().await?;
    together.finish(&mut tx).await?;
    let channels: Vec<_> = together.jobs().map(|job| job.channel_id).collect();
    playback::advance(&mut tx, &channels).await.map_err(retry)?;
    fail::fail_point!("playback::advance::before");
    tx.commit().await?;
    fail::fail_point!("playback::advance::after");
    Ok(Verdict::Done)
}
