//! Ask Twitch who is live: for what was told while nobody heard it, and where nothing is told at all.

use std::{collections::HashMap, time::Duration};

use domain::{
    channels::{self, Heard, StreamOf},
    identities::Provider,
    subscriptions::PollStreams,
};
use helix::{Caller, Helix};
use queue::{Ctx, JobError, Outcome, Verdict};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::sync_subscriptions::error_of;

/// Of one question.
const AT_ONCE: i64 = 100;
/// The list of streams is late by a few minutes: one that has just begun may not be in it, and one that is over may be.
const LATE: Duration = Duration::from_mins(5);

pub(crate) async fn handle(ctx: Ctx, _job: PollStreams, helix: Helix) -> Outcome {
    if helix.check().is_err() {
        return Ok(Verdict::Done);
    }
    let mut after = Uuid::nil();
    loop {
        let (some, now) = {
            let mut conn = ctx.db().pool().acquire().await?;
            (channels::with_streams(&mut conn, after, AT_ONCE).await?, channels::moment(&mut conn).await?)
        };
        let Some(last) = some.last() else { return Ok(Verdict::Done) };
        after = last.channel_id;
        let accounts: Vec<String> = some.iter().map(|channel| channel.account.clone()).collect();
        let streams = helix.streams(Caller::App, &accounts).await.map_err(error_of)?;
        let began: HashMap<&str, OffsetDateTime> =
            streams.iter().map(|stream| (&*stream.user_id, stream.started_at)).collect();
        for StreamOf { channel_id, account, live_since, ended_at } in &some {
            let lately = |at: &OffsetDateTime| now - *at <= LATE;
            let heard = match (began.get(&**account), live_since) {
                // It has just been told that it is over.
                (Some(_), None) if ended_at.as_ref().is_some_and(lately) => continue,
                (Some(began), None) => Heard::Seen { began: *began, at: now },
                (None, Some(since)) if !lately(since) => Heard::Ended(now),
                _ => continue,
            };
            let mut tx = ctx.db().begin().await?;
            let changed = channels::hear_of_stream(&mut tx, *channel_id, Provider::Twitch, heard).await;
            let changed = changed.map_err(JobError::retry)?;
            tx.commit().await?;
            if let Some(live) = changed {
                tracing::info!(channel.id = %channel_id, live, "a stream began or ended, and nobody told");
            }
        }
    }
}
