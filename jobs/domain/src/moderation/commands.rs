//! What moderators of the house do, and who makes them that.

use queue::Tx;
use serde_json::json;
use uuid::Uuid;

use super::{ModerationError, PurgeAsset, ReviewedAsset, repo};
use crate::{
    accounts,
    acts::{self, Act, By},
    playback::{self, Unwanted},
    submissions::{
        SubmissionError,
        blocks::{self, Block, Target},
    },
};

/// Takes the file of this asset out of sight everywhere, or brings it back; whether that is news.
///
/// # Errors
/// [`ModerationError::NotFound`], [`ModerationError::Deleted`].
pub async fn set_hidden(
    tx: &mut Tx,
    by: &By,
    id: Uuid,
    hidden: bool,
    reason: Option<&str>,
) -> Result<ReviewedAsset, ModerationError> {
    let before = repo::lock(&mut *tx, id).await?.ok_or(ModerationError::NotFound)?;
    if before.deleted_at.is_some() {
        return Err(ModerationError::Deleted);
    }
    if hidden {
        // What a block has hidden stays so from now on, also without the block.
        repo::keep_hidden(&mut *tx, &before.file_hash).await?;
    }
    if before.hidden_at.is_some() != hidden {
        repo::set_hidden(&mut *tx, &before.file_hash, hidden).await?;
        if hidden {
            playback::order_take_down(tx, &Unwanted::File(before.file_hash)).await?;
        }
        let act = Act::new(if hidden { "hide_asset" } else { "unhide_asset" }).with(id).because(reason);
        acts::note(&mut *tx, by, act.changing(json!({ "hidden": !hidden }), json!({ "hidden": hidden }))).await?;
    }
    repo::find(&mut *tx, id).await?.ok_or(ModerationError::NotFound)
}

/// No channel takes this any more, and none shows it: the same bytes are taken out of sight until [`unblock`].
///
/// # Errors
/// As [`blocks::add`].
pub async fn block(tx: &mut Tx, by: &By, target: Target) -> Result<Block, SubmissionError> {
    let block = blocks::add(tx, by, None, target).await?;
    let hidden = repo::hide_blocked(&mut *tx, &block).await?;
    for file in &hidden {
        playback::order_take_down(tx, &Unwanted::File(file.clone())).await?;
    }
    Ok(block)
}

/// It is taken again, and what it had taken out of sight is back, but for what another block or a person has hidden.
///
/// # Errors
/// As [`blocks::remove`].
pub async fn unblock(tx: &mut Tx, by: &By, id: Uuid) -> Result<(), SubmissionError> {
    repo::show_blocked(&mut *tx, id).await?;
    blocks::remove(tx, by, None, id).await
}

/// Takes the file away for good: its memes with it, and by a job the bytes.
///
/// # Errors
/// [`ModerationError::NotFound`], [`ModerationError::Deleted`].
pub async fn delete(tx: &mut Tx, by: &By, id: Uuid, reason: Option<&str>) -> Result<ReviewedAsset, ModerationError> {
    let before = repo::lock(&mut *tx, id).await?.ok_or(ModerationError::NotFound)?;
    if before.deleted_at.is_some() {
        return Err(ModerationError::Deleted);
    }
    for asset in repo::set_deleted(&mut *tx, &before.file_hash).await? {
        queue::enqueue(tx, &PurgeAsset { asset }).await?;
    }
    playback::order_take_down(tx, &Unwanted::File(before.file_hash)).await?;
    let act = Act::new("delete_asset").with(id).because(reason);
    let was = json!({ "hidden": before.hidden_at.is_some(), "deleted": false });
    acts::note(&mut *tx, by, act.changing(was, json!({ "hidden": true, "deleted": true }))).await?;
    repo::find(&mut *tx, id).await?.ok_or(ModerationError::NotFound)
}

/// Lets somebody look after all channels, or no more.
///
/// # Errors
/// [`ModerationError::NoSuchPerson`].
pub async fn set_moderator(
    tx: &mut Tx,
    by: &By,
    admin: Uuid,
    user: Uuid,
    moderates: bool,
) -> Result<(), ModerationError> {
    accounts::find(&mut *tx, user).await?.ok_or(ModerationError::NoSuchPerson)?;
    let is_news =
        if moderates { repo::grant(&mut *tx, user, admin).await? } else { repo::revoke(&mut *tx, user).await? };
    if is_news {
        let act = Act::new("change_moderator").to(user);
        acts::note(&mut *tx, by, act.changing(json!({ "moderator": !moderates }), json!({ "moderator": moderates })))
            .await?;
    }
    Ok(())
}
