//! Coins for whoever sent in what a channel takes.

use queue::Tx;
use uuid::Uuid;

use super::{Submission, SubmissionError, repo};
use crate::{
    accounts, channels,
    wallets::{self, Issue, Kind},
};

/// In the ledger and in `wallet:updated`.
const WHY: &str = "submission_approved";

/// Pays what the channel gives for a submission that has just been approved; how much that was, if anything. Nothing for
/// whoever approves the own one or owns the channel, for who is banned, and for what another channel shows. The ledger's key lets it be paid once.
///
/// # Errors
/// The database refused.
pub(super) async fn pay(
    tx: &mut Tx,
    submission: &Submission,
    decider: Option<Uuid>,
) -> Result<Option<i64>, SubmissionError> {
    if submission.from_pool {
        return Ok(None);
    }
    let sender = submission.submitter_id;
    let Some(channel) = channels::find(&mut *tx, submission.channel_id).await? else { return Ok(None) };
    if channel.submission_reward_coins == 0 || channel.owner_id == sender || decider == Some(sender) {
        return Ok(None);
    }
    // Who has asked to be forgotten is banned, too.
    let sound = accounts::find(&mut *tx, sender).await?.is_some_and(|person| person.banned_at.is_none());
    if !sound {
        return Ok(None);
    }
    let coins = channel.submission_reward_coins;
    repo::set_reward(&mut *tx, submission.id, coins).await?;
    let issue = Issue {
        id: Uuid::now_v7(),
        kind: Kind::Reward,
        key: format!("submission:{}:reward", submission.id),
        actor: decider,
        user: sender,
        channel: channel.id,
        slug: &channel.slug,
        delta: coins,
        why: WHY,
        told: WHY,
    };
    wallets::issue(tx, issue).await?;
    Ok(Some(coins))
}
