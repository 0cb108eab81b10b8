//! ffmpeg's arguments, by what the rendition is for.
//!
//! | type | rendition | box |
//! |---|---|---|
//! | video | mp4: H.264 yuv420p, AAC stereo; index in front, so that it plays while it loads | 1280x720, standing or lying |
//! | video that can be seen through | WebM: VP9 with transparency, Opus stereo | the same |
//! | image | WebP, transparency kept | 1920x1080 |
//! | gif | animated WebP that repeats, transparency kept | 800x600 |
//! | audio | MP3 stereo | |

use std::{ffi::OsString, time::Duration};

use domain::media::MediaType;

use super::Order;
use crate::{
    container_rules::{self, MOST_PIXELS, RESULT, SOURCE},
    policy,
};

const VIDEO: &[&str] = &[
    "-map",
    "0:V:0",
    "-map",
    "0:a:0?",
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-crf",
    "23",
    "-maxrate",
    "6M",
    "-bufsize",
    "12M",
    "-pix_fmt",
    "yuv420p",
    "-fpsmax",
    "60",
    "-c:a",
    "aac",
    "-b:a",
    "160k",
    "-ac",
    "2",
    "-ar",
    "48000",
    "-movflags",
    "+faststart",
    "-f",
    "mp4",
];
const TRANSPARENT: &[&str] = &[
    "-map",
    "0:V:0",
    "-map",
    "0:a:0?",
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "6",
    "-row-mt",
    "1",
    "-crf",
    "30",
    "-b:v",
    "0",
    // Without frames that are never shown, which cannot be seen through.
    "-auto-alt-ref",
    "0",
    "-pix_fmt",
    "yuva420p",
    "-fpsmax",
    "60",
    "-c:a",
    "libopus",
    "-b:a",
    "128k",
    "-ac",
    "2",
    "-ar",
    "48000",
    "-f",
    "webm",
];
const IMAGE: &[&str] = &["-map", "0:V:0", "-frames:v", "1", "-c:v", "libwebp", "-quality", "85", "-f", "webp"];
const GIF: &[&str] =
    &["-map", "0:V:0", "-c:v", "libwebp_anim", "-loop", "0", "-quality", "75", "-fpsmax", "30", "-f", "webp"];
const AUDIO: &[&str] =
    &["-map", "0:a:0", "-c:a", "libmp3lame", "-b:a", "192k", "-ac", "2", "-ar", "48000", "-f", "mp3"];

/// Content type of the rendition.
pub(super) const fn mime_type(order: &Order<'_>) -> &'static str {
    match order.kind {
        MediaType::Video if order.facts.transparent.is_some() => "video/webm",
        MediaType::Video => "video/mp4",
        MediaType::Image | MediaType::Gif => "image/webp",
        MediaType::Audio => "audio/mpeg",
    }
}

/// Pixels of the rendition; none for audio.
pub(super) fn shown_size(order: &Order<'_>) -> Option<(u32, u32)> {
    let (long, short) = match order.kind {
        MediaType::Audio => return None,
        MediaType::Video => (1280, 720),
        MediaType::Image => (1920, 1080),
        MediaType::Gif => (800, 600),
    };
    order.facts.size.map(|size| policy::fit(size, long, short))
}

/// Of every run.
pub(crate) fn beginning() -> Vec<OsString> {
    ["-hide_banner", "-loglevel", "level+info", "-nostdin", "-y", "-filter_threads", "2"].map(Into::into).into()
}

pub(super) fn of(order: &Order<'_>, size: Option<(u32, u32)>, limit: Duration) -> Vec<OsString> {
    let mut arguments = beginning();
    arguments.extend(container_rules::input(order.facts.container));
    if order.kind == MediaType::Image {
        // A still picture that is damaged is refused; of a video only the damaged frames are lost.
        arguments.extend(["-err_detect", "explode"].map(OsString::from));
    }
    if let Some(codec) = order.facts.transparent {
        arguments.extend(["-c:v", codec.decoder()].map(OsString::from));
    }
    // One second more than allowed, to see that a file without a length is too long.
    let most = (limit + Duration::from_secs(1)).as_secs_f64().to_string();
    let pixels = MOST_PIXELS.to_string();
    arguments.extend(["-max_pixels", &pixels, "-threads", "2", "-t", &most, "-i", SOURCE].map(OsString::from));
    let fixed = match order.kind {
        MediaType::Video if order.facts.transparent.is_some() => TRANSPARENT,
        MediaType::Video => VIDEO,
        MediaType::Image => IMAGE,
        MediaType::Gif => GIF,
        MediaType::Audio => AUDIO,
    };
    arguments.extend(fixed.iter().map(OsString::from));
    if let Some((width, height)) = size {
        arguments.extend(["-vf".into(), format!("scale={width}:{height},setsar=1").into()]);
    }
    // Names, places and thumbnails of the sender stay out.
    arguments.extend(
        ["-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-threads", "2", RESULT].map(OsString::from),
    );
    arguments
}
