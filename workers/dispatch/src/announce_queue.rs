//! Tells panel, page and overlay how channels' queues stand.

use domain::playback::{self, AnnounceQueue};
use queue::{Outcome, Together, Verdict};

use crate::retry;

pub(crate) async fn handle(mut together: Together<AnnounceQueue>) -> Outcome {
    let mut tx = together.db().begin().await?;
    together.finish(&mut tx).await?;
    let channels: Vec<_> = together.jobs().map(|job| job.channel_id).collect();
    playback::announce(&mut tx, &channels).await.map_err(retry)?;
    tx.commit().await?;
    Ok(Verdict::Done)
}
