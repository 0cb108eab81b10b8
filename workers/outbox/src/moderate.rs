//! Do on the platform what was decided about a message.
//!
//! Whoever of ours may moderate in the channel does it: its own bot, the bot for all, or its owner's account. One that the platform
//! does not let is passed over. To do it twice does no harm, so a run whose answer was lost is tried again.

use std::time::Duration;

use domain::{
    automod::{self, Act, Action, Moderate},
    bot_accounts::{self, Sender},
    channels,
    identities::Provider,
};
use helix::{Caller, Helix, HelixError};
use queue::{Ctx, Database, JobError, Outcome, Verdict};

use crate::sync_subscriptions::error_of;

pub(crate) async fn handle(ctx: Ctx, job: Moderate, helix: Helix) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    let Some(act) = automod::to_do(&mut conn, job.act_id).await? else { return Ok(Verdict::Done) };
    let scopes = needed(act.action);
    let channel = channels::find(&mut conn, act.channel_id).await?;
    let there = channels::home(&mut conn, act.channel_id, Provider::Twitch).await?.and_then(|home| home.account);
    let (Some(channel), Some(there)) = (channel, there) else {
        return end(&ctx, &act, Err("the channel has no account on the platform")).await;
    };
    let able = if act.platform == Provider::Twitch.as_str() && helix.check().is_ok() {
        bot_accounts::moderators(&mut conn, &channel, Provider::Twitch, scopes).await?
    } else {
        Vec::new()
    };
    drop(conn);
    let mut refusal = format!("no account that is linked here was granted {}", scopes.join(" and "));
    for account in &able {
        match execute(ctx.db(), &helix, &act, &there, account).await {
            Ok(()) => return end(&ctx, &act, Ok(&account.login)).await,
            Err(
                error @ (HelixError::Forbidden(_)
                | HelixError::Relink(_)
                | HelixError::Refused { .. }
                | HelixError::NotConfigured(_)),
            ) => refusal = format!("{}: {error}", account.login),
            Err(error @ (HelixError::Limited(_) | HelixError::Unavailable(_) | HelixError::Doubtful(_))) => {
                let mut conn = ctx.db().pool().acquire().await?;
                automod::put_off(&mut conn, act.id, &error.to_string()).await?;
                return Err(error_of(error));
            }
        }
    }
    end(&ctx, &act, Err(&refusal)).await
}

/// What must have been granted to whoever does it.
const fn needed(action: Action) -> &'static [&'static str] {
    match action {
        Action::Timeout => &["moderator:manage:banned_users"],
        Action::Warn => &["moderator:manage:chat_messages", "moderator:manage:warnings"],
        Action::Delete | Action::Off => &["moderator:manage:chat_messages"],
    }
}

/// A timeout takes the messages along.
async fn execute(db: &Database, helix: &Helix, act: &Act, there: &str, by: &Sender) -> Result<(), HelixError> {
    let caller = Caller::Account(db, by.account_id);
    let (moderator, person, reason) = (by.subject.as_str(), act.author_id.as_str(), act.rule.reason());
    match act.action {
        Action::Off => Ok(()),
        Action::Delete => helix.delete_message(caller, there, moderator, &act.content_id).await,
        Action::Warn => {
            helix.delete_message(caller, there, moderator, &act.content_id).await?;
            helix.warn(caller, there, moderator, person, reason).await
        }
        Action::Timeout => {
            let length = Duration::from_secs(u64::try_from(act.seconds.unwrap_or(1)).unwrap_or(1));
            helix.time_out(caller, there, moderator, person, length, reason).await
        }
    }
}

async fn end(ctx: &Ctx, act: &Act, outcome: Result<&str, &str>) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    match outcome {
        Ok(by) => automod::done(&mut tx, act.id, by).await?,
        Err(reason) => {
            tracing::info!(channel.id = %act.channel_id, automod.id = %act.id, reason, "nobody may moderate there");
            automod::fail(&mut tx, act.id, reason).await?;
        }
    }
    tx.commit().await.map_err(JobError::from)?;
    Ok(Verdict::Done)
}
