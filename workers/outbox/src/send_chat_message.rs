//! Say one message in its chat.
//!
//! The write stands between two transactions. The first makes the message `processing`; the second says what came of it.
//! A run that ends between the two leaves `processing` behind, and the next run knows that it must not write again.

use std::{sync::Arc, time::Duration};

use domain::outbox::{self, Claim, SendChatMessage, Text, budget::Place};
use metrics::counter;
use queue::{Ctx, Job, JobError, Outcome, Verdict};
use uuid::Uuid;

use crate::{
    Delivery, telemetry,
    voices::{Pace, Silent, Voices},
};

pub(crate) async fn handle(ctx: Ctx, job: SendChatMessage, voices: Arc<Voices>, spacing: Duration) -> Outcome {
    let id = job.message_id;
    let voice = match voices.of(ctx.db(), job.provider, job.channel_id).await {
        Ok(voice) => voice,
        Err(Silent::For(reason)) => return end(&ctx, id, End::Failed(&reason)).await,
        Err(Silent::Now(reason)) => return again(&ctx, id, &reason, None).await,
        Err(Silent::Database(error)) => return Err(error.into()),
    };
    let mut tx = ctx.db().begin().await?;
    let (text, channel) = match outbox::begin(&mut tx, id, &voice.account, voice.limit, spacing).await? {
        Claim::Write { text, channel, vary } => {
            tx.commit().await?;
            // What the outbox holds was a text when it was put there.
            let text = Text::new(&text).map_err(JobError::discard)?;
            (if vary { text.varied() } else { text }, channel)
        }
        Claim::Wait(wait) => {
            tx.rollback().await?;
            return Ok(Verdict::Snooze(wait));
        }
        Claim::Nothing => {
            ctx.finish(&mut tx).await?;
            tx.commit().await?;
            return Ok(Verdict::Done);
        }
        Claim::Hopeless(reason) => {
            tx.rollback().await?;
            return end(&ctx, id, End::Failed(reason)).await;
        }
    };
    let pace = Pace { place: Place { channel_id: job.channel_id, provider: job.provider }, spacing };
    fail::fail_point!("outbox::send::before");
    let delivery = voices.say(ctx.db(), &voice, pace, &channel, &text).await;
    fail::fail_point!("outbox::send::after");
    match delivery {
        Delivery::Sent { provider_message_id } => end(&ctx, id, End::Sent(provider_message_id.as_deref())).await,
        Delivery::Doubtful(reason) => end(&ctx, id, End::Doubtful(&reason)).await,
        Delivery::NotWritten(reason) => again(&ctx, id, &reason, None).await,
        Delivery::Later(wait, reason) => again(&ctx, id, &reason, wait).await,
        Delivery::Refused { code } => match after_refusal(&code) {
            Some(wait) => again(&ctx, id, &code, Some(wait)).await,
            None => end(&ctx, id, End::Failed(&code)).await,
        },
    }
}

/// How long to wait before the same message is tried again; `None`: never.
fn after_refusal(code: &str) -> Option<Duration> {
    match code {
        "msg_ratelimit" => Some(Duration::from_secs(30)),
        "msg_slowmode" => Some(Duration::from_secs(10)),
        // Tried again in another shape.
        "msg_duplicate" | "msg_r9k" | "same_message" => Some(Duration::from_secs(1)),
        _ => None,
    }
}

/// How a message ends.
#[derive(Clone, Copy)]
enum End<'a> {
    Sent(Option<&'a str>),
    Failed(&'a str),
    Doubtful(&'a str),
}

impl End<'_> {
    async fn write(self, tx: &mut queue::Tx, id: Uuid) -> Result<&'static str, sqlx::Error> {
        match self {
            Self::Sent(provider_message_id) => {
                outbox::sent(tx, id, provider_message_id).await?;
                Ok("sent")
            }
            Self::Failed(reason) => {
                outbox::fail(tx, id, reason).await?;
                tracing::warn!(outbox.id = %id, reason, "a chat message is given up");
                Ok("failed")
            }
            Self::Doubtful(reason) => {
                let status = outbox::lose(tx, id, reason).await?;
                tracing::warn!(outbox.id = %id, reason, status = status.as_str(), "a chat message was not confirmed");
                Ok("unknown")
            }
        }
    }
}

/// Writes the end of the message and of the job in one transaction.
async fn end(ctx: &Ctx, id: Uuid, end: End<'_>) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    let stale = match ctx.finish(&mut tx).await {
        Ok(()) => false,
        // Another worker owns the job by now. What was said was said all the same: only we know it.
        Err(JobError::Stale) => {
            tx.rollback().await?;
            tx = ctx.db().begin().await?;
            true
        }
        Err(error) => return Err(error),
    };
    let result = end.write(&mut tx, id).await?;
    tx.commit().await?;
    counter!(telemetry::MESSAGES, "result" => result).increment(1);
    if stale { Err(JobError::Stale) } else { Ok(Verdict::Done) }
}

/// Back to `pending` for the next run; after the last one the message has failed.
async fn again(ctx: &Ctx, id: Uuid, reason: &str, wait: Option<Duration>) -> Outcome {
    if ctx.attempt >= SendChatMessage::RETRY.attempts {
        return end(ctx, id, End::Failed(reason)).await;
    }
    let mut tx = ctx.db().begin().await?;
    outbox::defer(&mut tx, id, reason).await?;
    tx.commit().await?;
    counter!(telemetry::MESSAGES, "result" => "deferred").increment(1);
    Err(match wait {
        Some(wait) => JobError::RetryAfter(wait, reason.to_owned()),
        None => JobError::Retry(reason.to_owned()),
    })
}
