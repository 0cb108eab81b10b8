//! What happened, and what it earns.

use queue::Tx;
use uuid::Uuid;

use super::{Happening, RewardError, Rule, Status, ToldBy, repo};
use crate::{
    accounts,
    channels::{self, Channel},
    grants, identities, unseen,
    wallets::{self, Issue, Kind},
};

/// In the ledger, for ever.
const WHY: &str = "external_reward";
const BACK: &str = "external_reward_taken_back";

/// What an event came to.
struct Outcome {
    status: Status,
    reason: Option<&'static str>,
    coins: Option<i64>,
    user: Option<Uuid>,
}

impl Outcome {
    const fn nothing(status: Status, reason: &'static str) -> Self {
        Self { status, reason: Some(reason), coins: None, user: None }
    }
}

/// Notes what somebody did and gives what the channel's rules promise for it. Told again, or of a channel that is not here, it
/// does nothing. Returns whether it was new. The transaction's last act but events.
///
/// # Errors
/// The database refused.
pub async fn earn(tx: &mut Tx, happening: &Happening) -> Result<bool, RewardError> {
    let provider = happening.trigger.provider();
    let Some(channel) = channels::find_by_account(&mut *tx, provider, &happening.channel_account).await? else {
        return Ok(false);
    };
    // Whoever comes to be the account's owner meanwhile waits, and finds the coins.
    let person = identities::hold_owner(&mut *tx, provider, &happening.account_id).await?;
    if repo::is_told(&mut *tx, provider, &happening.event_id).await?
        || happening.trigger.has_twins() && repo::meets_twin(&mut *tx, channel.id, happening).await?
    {
        return Ok(false);
    }
    let id = Uuid::now_v7();
    let new = repo::insert_happening(&mut *tx, id, channel.id, &cleaned(happening)).await?;
    if !new {
        return Ok(false);
    }
    let outcome = judge(tx, &channel, happening, person).await?;
    repo::settle(&mut *tx, id, outcome.status, outcome.reason, outcome.coins, outcome.user).await?;
    match (outcome.status, outcome.coins, outcome.user) {
        (Status::Claimed, Some(coins), Some(user)) => {
            let told = happening.trigger.as_str();
            let issue = Issue {
                id,
                kind: Kind::Reward,
                key: format!("external:{id}"),
                actor: None,
                user,
                channel: channel.id,
                slug: &channel.slug,
                delta: coins,
                why: WHY,
                told,
            };
            wallets::issue(tx, issue).await?;
        }
        (Status::Eligible, Some(coins), _) => {
            let promise = grants::Promise {
                id,
                channel: channel.id,
                by: channel.owner_id,
                provider,
                account: &happening.account_id,
                amount: coins,
                reason: happening.trigger.as_str(),
            };
            grants::promise(tx, &promise).await?;
        }
        _ => {}
    }
    Ok(true)
}

/// The streamer has given a redemption back: what it earned goes back, as far as it is not spent, and what is told of it later
/// earns nothing. A list also shows what was given back long before anybody looked, so of what it shows only what is known
/// counts. Returns whether that was new.
///
/// # Errors
/// The database refused.
pub async fn take_back(tx: &mut Tx, happening: &Happening) -> Result<bool, RewardError> {
    let provider = happening.trigger.provider();
    let Some(channel) = channels::find_by_account(&mut *tx, provider, &happening.channel_account).await? else {
        return Ok(false);
    };
    identities::hold_owner(&mut *tx, provider, &happening.account_id).await?;
    let id = Uuid::now_v7();
    if happening.told_by != ToldBy::Poll
        && repo::insert_happening(&mut *tx, id, channel.id, &cleaned(happening)).await?
    {
        repo::settle(&mut *tx, id, Status::Ignored, Some("refunded"), None, None).await?;
        return Ok(true);
    }
    let Some(kept) = repo::lock_happening(&mut *tx, provider, &happening.event_id).await? else { return Ok(false) };
    if kept.reason.as_deref() == Some("refunded") {
        return Ok(false);
    }
    if kept.status == Status::Eligible {
        grants::withdraw(&mut *tx, kept.id).await?;
    }
    repo::settle(&mut *tx, kept.id, Status::Ignored, Some("refunded"), None, kept.user_id).await?;
    // The ledger knows who has it: a promise that was kept is forgotten some time later.
    let Some((user, coins)) = wallets::issued(&mut *tx, kept.id).await? else { return Ok(true) };
    let held = wallets::find(&mut *tx, user, channel.id).await?.map_or(0, |wallet| wallet.balance);
    let back = coins.min(held);
    if back > 0 {
        let issue = Issue {
            id: Uuid::now_v7(),
            kind: Kind::Adjust,
            key: format!("external:{}:back", kept.id),
            actor: None,
            user,
            channel: channel.id,
            slug: &channel.slug,
            delta: -back,
            why: BACK,
            told: "redemption_refunded",
        };
        wallets::issue(tx, issue).await?;
    }
    Ok(true)
}

async fn judge(
    tx: &mut Tx,
    channel: &Channel,
    happening: &Happening,
    person: Option<Uuid>,
) -> Result<Outcome, RewardError> {
    let rules = repo::rules_for(&mut *tx, channel.id, happening.trigger).await?;
    let Some(rule) = fitting(&rules, happening.reward_id.as_deref()) else {
        return Ok(Outcome { status: Status::Observed, reason: None, coins: None, user: None });
    };
    let coins = rule.coins_for(happening.amount);
    if coins == 0 {
        return Ok(Outcome::nothing(Status::Ignored, "too_few"));
    }
    if channel.closed {
        return Ok(Outcome::nothing(Status::Ignored, "channel_closed"));
    }
    if happening.account_id == happening.channel_account || person == Some(channel.owner_id) {
        return Ok(Outcome::nothing(Status::Ignored, "own_channel"));
    }
    let Some(user) = person else {
        return Ok(Outcome { status: Status::Eligible, reason: None, coins: Some(coins), user: None });
    };
    // Who has asked to be forgotten is banned, too.
    let sound = accounts::find(&mut *tx, user).await?.is_some_and(|person| person.banned_at.is_none());
    if !sound {
        return Ok(Outcome::nothing(Status::Ignored, "banned"));
    }
    Ok(Outcome { status: Status::Claimed, reason: None, coins: Some(coins), user: Some(user) })
}

/// The rule for this very reward, else the one for any.
fn fitting<'a>(rules: &'a [Rule], reward: Option<&str>) -> Option<&'a Rule> {
    let of_this = |rule: &&Rule| rule.reward_id.is_some() && rule.reward_id.as_deref() == reward;
    rules.iter().find(of_this).or_else(|| rules.iter().find(|rule| rule.reward_id.is_none()))
}

/// With names that can stand in a list.
fn cleaned(happening: &Happening) -> Happening {
    let plain = |text: &str, most| unseen::plain(text, most);
    Happening {
        login: plain(&happening.login, 100),
        display_name: plain(&happening.display_name, 100),
        reward_title: happening.reward_title.as_deref().map(|title| plain(title, 200)),
        amount: happening.amount.max(0),
        ..happening.clone()
    }
}
