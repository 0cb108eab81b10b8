//! Encoding anew: whatever came in, what goes out was written by our own encoder.

mod arguments;
mod transcoder;

use std::{ffi::OsString, fs::File, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use blobs::{Blobs, Scratch, StageError, Staged};
use domain::media::{Container, Look, Loudness, MediaType};
use nix::sys::signal::Signal;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use self::arguments::beginning;
use self::transcoder::Transcoder;
use crate::{
    Settings, Stop,
    confine::{self, Ended, Limits},
    ffprobe,
    look::{self, Subject},
    loudness,
    policy::{Facts, Refusal, TOLERANCE},
};

/// Bytes of a rendition: far more than the bit rates below need for any length we take.
pub(crate) const MOST_OUTPUT: u64 = 128 << 20;
/// Bytes of address space: a large photograph, or H.264 at two threads, with room.
const MEMORY: u64 = 2 << 30;
/// A rendition must play for this share of what its source promised; less, and the source was cut off.
const WHOLE: f64 = 0.9;
/// Milliseconds that a picture is shown when its sender did not say.
const PICTURE: i64 = 5_000;
/// The shortest one: what is gone before it is drawn is no meme.
const SHORTEST_PICTURE: i64 = 500;
/// Milliseconds that a moving picture without sound goes on repeating at least.
const REPEAT: i64 = 3_000;

/// What came out.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub staged: Staged,
    pub mime_type: &'static str,
    /// Milliseconds that a screen shows it.
    pub duration_ms: i32,
    /// Pixels; none for audio.
    pub size: Option<(u32, u32)>,
    /// None where there is nothing to hear.
    pub loudness: Option<Loudness>,
    /// None for sound, and where there is nothing to be told apart.
    pub look: Option<Look>,
}

/// One thing to encode.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub kind: MediaType,
    pub facts: &'a Facts,
    /// Milliseconds that the sender asked for; counts for a still picture.
    pub claimed_ms: Option<i32>,
}

/// Encodes `source`. Tells `progress` (per cent) as it goes.
///
/// # Errors
/// [`Stop`]: the file cannot be decoded or plays too long, it took too long, the worker stops, or the disk refused.
pub(crate) async fn encode(
    blobs: &Blobs,
    settings: &Settings,
    source: File,
    order: &Order<'_>,
    progress: watch::Sender<i16>,
    cancelled: &CancellationToken,
) -> Result<Encoded, Stop> {
    let scratch = blobs.scratch().await.map_err(Stop::storage)?;
    let sent = source.try_clone().map_err(Stop::storage)?;
    let size = transcode(settings, source, &scratch, order, progress, cancelled).await?;
    let duration_ms = match order.kind {
        MediaType::Image => picture_ms(order.claimed_ms, settings),
        MediaType::Gif => repeated(order.facts.duration_ms, limit_ms(settings)),
        MediaType::Video | MediaType::Audio => played(blobs, settings, &scratch, order, cancelled).await?,
    };
    // Side by side: each waits for a program of its own, and neither is dropped while its program runs.
    let (loudness, look) = tokio::join!(
        loudness_of(blobs, settings, &scratch, order, duration_ms, cancelled),
        look_of(blobs, settings, sent, &scratch, order, duration_ms, cancelled),
    );
    let (loudness, look) = (loudness?, look?);
    Ok(Encoded {
        staged: stage(blobs, &scratch).await?,
        mime_type: arguments::mime_type(order),
        duration_ms: i32::try_from(duration_ms).unwrap_or(i32::MAX).max(1),
        size,
        loudness,
        look,
    })
}

async fn loudness_of(
    blobs: &Blobs,
    settings: &Settings,
    scratch: &Scratch,
    order: &Order<'_>,
    duration_ms: i64,
    cancelled: &CancellationToken,
) -> Result<Option<Loudness>, Stop> {
    match container(order) {
        Some(container) if order.facts.has_audio => {
            let sound = scratch.open_for_reading().await.map_err(Stop::storage)?.into_std().await;
            loudness::measure(blobs, settings, sound, container, duration_ms, cancelled).await
        }
        _ => Ok(None),
    }
}

/// A video is looked at as it will be shown, which is smaller than what was sent; a picture as it was sent, since ffmpeg does
/// not read every picture that it writes.
async fn look_of(
    blobs: &Blobs,
    settings: &Settings,
    sent: File,
    scratch: &Scratch,
    order: &Order<'_>,
    duration_ms: i64,
    cancelled: &CancellationToken,
) -> Result<Option<Look>, Stop> {
    let (file, subject) = match (order.kind, container(order)) {
        (MediaType::Audio, _) => return Ok(None),
        (kind, Some(container)) => {
            let shown = scratch.open_for_reading().await.map_err(Stop::storage)?.into_std().await;
            (shown, Subject { kind, container, duration_ms: Some(duration_ms) })
        }
        (kind, None) => {
            (sent, Subject { kind, container: order.facts.container, duration_ms: order.facts.duration_ms })
        }
    };
    look::of(blobs, settings, file, &subject, cancelled).await
}

/// Milliseconds that a still picture is shown: as was asked for, but long enough to be seen and no longer than a clip may play.
pub(crate) fn picture_ms(claimed: Option<i32>, settings: &Settings) -> i64 {
    let longest = limit_ms(settings);
    claimed.map_or(PICTURE, i64::from).clamp(SHORTEST_PICTURE.min(longest), longest)
}

async fn transcode(
    settings: &Settings,
    source: File,
    scratch: &Scratch,
    order: &Order<'_>,
    progress: watch::Sender<i16>,
    cancelled: &CancellationToken,
) -> Result<Option<(u32, u32)>, Stop> {
    let size = arguments::shown_size(order);
    let arguments = arguments::of(order, size, settings.max_duration);
    run(settings, source, scratch, arguments, order.facts.duration_ms, progress, cancelled).await?;
    Ok(size)
}

/// What is in `scratch`, ready to be published. Copied, not renamed: no other process ever had the published file open.
pub(crate) async fn stage(blobs: &Blobs, scratch: &Scratch) -> Result<Staged, Stop> {
    let mut staging = blobs.stage(MOST_OUTPUT).await.map_err(too_large)?;
    let mut written = scratch.open_for_reading().await.map_err(Stop::storage)?;
    staging.copy(&mut written).await.map_err(too_large)?;
    if staging.size() == 0 {
        return Err(Refusal::content("nothing in it can be shown").into());
    }
    staging.seal().await.map_err(too_large)
}

/// Runs ffmpeg on `source` behind the walls; what it writes is in `scratch`.
///
/// # Errors
/// As [`encode`].
pub(crate) async fn run(
    settings: &Settings,
    source: File,
    scratch: &Scratch,
    arguments: Vec<OsString>,
    expected_ms: Option<i64>,
    progress: watch::Sender<i16>,
    cancelled: &CancellationToken,
) -> Result<(), Stop> {
    let wall = settings.transcode_deadline;
    let limits = Limits { wall, cpu: wall * 2, memory: MEMORY, output: MOST_OUTPUT };
    let result = scratch.open_for_writing().map_err(Stop::storage)?;
    let mut command = confine::command(&settings.ffmpeg, limits, settings.uid, source, result)
        .map_err(|error| Stop::ours("ffmpeg", error))?;
    command.args(arguments);
    let (transcoder, told) = Transcoder::new(command, expected_ms, progress);
    let ended = confine::run(limits, cancelled, move || transcoder.start())
        .await
        .map_err(|error| Stop::ours(&settings.ffmpeg.display().to_string(), error))?;
    match ended {
        Ended::Exited(status) if status.success() => Ok(()),
        Ended::Exited(status) => Err(failed(status, &told.last_words().await, wall)),
        Ended::TimedOut => Err(Stop::overran("ffmpeg", wall)),
        Ended::Cancelled => Err(Stop::Cancelled),
    }
}

/// Whose fault a failed run was.
fn failed(status: ExitStatus, words: &str, wall: Duration) -> Stop {
    match status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
        // Its processor time is over.
        Some(Signal::SIGXCPU) => Stop::overran("ffmpeg", wall),
        // Nobody of us did it, so the kernel was out of memory.
        Some(Signal::SIGKILL) => Stop::ours("ffmpeg", "killed"),
        // A crash or too much output: the file's doing.
        Some(_) => Refusal::content("it cannot be decoded").into(),
        None if words.contains("No space left on device") => Stop::ours("ffmpeg", "no space left on the disk"),
        None => {
            tracing::info!(words, "ffmpeg refused a file");
            Refusal::content("it cannot be decoded").into()
        }
    }
}

/// Milliseconds that the rendition really plays: only now is it known, since a source may say what it likes.
async fn played(
    blobs: &Blobs,
    settings: &Settings,
    scratch: &Scratch,
    order: &Order<'_>,
    cancelled: &CancellationToken,
) -> Result<i64, Stop> {
    let container = container(order).unwrap_or(Container::Mp4);
    let file = scratch.open_for_reading().await.map_err(Stop::storage)?.into_std().await;
    let report = ffprobe::probe(blobs, settings, file, container, cancelled).await?;
    let Some(seconds) = report.format.and_then(|format| format.duration).filter(|seconds| *seconds > 0.0) else {
        return Err(Refusal::content("nothing in it can be played").into());
    };
    let limit = settings.max_duration;
    if seconds > (limit + TOLERANCE).as_secs_f64() {
        return Err(Refusal::too_long(limit).into());
    }
    // Half a second on top, for short clips whose last frames do not count.
    let promised = order.facts.duration_ms.map_or(0.0, |promised| promised as f64 / 1000.0);
    if seconds + 0.5 < promised * WHOLE {
        return Err(Refusal::content("it ends before its own header says: it was cut off").into());
    }
    Ok(((seconds * 1000.0).round() as i64).min(limit_ms(settings)))
}

/// What the rendition is wrapped in; none where it is a picture.
const fn container(order: &Order<'_>) -> Option<Container> {
    match order.kind {
        MediaType::Video if order.facts.transparent.is_some() => Some(Container::WebM),
        MediaType::Video => Some(Container::Mp4),
        MediaType::Audio => Some(Container::Mp3),
        MediaType::Image | MediaType::Gif => None,
    }
}

/// As often as it takes to be seen, within the limit.
fn repeated(once: Option<i64>, limit: i64) -> i64 {
    let once = once.unwrap_or(REPEAT).max(1);
    let times = (REPEAT + once - 1) / once;
    (once * times).min(limit)
}

fn limit_ms(settings: &Settings) -> i64 {
    i64::try_from(settings.max_duration.as_millis()).unwrap_or(i64::MAX)
}

fn too_large(error: StageError) -> Stop {
    match error {
        StageError::TooLarge { .. } => Refusal::content("it becomes too large").into(),
        StageError::Io(error) => Stop::storage(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_a_short_loop_until_it_can_be_seen() {
        assert_eq!(repeated(Some(1000), 15_000), 3000);
        assert_eq!(repeated(Some(1600), 15_000), 3200);
        assert_eq!(repeated(Some(7000), 15_000), 7000);
        assert_eq!(repeated(Some(7000), 5_000), 5000);
        assert_eq!(repeated(None, 15_000), 3000);
        assert_eq!(repeated(Some(0), 15_000), 3000);
    }
}
