//! Finds out what is not known of an asset that is older than its finding out.

use std::io::Read as _;

use domain::media::{self, Asset, CompleteAsset, Container, DrawPreviews, HEAD, Look, Loudness, MediaType, NOTHING};
use queue::{Ctx, Job as _, JobError, Outcome, Verdict};

use crate::{
    Stop, ffprobe,
    look::{self, Subject},
    loudness,
    pool::{Pool, hash},
};

pub(crate) async fn handle(ctx: Ctx, job: CompleteAsset, pool: Pool) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    let asset = media::find_asset(&mut conn, job.asset).await?.filter(|asset| asset.file_hash != NOTHING);
    let Some(asset) = asset else { return Ok(Verdict::Done) };
    let lacks = media::lacks(&mut conn, &asset).await?;
    drop(conn);
    let found = async {
        let loudness = if lacks.loudness { loudness_of(&ctx, &pool, &asset).await? } else { None };
        let look = if lacks.look { look_of(&ctx, &pool, &asset).await? } else { None };
        Ok((loudness, look))
    };
    let (loudness, look) = match found.await {
        Ok(found) => found,
        Err(Stop::Cancelled) => return Ok(Verdict::Snooze(std::time::Duration::ZERO)),
        Err(Stop::Refused(refusal)) => {
            tracing::warn!(asset.id = %asset.id, detail = refusal.detail, "nothing can be found out about this asset");
            (None, None)
        }
        Err(Stop::Ours { cause, .. }) if ctx.attempt < CompleteAsset::RETRY.attempts => {
            return Err(JobError::Retry(cause));
        }
        Err(Stop::Ours { cause, .. }) => return Err(JobError::Discard(cause)),
    };
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    media::hold(&mut tx, &asset.file_hash).await?;
    media::complete(&mut tx, &asset, loudness, look.as_ref()).await.map_err(JobError::retry)?;
    if lacks.previews {
        queue::enqueue(&mut tx, &DrawPreviews { asset: asset.id }).await?;
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// As screens play it.
async fn loudness_of(ctx: &Ctx, pool: &Pool, asset: &Asset) -> Result<Option<Loudness>, Stop> {
    let (file, container) = open(pool, &asset.file_hash).await?;
    let length = i64::from(asset.duration_ms);
    loudness::measure(&pool.blobs, &pool.settings, file, container, length, &ctx.cancelled).await
}

/// A video as it is shown; a picture as it was sent, as for new ones, since ffmpeg does not read every picture that it writes.
async fn look_of(ctx: &Ctx, pool: &Pool, asset: &Asset) -> Result<Option<Look>, Stop> {
    let moves = asset.kind == MediaType::Video;
    let looked_at = if moves { Some(&asset.file_hash) } else { asset.source_hash.as_ref() };
    let Some(looked_at) = looked_at else { return Ok(None) };
    let (file, container) = open(pool, looked_at).await?;
    let duration_ms = match asset.kind {
        MediaType::Video => Some(i64::from(asset.duration_ms)),
        // It is shown for as long as some of its turns take; frames are those of one.
        MediaType::Gif => {
            let source = file.try_clone().map_err(Stop::storage)?;
            let report = ffprobe::probe(&pool.blobs, &pool.settings, source, container, &ctx.cancelled).await?;
            let seconds = report.format.and_then(|format| format.duration).filter(|seconds| *seconds > 0.0);
            seconds.map(|seconds| (seconds * 1000.0).round() as i64)
        }
        MediaType::Image | MediaType::Audio => None,
    };
    let subject = Subject { kind: asset.kind, container, duration_ms };
    look::of(&pool.blobs, &pool.settings, file, &subject, &ctx.cancelled).await
}

async fn open(pool: &Pool, name: &str) -> Result<(std::fs::File, Container), Stop> {
    let name = hash(name)?;
    let file = pool.blobs.open_file(&name).await.map_err(Stop::storage)?;
    let mut file = file.ok_or_else(|| Stop::ours("storage", format!("the file {name} is missing")))?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(Stop::storage)?;
    let container = Container::sniff(&head).ok_or_else(|| Stop::ours("storage", "a file of no kind that we know"))?;
    Ok((file, container))
}
