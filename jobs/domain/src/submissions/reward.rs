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

/// Whether the channel shows nothing yet, and has thanked nobody, that has this asset's file: the same file earns once. Nobody
/// else asks for the channel and the file until the end of the transaction.
///
/// # Errors
/// The database refused.
pub(super) async fn is_first(tx: &mut Tx, submission: &Submission, asset: Uuid) -> Result<bool, SubmissionError> {
    let channel = submission.channel_id;
    repo::rewards::lock(&mut *tx, channel, asset).await?;
    Ok(!repo::rewards::is_known(&mut *tx, channel, asset, &submission.source_hash).await?)
}

/// Pays what the channel gives for a submission that has just been approved; how much that was, if anything. Nothing for
/// whoever approves the own one or owns the channel, for who is banned, for what another channel
/// shows, and for what is not the `first` of its kind here ([`is_first`]). The ledger's key lets it be paid once.
///
/// # Errors
/// The database refused.
pub(super) async fn pay(
    tx: &mut Tx,
    submission: &Submission,
    decider: Option<Uuid>,
    first: bool,
) -> Result<Option<i64>, SubmissionError> {
    if submission.from_pool || !first {
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
    repo::rewards::set(&mut *tx, submission.id, coins).await?;
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
