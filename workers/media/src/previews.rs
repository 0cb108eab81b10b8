//! What a meme looks like before it is played: a poster, and some seconds that move, both without sound.
//!
//! | type | poster, within 640x640 | preview, within 320x320 |
//! |---|---|---|
//! | video | the frame that is most like the rest | 3 s out of the middle, 12 frames a second |
//! | gif | the same | its first 3 s |
//! | image | the picture | |
//! | audio | its wave | |
//!
//! Pictures are WebP and keep what is transparent.

use std::{ffi::OsString, fs::File, io::Read as _};

use blobs::{Blobs, Staged};
use domain::media::{Asset, Container, HEAD, MediaType};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings, Stop, container_rules, encoder,
    policy::{Refusal, Transparent, fit},
};

/// Content type of all of them.
pub(crate) const MIME_TYPE: &str = "image/webp";
/// Pixels of the longer side.
const POSTER: u32 = 640;
const PREVIEW: u32 = 320;
/// Milliseconds of a preview.
const LENGTH: i32 = 3000;
/// What is over after one frame has one all the same: rates of frames are counted from one to the next.
const LAST: &str = "tpad=stop_mode=clone:stop_duration=0.2";

/// Pictures that wait to be published.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    pub poster: Option<Staged>,
    pub preview: Option<Staged>,
}

/// The file that pictures of the asset are drawn from: the rendition, but of a GIF, whose rendition ffmpeg writes and cannot
/// read. None: there is none.
pub(crate) fn drawn_from(asset: &Asset) -> Option<&str> {
    match asset.kind {
        MediaType::Gif => asset.source_hash.as_deref(),
        MediaType::Video | MediaType::Image | MediaType::Audio => Some(&asset.file_hash),
    }
}

/// Draws the asset's pictures from this file ([`drawn_from`]).
///
/// # Errors
/// [`Stop`]: there is nothing to be drawn, it took too long, the worker stops, or the disk refused.
pub(crate) async fn draw(
    blobs: &Blobs,
    settings: &Settings,
    mut file: File,
    asset: &Asset,
    cancelled: &CancellationToken,
) -> Result<Drawn, Stop> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(Stop::storage)?;
    let container = Container::sniff(&head).ok_or_else(|| Refusal::content("its file is of no kind that we know"))?;
    let mut drawn = Drawn::default();
    for (picture, arguments) in
        [(&mut drawn.poster, Some(poster(asset, container))), (&mut drawn.preview, preview(asset, container))]
    {
        let Some(arguments) = arguments else { continue };
        // Opened by each run through /proc/self/fd, so from its beginning.
        let source = file.try_clone().map_err(Stop::storage)?;
        let scratch = blobs.scratch().await.map_err(Stop::storage)?;
        let (unheard, _) = watch::channel(0);
        encoder::run(settings, source, &scratch, arguments, None, unheard, cancelled).await?;
        *picture = Some(encoder::stage(blobs, &scratch).await?);
    }
    Ok(drawn)
}

fn poster(asset: &Asset, container: Container) -> Vec<OsString> {
    let picture = match size(asset, POSTER) {
        None => "showwavespic=s=640x160:colors=0x9a8cff".to_owned(),
        Some((width, height)) if asset.kind == MediaType::Image => format!("scale={width}:{height}"),
        Some((width, height)) => format!("{LAST},fps=5,scale={width}:{height},thumbnail=n=75"),
    };
    let mut arguments = input(asset, container, 0);
    if asset.kind == MediaType::Audio {
        arguments.extend(["-filter_complex".into(), format!("[0:a:0]{picture}").into()]);
    } else {
        arguments.extend(["-map".into(), "0:V:0".into(), "-vf".into(), picture.into()]);
    }
    arguments.extend(["-frames:v", "1", "-c:v", "libwebp", "-quality", "80"].map(OsString::from));
    output(arguments)
}

/// None: it does not move.
fn preview(asset: &Asset, container: Container) -> Option<Vec<OsString>> {
    let start = match asset.kind {
        MediaType::Video => (asset.duration_ms - LENGTH).max(0) / 2,
        // Its length is that of some turns.
        MediaType::Gif => 0,
        MediaType::Image | MediaType::Audio => return None,
    };
    let (width, height) = size(asset, PREVIEW)?;
    let mut arguments = input(asset, container, start);
    let filter = format!("{LAST},fps=12,scale={width}:{height}");
    let length = format!("{LENGTH}ms");
    arguments.extend(["-map", "0:V:0", "-an", "-vf", &filter, "-t", &length].map(OsString::from));
    arguments.extend(["-c:v", "libwebp_anim", "-loop", "0", "-quality", "50"].map(OsString::from));
    Some(output(arguments))
}

fn input(asset: &Asset, container: Container, start_ms: i32) -> Vec<OsString> {
    let mut arguments = encoder::beginning();
    arguments.extend(container_rules::input(container));
    // What of ours is in this container is transparent.
    if asset.kind == MediaType::Video && container == Container::WebM {
        arguments.extend(["-c:v", Transparent::Vp9.decoder()].map(OsString::from));
    }
    if start_ms > 0 {
        arguments.extend(["-ss".into(), format!("{start_ms}ms").into()]);
    }
    arguments.extend(["-threads", "2", "-t", "30", "-i", container_rules::SOURCE].map(OsString::from));
    arguments
}

fn output(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let end = ["-map_metadata", "-1", "-sn", "-dn", "-threads", "2", "-f", "webp", container_rules::RESULT];
    arguments.extend(end.map(OsString::from));
    arguments
}

/// None for what has no picture.
fn size(asset: &Asset, longest: u32) -> Option<(u32, u32)> {
    let (width, height) = (u32::try_from(asset.width?).ok()?, u32::try_from(asset.height?).ok()?);
    Some(fit((width, height), longest, longest))
}
