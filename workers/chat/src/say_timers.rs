//! Says what is due from time to time.

use std::sync::Arc;

use domain::{
    outbox::{OutboxError, Provider},
    timers::{self, SayTimers, TimerError},
};
use queue::{Ctx, JobError, Outcome, Verdict};

use crate::{Settings, platforms};

/// Timers of one run; what is left over is due for the next one, which is ordered at once.
const AT_ONCE: i64 = 200;

pub(crate) async fn handle(ctx: Ctx, _job: SayTimers, settings: Arc<Settings>) -> Outcome {
    let own: Vec<String> = Provider::ALL
        .into_iter()
        .filter_map(|platform| platforms::connector_for(platform, &settings).ok())
        .filter_map(|connector| connector.account().map(str::to_owned))
        .collect();
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let looked_at = timers::say_due(&mut tx, &settings.public_url, &own, AT_ONCE).await.map_err(timer_error)?;
    if i64::try_from(looked_at).unwrap_or(i64::MAX) >= AT_ONCE {
        queue::enqueue(&mut tx, &SayTimers::default()).await?;
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}

fn timer_error(error: TimerError) -> JobError {
    match error {
        TimerError::Outbox(OutboxError::Enqueue(error)) => error.into(),
        TimerError::Outbox(OutboxError::Database(error)) | TimerError::Database(error) => error.into(),
        other => JobError::retry(other),
    }
}
