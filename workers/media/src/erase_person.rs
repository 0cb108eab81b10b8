//! Forgets a person who has asked for it.

use std::time::Duration;

use domain::{
    channels,
    media::{NOTHING, NewFile},
    playback,
    playback::PlaybackError,
    privacy::{self, ErasePerson, HOLDINGS},
    submissions,
};
use queue::{Ctx, JobError, Outcome, Verdict};
use uuid::Uuid;

use crate::pool::Pool;

/// A file that is being worked on ends one way or the other, and is found then; a mail needs the address.
const LATER: Duration = Duration::from_secs(10);

/// Each step may be repeated, and each is committed by itself but the last one, which leaves nothing to find the rest by.
pub(crate) async fn handle(ctx: Ctx, job: ErasePerson, pool: Pool) -> Outcome {
    let user = job.user;
    let mut conn = ctx.db().pool().acquire().await?;
    if !privacy::erasing(&mut conn, user).await? {
        return Ok(Verdict::Done);
    }
    loop {
        // Nobody decides about it any more, and nothing shall be worked on for it.
        let mut tx = ctx.db().begin().await?;
        let rejected = submissions::reject_some(&mut tx, user).await.map_err(JobError::retry)?;
        submissions::forget_shelved(&mut tx, user).await.map_err(JobError::retry)?;
        tx.commit().await?;
        if rejected == 0 {
            break;
        }
    }
    if privacy::is_sending(&mut conn, user).await? || !privacy::is_told(&mut conn, user).await? {
        return Ok(Verdict::Snooze(LATER));
    }
    close_channel(&ctx, user).await?;
    for holding in HOLDINGS {
        while privacy::erase_some(&mut conn, holding, user).await? > 0 {
            if ctx.cancelled.is_cancelled() {
                return Ok(Verdict::Snooze(Duration::ZERO));
            }
        }
        fail::fail_point!("privacy::erase::table");
    }
    drop(conn);
    finish(&ctx, user, &pool).await
}

/// Nothing plays there any more, and everybody has their coins back.
async fn close_channel(ctx: &Ctx, user: Uuid) -> Result<(), JobError> {
    let mut tx = ctx.db().begin().await?;
    let Some(channel) = channels::find_of_owner(&mut tx, user).await? else { return Ok(()) };
    loop {
        match playback::skip(&mut tx, &channel, None, user).await {
            Ok(_) => {}
            Err(PlaybackError::NothingPlays) => break,
            Err(error) => return Err(JobError::retry(error)),
        }
    }
    let mut more = true;
    while more {
        more = playback::clear(&mut tx, &channel, user).await.map_err(JobError::retry)?.more;
        tx.commit().await?;
        tx = ctx.db().begin().await?;
    }
    Ok(())
}

async fn finish(ctx: &Ctx, user: Uuid, pool: &Pool) -> Outcome {
    let empty = pool.blobs.stage(0).await.map_err(JobError::retry)?.seal().await.map_err(JobError::retry)?;
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    let assets = privacy::hold_assets(&mut tx, user, NOTHING).await?;
    if !assets.is_empty() {
        pool.blobs.publish(empty).await.map_err(JobError::retry)?;
    }
    let nothing = NewFile { hash: NOTHING, size: 0, mime_type: "application/octet-stream" };
    let unneeded = privacy::finish(&mut tx, user, &assets, nothing).await.map_err(JobError::retry)?;
    fail::fail_point!("privacy::erase::before");
    tx.commit().await?;
    fail::fail_point!("privacy::erase::after");
    for hash in unneeded {
        if let Err(error) = pool.remove_unneeded(ctx.db(), &hash).await {
            tracing::warn!(?error, hash, "the sweep will remove this file");
        }
    }
    Ok(Verdict::Done)
}
