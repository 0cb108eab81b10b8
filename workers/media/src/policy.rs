//! The rules that a file must keep, and the size at which it will be shown. Pure: judged on what ffprobe reported.

use std::time::Duration;

use domain::{
    media::{Container, MediaType},
    submissions::Failure,
};
use serde::{Deserialize, Serialize};

use crate::{
    container_rules::{self, LONGEST_SIDE, MOST_PIXELS, MOST_STREAMS},
    ffprobe::{Report, Stream},
};

/// Containers round to whole frames: a clip of exactly the limit may say a little more.
pub(crate) const TOLERANCE: Duration = Duration::from_millis(100);

/// A file that keeps the rules, and what the encoder needs to know of it. Stored on the submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    pub container: Container,
    /// Milliseconds; none when the container does not say (the encoder finds out) or for a still picture.
    pub duration_ms: Option<i64>,
    /// Pixels as shown, before we scale; none for audio.
    pub size: Option<(u32, u32)>,
    pub has_audio: bool,
    /// None: nothing can be seen through.
    #[serde(default)]
    pub transparent: Option<Transparent>,
}

/// Codecs that write transparency beside their picture, where only a decoder of their own sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transparent {
    Vp8,
    Vp9,
}

impl Transparent {
    fn of(stream: &Stream) -> Option<Self> {
        match (stream.codec_name.as_deref(), stream.tags.alpha_mode.as_deref()) {
            (Some("vp8"), Some("1")) => Some(Self::Vp8),
            (Some("vp9"), Some("1")) => Some(Self::Vp9),
            _ => None,
        }
    }

    /// As ffmpeg names it.
    pub(crate) const fn decoder(self) -> &'static str {
        match self {
            Self::Vp8 => "libvpx",
            Self::Vp9 => "libvpx-vp9",
        }
    }
}

/// Why it is refused, with a sentence for its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub failure: Failure,
    pub detail: String,
}

impl Refusal {
    pub(crate) fn content(detail: impl Into<String>) -> Self {
        Self { failure: Failure::InvalidFileContent, detail: detail.into() }
    }

    pub(crate) fn blocked() -> Self {
        Self { failure: Failure::ContentBlocked, detail: "the same is blocked on this channel".to_owned() }
    }

    pub(crate) fn too_long(limit: Duration) -> Self {
        let detail = format!("it plays longer than {} s", limit.as_secs_f64());
        Self { failure: Failure::VideoTooLong, detail }
    }
}

/// Judges a file that was sent as `kind` and recognised as `container`.
pub(crate) fn judge(report: &Report, kind: MediaType, container: Container, limit: Duration) -> Result<Facts, Refusal> {
    let Some(format) = report.format.as_ref().filter(|_| report.error.is_none()) else {
        return Err(Refusal::content("the file cannot be read as what it says it is"));
    };
    if format.format_name != container_rules::demuxer(container) {
        return Err(Refusal::content("the file is not what its first bytes say"));
    }
    if format.nb_streams > MOST_STREAMS || report.streams.len() > MOST_STREAMS as usize {
        return Err(Refusal::content(format!("it has more than {MOST_STREAMS} streams")));
    }
    let videos: Vec<&Stream> = report.streams.iter().filter(|stream| stream.is_video()).collect();
    let audio = report.streams.iter().find(|stream| stream.is_audio());

    let picture = match (kind, videos.as_slice()) {
        (MediaType::Audio, []) => None,
        (MediaType::Audio, _) => return Err(Refusal::content("it has a picture: send it as a video")),
        (_, []) => return Err(Refusal::content("there is no picture in it")),
        (MediaType::Video, [first, ..]) => Some(*first),
        (_, [only]) => Some(*only),
        _ => return Err(Refusal::content("it has more than one picture")),
    };
    if kind == MediaType::Audio && audio.is_none() {
        return Err(Refusal::content("there is no sound in it"));
    }
    for stream in picture.into_iter().chain(audio) {
        let known = stream.codec_name.as_deref().is_some_and(container_rules::is_allowed_codec);
        if !known {
            return Err(Refusal::content("its encoding is none that is taken"));
        }
    }
    let size = picture.map(shown_size).transpose()?;

    let duration = match kind {
        MediaType::Image => None,
        _ => longest(report, format.duration),
    };
    if duration.is_some_and(|duration| duration <= 0.0) {
        return Err(Refusal::content("it plays for no time at all"));
    }
    if duration.is_some_and(|duration| duration > (limit + TOLERANCE).as_secs_f64()) {
        return Err(Refusal::too_long(limit));
    }
    Ok(Facts {
        container,
        // Below the limit by now, so the conversion is exact enough.
        duration_ms: duration.map(|seconds| (seconds * 1000.0).round() as i64),
        size,
        has_audio: audio.is_some(),
        transparent: picture.and_then(Transparent::of),
    })
}

/// Seconds. Of the container and of each stream, because a file may say one thing and hold another.
fn longest(report: &Report, format: Option<f64>) -> Option<f64> {
    let streams = report.streams.iter().filter(|stream| stream.is_video() || stream.is_audio());
    format.into_iter().chain(streams.filter_map(|stream| stream.duration)).reduce(f64::max)
}

fn shown_size(stream: &Stream) -> Result<(u32, u32), Refusal> {
    let (width, height) = stream.shown_size();
    if width < 1 || height < 1 {
        return Err(Refusal::content("its picture has no size"));
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE || width.saturating_mul(height) > MOST_PIXELS {
        return Err(Refusal::content("its picture is too large"));
    }
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(Refusal::content("its picture is too large")),
    }
}

/// Scales down (never up) into a box, lying or standing as the picture does, to even sides of at least 2 pixels.
pub(crate) fn fit((width, height): (u32, u32), long: u32, short: u32) -> (u32, u32) {
    let (most_width, most_height) = if width >= height { (long, short) } else { (short, long) };
    let (w, h) = (f64::from(width), f64::from(height));
    let scale = (f64::from(most_width) / w).min(f64::from(most_height) / h).min(1.0);
    let even = |side: f64, most: u32| (((side * scale / 2.0).round() as u32) * 2).clamp(2, most);
    (even(w, most_width), even(h, most_height))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(15);

    fn mp4(duration: &str, width: i64, height: i64) -> serde_json::Value {
        json!({
            "format": {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration": duration, "nb_streams": 2},
            "streams": [
                {"codec_type": "video", "codec_name": "h264", "width": width, "height": height, "duration": duration},
                {"codec_type": "audio", "codec_name": "aac", "duration": duration},
            ],
        })
    }

    fn judge(report: serde_json::Value, kind: MediaType, container: Container) -> Result<Facts, Refusal> {
        super::judge(&serde_json::from_value(report).unwrap(), kind, container, LIMIT)
    }

    fn failure(report: serde_json::Value, kind: MediaType, container: Container) -> Option<Failure> {
        judge(report, kind, container).err().map(|refusal| refusal.failure)
    }

    #[test]
    fn takes_a_plain_video() {
        let facts = judge(mp4("2.5", 320, 240), MediaType::Video, Container::Mp4).unwrap();
        assert_eq!(
            facts,
            Facts {
                container: Container::Mp4,
                duration_ms: Some(2500),
                size: Some((320, 240)),
                has_audio: true,
                transparent: None
            }
        );
    }

    #[test]
    fn refuses_more_than_the_limit_and_takes_exactly_the_limit() {
        let judge = |duration| failure(mp4(duration, 320, 240), MediaType::Video, Container::Mp4);
        assert_eq!(judge("15.000000"), None);
        assert_eq!(judge("15.046000"), None);
        assert_eq!(judge("16.000000"), Some(Failure::VideoTooLong));
        assert_eq!(judge("1000000000"), Some(Failure::VideoTooLong));
        assert_eq!(judge("0.000000"), Some(Failure::InvalidFileContent));
        assert_eq!(judge("-1"), Some(Failure::InvalidFileContent));
        // A header that lies about what a stream holds.
        let mut report = mp4("2.0", 320, 240);
        report["streams"][1]["duration"] = json!("99");
        assert_eq!(failure(report, MediaType::Video, Container::Mp4), Some(Failure::VideoTooLong));
    }

    #[test]
    fn refuses_pictures_without_size_or_beyond_measure() {
        for (width, height) in
            [(0, 0), (0, 240), (320, -1), (65_535, 65_535), (10_001, 2), (9_000, 9_000), (i64::MAX, 2)]
        {
            let refused = failure(mp4("2", width, height), MediaType::Video, Container::Mp4);
            assert_eq!(refused, Some(Failure::InvalidFileContent), "{width}x{height}");
        }
    }

    #[test]
    fn refuses_what_is_not_what_it_was_sent_as() {
        let bad = Some(Failure::InvalidFileContent);
        assert_eq!(failure(json!({}), MediaType::Video, Container::Mp4), bad);
        assert_eq!(failure(json!({"error": {"code": -1}}), MediaType::Video, Container::Mp4), bad);
        assert_eq!(failure(mp4("2", 320, 240), MediaType::Video, Container::WebM), bad);
        assert_eq!(failure(mp4("2", 320, 240), MediaType::Audio, Container::Mp4), bad);

        let mut silent = mp4("2", 320, 240);
        silent["streams"] = json!([{"codec_type": "audio", "codec_name": "aac"}]);
        assert_eq!(failure(silent.clone(), MediaType::Video, Container::Mp4), bad);
        assert_eq!(failure(silent, MediaType::Audio, Container::Mp4), None);

        let mut strange = mp4("2", 320, 240);
        strange["streams"][0]["codec_name"] = json!("ansi");
        assert_eq!(failure(strange, MediaType::Video, Container::Mp4), bad);

        let mut crowd = mp4("2", 320, 240);
        crowd["format"]["nb_streams"] = json!(10_000);
        assert_eq!(failure(crowd, MediaType::Video, Container::Mp4), bad);

        let cover = json!({
            "format": {"format_name": "mp3", "duration": "3", "nb_streams": 2},
            "streams": [
                {"codec_type": "audio", "codec_name": "mp3"},
                {"codec_type": "video", "codec_name": "mjpeg", "width": 9, "height": 9, "disposition": {"attached_pic": 1}},
            ],
        });
        assert_eq!(failure(cover, MediaType::Audio, Container::Mp3), None);
    }

    #[test]
    fn keeps_the_shape_when_it_scales() {
        assert_eq!(fit((320, 240), 1280, 720), (320, 240));
        assert_eq!(fit((1920, 1080), 1280, 720), (1280, 720));
        assert_eq!(fit((1080, 1920), 1280, 720), (720, 1280));
        assert_eq!(fit((321, 241), 1280, 720), (322, 242));
        assert_eq!(fit((1, 1), 1280, 720), (2, 2));
        assert_eq!(fit((10_000, 1), 1280, 720), (1280, 2));
    }

    proptest! {
        #[test]
        fn always_fits_the_box_in_even_sides(width in 1u32..20_000, height in 1u32..20_000) {
            let (w, h) = fit((width, height), 1280, 720);
            prop_assert!(w % 2 == 0 && h % 2 == 0 && w >= 2 && h >= 2);
            prop_assert!(w.max(h) <= 1280 && w.min(h) <= 720);
            prop_assert!(w <= width + 1 && h <= height + 1);
        }

        #[test]
        fn never_takes_what_breaks_a_rule(duration in -10.0f64..1e9, width: i32, height: i32) {
            let report = mp4(&format!("{duration:.6}"), width.into(), height.into());
            if let Ok(facts) = judge(report, MediaType::Video, Container::Mp4) {
                prop_assert!(facts.duration_ms.unwrap() <= 15_100);
                let (w, h) = facts.size.unwrap();
                prop_assert!(w > 0 && h > 0 && i64::from(w) * i64::from(h) <= MOST_PIXELS);
            }
        }
    }
}
