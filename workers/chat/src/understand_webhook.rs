//! Understand what a platform has told.
//!
//! One transaction that begins by finishing the job: what follows from the message commits with the end of it. What nobody can
//! understand is put aside alone, with its bytes.

use std::{panic::AssertUnwindSafe, sync::Arc};

use domain::{
    bots::{self, BotError},
    channels::{self, ChannelError, Heard},
    identities::Provider,
    rewards::{self, Happening, RewardError, Trigger},
    subscriptions::{self, SyncSubscriptions},
    wallets::WalletError,
    webhooks::{self, UnderstandWebhook},
};
use metrics::counter;
use queue::{Ctx, JobError, Outcome, Tx, Verdict};

use crate::{
    Settings,
    platforms::{self, Told},
    telemetry,
};

pub(crate) async fn handle(ctx: Ctx, job: UnderstandWebhook, settings: Arc<Settings>) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let Some(delivery) = webhooks::find(&mut tx, job.delivery_id).await? else {
        tx.commit().await?;
        return Ok(Verdict::Done);
    };
    // A panic over one message must not make it fail again and again.
    let understood = std::panic::catch_unwind(AssertUnwindSafe(|| platforms::understand_webhook(&delivery)));
    let provider = delivery.provider.parse().map_err(|()| JobError::discard("a platform that nobody knows"))?;
    match understood.unwrap_or_else(|_| Err("understanding it panicked".to_owned())).and_then(kept) {
        Ok(told) => {
            act(&mut tx, &settings.public_url, provider, &told).await?;
            webhooks::understood(&mut tx, delivery.id).await?;
        }
        Err(reason) => {
            tracing::warn!(platform = delivery.provider, webhook.id = %delivery.id, reason, "a webhook is put aside");
            counter!(telemetry::DEAD_LETTERS).increment(1);
            webhooks::fail(&mut tx, delivery.id, &reason).await?;
        }
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// What could never be kept is put aside at once, too.
fn kept(told: Told) -> Result<Told, String> {
    match &told {
        Told::Happened(happening) | Told::TakenBack(happening) => happening.check().map(|()| told),
        _ => Ok(told),
    }
}

async fn act(tx: &mut Tx, public_url: &str, provider: Provider, told: &Told) -> Result<(), JobError> {
    match told {
        Told::Began { account, at } => hear(tx, provider, account, Heard::Began(*at)).await,
        Told::Ended { account, at } => hear(tx, provider, account, Heard::Ended(*at)).await,
        Told::Happened(happening) => {
            let new = rewards::earn(tx, happening).await.map_err(reward_error)?;
            if new && happening.trigger == Trigger::TwitchFollow {
                greet(tx, public_url, happening).await?;
            }
            Ok(())
        }
        Told::TakenBack(happening) => {
            rewards::take_back(tx, happening).await.map_err(reward_error)?;
            Ok(())
        }
        Told::Revoked { subscription, status } => {
            let known = subscriptions::revoked(&mut *tx, provider, subscription, status).await?;
            tracing::warn!(subscription, status, known, "a platform tells us no more");
            queue::enqueue(tx, &SyncSubscriptions::default()).await?;
            Ok(())
        }
        Told::Nothing => Ok(()),
    }
}

/// The channel's bot greets whoever follows it.
async fn greet(tx: &mut Tx, public_url: &str, follow: &Happening) -> Result<(), JobError> {
    let Some(channel) = channels::find_by_account(&mut *tx, follow.trigger.provider(), &follow.channel_account).await?
    else {
        return Ok(());
    };
    let greeted = bots::greet(tx, public_url, channel.id, &follow.event_id, &follow.display_name).await;
    match greeted {
        Ok(_) => Ok(()),
        Err(BotError::Database(error)) => Err(error.into()),
        Err(error) => Err(JobError::retry(error)),
    }
}

async fn hear(tx: &mut Tx, provider: Provider, account: &str, heard: Heard) -> Result<(), JobError> {
    let Some(channel) = channels::find_by_account(&mut *tx, provider, account).await? else {
        return Ok(());
    };
    let changed = channels::hear_of_stream(tx, channel.id, provider, heard).await;
    if let Some(live) = changed.map_err(channel_error)? {
        tracing::info!(channel.id = %channel.id, live, "a stream began or ended");
    }
    Ok(())
}

fn reward_error(error: RewardError) -> JobError {
    match error {
        RewardError::Database(error) | RewardError::Wallet(WalletError::Database(error)) => error.into(),
        error => JobError::retry(error),
    }
}

fn channel_error(error: ChannelError) -> JobError {
    match error {
        ChannelError::Database(error) => error.into(),
        error => JobError::retry(error),
    }
}
