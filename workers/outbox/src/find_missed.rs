//! Find what people did while nobody heard what Twitch told: follows, redemptions, and those that were given back.
//!
//! The platform's lists are read back from the newest to what was known before, with some minutes more. What was told already is
//! known by its id and pays nothing, so it does not matter what the two find. What happened before the first look is let be.

use std::time::Duration;

use domain::{
    bot_accounts::{self, Sender},
    channels,
    identities::Provider,
    rewards::{self, Happening, ToldBy, Trigger},
    subscriptions::{self, FindMissed, List, Wanted},
};
use helix::{Caller, Helix, HelixError, Redemption, RedemptionStatus, Reward};
use queue::{Ctx, Database, JobError, Outcome, Verdict};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::sync_subscriptions::error_of;

/// Channels of one look into the database.
const AT_ONCE: i64 = 200;
/// Lists may be late: so far before what is known they are read again.
const OVERLAP: Duration = Duration::from_mins(10);
/// Streamers look after redemptions when they have time: so old may be one that is given back.
const GIVEN_BACK: Duration = Duration::from_hours(7 * 24);
/// Pages of a list at most; what is older than they show is let be.
const MOST_PAGES: usize = 50;

/// Why one channel's lists were not read.
enum Stop {
    /// Another channel's may be.
    Here(HelixError),
    Job(JobError),
}

impl From<HelixError> for Stop {
    fn from(error: HelixError) -> Self {
        match error {
            HelixError::Limited(_) => Self::Job(error_of(error)),
            error => Self::Here(error),
        }
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Job(error.into())
    }
}

pub(crate) async fn handle(ctx: Ctx, _job: FindMissed, helix: Helix) -> Outcome {
    if helix.check().is_err() {
        return Ok(Verdict::Done);
    }
    let mut after = Uuid::nil();
    loop {
        let some = {
            let mut conn = ctx.db().pool().acquire().await?;
            subscriptions::wanted(&mut conn, after, AT_ONCE).await?
        };
        let Some(last) = some.last() else { return Ok(Verdict::Done) };
        after = last.channel_id;
        for channel in &some {
            for list in [List::Follows, List::Redemptions] {
                if ctx.cancelled.is_cancelled() {
                    return Err(JobError::retry("the process stops"));
                }
                match look(ctx.db(), &helix, channel, list).await {
                    Ok(0) => {}
                    Ok(found) => {
                        tracing::info!(channel.id = %channel.channel_id, ?list, found, "what nobody was told of is found");
                    }
                    Err(Stop::Here(error)) => {
                        tracing::info!(channel.id = %channel.channel_id, ?list, %error, "a list is not shown to us");
                    }
                    Err(Stop::Job(error)) => return Err(error),
                }
            }
        }
    }
}

/// Reads one list of the channel as far as it is not known; how much of it was new.
async fn look(db: &Database, helix: &Helix, channel: &Wanted, list: List) -> Result<usize, Stop> {
    let mut conn = db.pool().acquire().await?;
    let scope = match list {
        List::Follows => "moderator:read:followers",
        List::Redemptions => "channel:read:redemptions",
    };
    let Some(found) = channels::find(&mut conn, channel.channel_id).await? else { return Ok(0) };
    let able = bot_accounts::moderators(&mut conn, &found, Provider::Twitch, &[scope]).await?;
    // The list of redemptions is its broadcaster's alone.
    let is_able = |account: &&Sender| list == List::Follows || account.subject == channel.account;
    let Some(account) = able.iter().find(is_able) else { return Ok(0) };
    let known = subscriptions::polled(&mut conn, Provider::Twitch, channel.channel_id, list).await?;
    let now = channels::moment(&mut conn).await?;
    drop(conn);
    let Some(known) = known else {
        let mut conn = db.pool().acquire().await?;
        subscriptions::note_polled(&mut conn, Provider::Twitch, channel.channel_id, list, now).await?;
        return Ok(0);
    };
    let caller = Caller::Account(db, account.account_id);
    let since = known - OVERLAP;
    let (deeds, given_back) = match list {
        List::Follows => (follows(helix, caller, &channel.account, since).await?, Vec::new()),
        List::Redemptions => redemptions(helix, caller, &channel.account, since, now - GIVEN_BACK).await?,
    };
    let mut new = 0;
    let mut newest = known;
    for deed in deeds {
        newest = newest.max(deed.happened_at);
        let mut tx = db.begin().await?;
        let is_new = rewards::earn(&mut tx, &deed).await.map_err(|error| Stop::Job(JobError::retry(error)))?;
        tx.commit().await?;
        new += usize::from(is_new);
    }
    for deed in given_back {
        let mut tx = db.begin().await?;
        let is_new = rewards::take_back(&mut tx, &deed).await.map_err(|error| Stop::Job(JobError::retry(error)))?;
        tx.commit().await?;
        new += usize::from(is_new);
    }
    let mut conn = db.pool().acquire().await?;
    subscriptions::note_polled(&mut conn, Provider::Twitch, channel.channel_id, list, newest).await?;
    Ok(new)
}

async fn follows(
    helix: &Helix,
    caller: Caller<'_>,
    account: &str,
    since: OffsetDateTime,
) -> Result<Vec<Happening>, HelixError> {
    let (mut deeds, mut after) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (page, next) = helix.followers(caller, account, after).await?;
        let old = page.iter().any(|follower| follower.followed_at <= since);
        let young = page.into_iter().filter(|follower| follower.followed_at > since);
        deeds.extend(young.map(|follower| Happening {
            trigger: Trigger::TwitchFollow,
            told_by: ToldBy::Poll,
            channel_account: account.to_owned(),
            // As the webhook names it.
            event_id: format!("follow:{account}:{}", follower.user_id),
            account_id: follower.user_id,
            login: follower.user_login,
            display_name: follower.user_name,
            amount: 1,
            reward_id: None,
            reward_title: None,
            happened_at: follower.followed_at,
        }));
        after = next;
        if old || after.is_none() {
            break;
        }
    }
    Ok(deeds)
}

/// Those that wait or are done, and those that were given back, which may be long after they were redeemed; of rewards that
/// this application has made: Twitch shows no others.
async fn redemptions(
    helix: &Helix,
    caller: Caller<'_>,
    account: &str,
    since: OffsetDateTime,
    given_back_since: OffsetDateTime,
) -> Result<(Vec<Happening>, Vec<Happening>), HelixError> {
    let (mut deeds, mut given_back) = (Vec::new(), Vec::new());
    for reward in helix.own_rewards(caller, account).await? {
        for status in [RedemptionStatus::Unfulfilled, RedemptionStatus::Fulfilled, RedemptionStatus::Canceled] {
            let (since, found) = match status {
                RedemptionStatus::Unfulfilled | RedemptionStatus::Fulfilled => (since, &mut deeds),
                RedemptionStatus::Canceled => (given_back_since, &mut given_back),
            };
            let mut after = None;
            for _ in 0..MOST_PAGES {
                let (page, next) = helix.redemptions(caller, account, &reward.id, status, after).await?;
                let old = page.iter().any(|redemption| redemption.redeemed_at <= since);
                let young = page.into_iter().filter(|redemption| redemption.redeemed_at > since);
                found.extend(young.map(|redemption| redeemed(account, &reward, redemption)));
                after = next;
                if old || after.is_none() {
                    break;
                }
            }
        }
    }
    Ok((deeds, given_back))
}

fn redeemed(account: &str, reward: &Reward, redemption: Redemption) -> Happening {
    Happening {
        trigger: Trigger::TwitchChannelPointsRedemption,
        told_by: ToldBy::Poll,
        channel_account: account.to_owned(),
        event_id: format!("redemption:{}", redemption.id),
        account_id: redemption.user_id,
        login: redemption.user_login,
        display_name: redemption.user_name,
        amount: 1,
        reward_id: Some(reward.id.clone()),
        reward_title: Some(reward.title.clone()),
        happened_at: redemption.redeemed_at,
    }
}
