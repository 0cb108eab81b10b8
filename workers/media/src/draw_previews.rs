//! Draws poster and preview of an asset.

use std::collections::BTreeSet;

use blobs::Staged;
use domain::media::{self, Asset, DrawPreviews, MediaError, NewFile, Previews};
use queue::{Ctx, Job as _, JobError, Outcome, Tx, Verdict};

use crate::{
    Stop,
    pool::{Pool, hash},
    previews::{self, Drawn},
};

pub(crate) async fn handle(ctx: Ctx, job: DrawPreviews, pool: Pool) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    let asset = media::find_asset(&mut conn, job.asset).await?;
    let Some(asset) = asset.filter(|asset| asset.previews().is_empty()) else { return Ok(Verdict::Done) };
    let known = media::find_previews_of_file(&mut conn, &asset.file_hash, asset.kind).await?;
    drop(conn);
    if let Some(known) = known
        && share(&ctx, &asset, &known).await?
    {
        return Ok(Verdict::Done);
    }
    match draw(&ctx, &pool, &asset).await {
        Ok(drawn) => publish(&ctx, &pool, &asset, drawn).await,
        Err(Stop::Cancelled) => Ok(Verdict::Snooze(std::time::Duration::ZERO)),
        // No further try will draw it better.
        Err(Stop::Refused(refusal)) => {
            tracing::warn!(asset.id = %asset.id, detail = refusal.detail, "there is no picture of this meme");
            Ok(Verdict::Done)
        }
        Err(Stop::Ours { cause, .. }) if ctx.attempt < DrawPreviews::RETRY.attempts => Err(JobError::Retry(cause)),
        Err(Stop::Ours { cause, .. }) => Err(JobError::Discard(cause)),
    }
}

/// The asset gets the pictures of another one that shows the same file; whether they are still there.
async fn share(ctx: &Ctx, asset: &Asset, known: &Previews) -> Result<bool, JobError> {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    hold(&mut tx, known.hashes()).await?;
    for hash in known.hashes() {
        let file = match media::get_file(&mut tx, hash).await {
            Ok(file) => file,
            Err(MediaError::FileNotFound(_)) => return Ok(false),
            Err(error) => return Err(JobError::retry(error)),
        };
        let file = NewFile { hash: &file.hash, size: file.size, mime_type: &file.mime_type };
        media::add_reference(&mut tx, file).await.map_err(JobError::retry)?;
    }
    if !media::set_previews(&mut tx, asset, known).await? {
        tx.rollback().await?;
        tx = ctx.db().begin().await?;
        ctx.finish(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn draw(ctx: &Ctx, pool: &Pool, asset: &Asset) -> Result<Drawn, Stop> {
    let shown = previews::drawn_from(asset);
    let Some(shown) = shown else { return Ok(Drawn::default()) };
    let shown = hash(shown)?;
    let file = pool.blobs.open_file(&shown).await.map_err(Stop::storage)?;
    let file = file.ok_or_else(|| Stop::ours("storage", format!("the file {shown} is missing")))?;
    let mut drawn = previews::draw(&pool.blobs, &pool.settings, file, asset, &ctx.cancelled).await?;
    // While no transaction waits for it.
    for picture in [&mut drawn.poster, &mut drawn.preview] {
        if let Some(staged) = picture.take() {
            *picture = Some(pool.blobs.send(staged).await.map_err(Stop::storage)?);
        }
    }
    Ok(drawn)
}

/// Files, rows and "done" become true together.
async fn publish(ctx: &Ctx, pool: &Pool, asset: &Asset, drawn: Drawn) -> Outcome {
    let name = |staged: &Option<Staged>| staged.as_ref().map(|staged| staged.hash.to_string());
    let found = Previews { poster_hash: name(&drawn.poster), preview_hash: name(&drawn.preview) };
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    hold(&mut tx, found.hashes()).await?;
    fail::fail_point!("media::draw::before");
    for staged in [drawn.poster, drawn.preview].into_iter().flatten() {
        let size = i64::try_from(staged.size).map_err(JobError::discard)?;
        let hash = staged.hash.to_string();
        pool.blobs.publish(staged).await.map_err(JobError::retry)?;
        let file = NewFile { hash: &hash, size, mime_type: previews::MIME_TYPE };
        media::add_reference(&mut tx, file).await.map_err(JobError::retry)?;
    }
    fail::fail_point!("media::draw::after");
    if media::set_previews(&mut tx, asset, &found).await? {
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    // It was given back, or has pictures already: nothing of ours is to be kept.
    tx.rollback().await?;
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    tx.commit().await?;
    for hash in found.hashes() {
        if let Err(error) = pool.remove_unneeded(ctx.db(), hash).await {
            tracing::warn!(?error, hash, "the sweep will remove this file");
        }
    }
    Ok(Verdict::Done)
}

/// Once each, in ascending order.
async fn hold<'a>(tx: &mut Tx, hashes: impl Iterator<Item = &'a str>) -> Result<(), JobError> {
    for hash in hashes.collect::<BTreeSet<_>>() {
        media::hold(&mut *tx, hash).await?;
    }
    Ok(())
}
