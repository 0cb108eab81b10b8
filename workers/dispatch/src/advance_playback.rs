//! Starts what may start on channels' screens.

use std::collections::BTreeSet;

use domain::{activations::AdvancePlayback, playback};
use queue::{JobError, Outcome, Together, Verdict};

use crate::retry;

pub(crate) async fn handle(mut together: Together<AdvancePlayback>) -> Outcome {
    let outcome = advance(&mut together).await;
    match (&outcome, several(&together)) {
        // One channel's trouble must not be the others': from now on each goes its own way.
        (Err(JobError::Retry(_)), Some(orders)) => split(&mut together, &orders).await,
        _ => outcome,
    }
}

async fn advance(together: &mut Together<AdvancePlayback>) -> Outcome {
    let mut tx = together.db().begin().await?;
    together.finish(&mut tx).await?;
    let channels: BTreeSet<_> = together.jobs().flat_map(|job| job.channels.iter().copied()).collect();
    let channels: Vec<_> = channels.into_iter().collect();
    playback::advance(&mut tx, &channels).await.map_err(retry)?;
    fail::fail_point!("playback::advance::before");
    tx.commit().await?;
    fail::fail_point!("playback::advance::after");
    Ok(Verdict::Done)
}

/// The orders into which a job falls that is handled by itself and names several channels.
fn several(together: &Together<AdvancePlayback>) -> Option<Vec<AdvancePlayback>> {
    let mut jobs = together.jobs();
    let channels = &jobs.next()?.channels;
    let alone = jobs.next().is_none() && channels.len() > 1;
    alone.then(|| channels.iter().copied().map(AdvancePlayback::of).collect())
}

async fn split(together: &mut Together<AdvancePlayback>, orders: &[AdvancePlayback]) -> Outcome {
    let mut tx = together.db().begin().await?;
    together.finish(&mut tx).await?;
    for order in orders {
        queue::enqueue(&mut tx, order).await?;
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}
