//! Ask platforms who is live: for what was told while nobody heard it, and where nothing is told at all.

use std::{collections::HashMap, time::Duration};

use domain::{
    channels::{self, Heard, StreamOf},
    identities::Provider,
    subscriptions::PollStreams,
};
use helix::Helix;
use queue::{Ctx, JobError, Outcome, Verdict};
use time::OffsetDateTime;
use uuid::Uuid;
use vkvideo::{Slug, VkVideo};
use webapi::{ApiError, Caller};

use crate::sync_subscriptions::error_of;

/// Of one question.
const AT_ONCE: i64 = 100;
/// The list of streams is late by a few minutes: one that has just begun may not be in it, and one that is over may be.
const LATE: Duration = Duration::from_mins(5);

/// Platforms that can be asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) helix: Helix,
    pub(crate) vkvideo: VkVideo,
}

/// Since when streams go on, by the channel's id there.
type Live = HashMap<String, OffsetDateTime>;

impl Asked {
    fn is_configured(&self, provider: Provider) -> bool {
        match provider {
            Provider::VkVideo => self.vkvideo.check().is_ok(),
            _ => self.helix.check().is_ok(),
        }
    }

    async fn live(&self, provider: Provider, some: &[StreamOf]) -> Result<Live, ApiError> {
        if provider == Provider::VkVideo {
            let slugs: Vec<Slug> = some.iter().filter_map(|channel| Slug::parse(channel.login.as_deref()?)).collect();
            let all = self.vkvideo.channels(Caller::App, &slugs).await?;
            let live = all.into_iter().filter_map(|channel| Some((channel.id, channel.stream?.started_at?)));
            return Ok(live.collect());
        }
        let accounts: Vec<String> = some.iter().map(|channel| channel.account.clone()).collect();
        let streams = self.helix.streams(Caller::App, &accounts).await?;
        Ok(streams.into_iter().map(|stream| (stream.user_id, stream.started_at)).collect())
    }
}

pub(crate) async fn handle(ctx: Ctx, _job: PollStreams, asked: Asked) -> Outcome {
    let mut outcome = Ok(Verdict::Done);
    for provider in [Provider::Twitch, Provider::VkVideo] {
        // That one platform does not answer is no reason not to ask another.
        if asked.is_configured(provider)
            && let Err(error) = poll(&ctx, provider, &asked).await
        {
            outcome = Err(error);
        }
    }
    outcome
}

async fn poll(ctx: &Ctx, provider: Provider, asked: &Asked) -> Result<(), JobError> {
    let mut after = Uuid::nil();
    loop {
        let (some, now) = {
            let mut conn = ctx.db().pool().acquire().await?;
            let some = channels::with_streams(&mut conn, provider, after, AT_ONCE).await?;
            (some, channels::moment(&mut conn).await?)
        };
        let Some(last) = some.last() else { return Ok(()) };
        after = last.channel_id;
        let began = asked.live(provider, &some).await.map_err(error_of)?;
        for channel in &some {
            compare(ctx, provider, channel, began.get(&channel.account).copied(), now).await?;
        }
    }
}

/// What is known of a stream with what the platform says now.
async fn compare(
    ctx: &Ctx,
    provider: Provider,
    known: &StreamOf,
    began: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), JobError> {
    let lately = |at: &OffsetDateTime| now - *at <= LATE;
    let heard = match (began, &known.live_since) {
        // It has just been told that it is over.
        (Some(_), None) if known.ended_at.as_ref().is_some_and(lately) => return Ok(()),
        (Some(began), None) => Heard::Seen { began, at: now },
        (None, Some(since)) if !lately(since) => Heard::Ended(now),
        _ => return Ok(()),
    };
    let mut tx = ctx.db().begin().await?;
    let changed = channels::hear_of_stream(&mut tx, known.channel_id, provider, heard).await;
    let changed = changed.map_err(JobError::retry)?;
    tx.commit().await?;
    if let Some(live) = changed {
        tracing::info!(channel.id = %known.channel_id, %provider, live, "a stream began or ended, and nobody told");
    }
    Ok(())
}
