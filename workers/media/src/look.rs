//! What a file looks like: perceptual hashes of some frames.
//!
//! Each frame is shrunk to 32 x 32 shades of grey and taken apart into waves (a cosine transform); a bit says whether one of the
//! 64 longest waves is stronger than the middle one. Encoding anew, another size and a little less of the edges change the
//! short waves, and few of those.

use std::{ffi::OsString, fs::File};

use blobs::Blobs;
use domain::media::{Container, Look, MediaType};
use tokio::{io::AsyncReadExt as _, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::{Settings, Stop, container_rules, encoder};

/// Frames of what moves.
const FRAMES: i64 = 8;
/// Pixels of a side.
const SIDE: usize = 32;
/// Waves of a side that count.
const WAVES: usize = 8;
/// A frame in which shades differ by less, on average, is of one colour: it looks like any other such frame.
const FLAT: f64 = 4.0;

/// What is looked at.
pub(crate) struct Subject {
    pub kind: MediaType,
    pub container: Container,
    /// None where nobody knows.
    pub duration_ms: Option<i64>,
}

/// Looks at a file. None: there is nothing to be told apart, or it could not be looked at, which is no reason to refuse
/// it.
///
/// # Errors
/// [`Stop::Cancelled`], or the disk refused.
pub(crate) async fn of(
    blobs: &Blobs,
    settings: &Settings,
    source: File,
    subject: &Subject,
    cancelled: &CancellationToken,
) -> Result<Option<Look>, Stop> {
    let scratch = blobs.scratch().await.map_err(Stop::storage)?;
    let (unheard, _) = watch::channel(0);
    let longest = i64::try_from(settings.max_duration.as_millis()).unwrap_or(i64::MAX);
    let arguments = arguments(subject, longest);
    match encoder::run(settings, source, &scratch, arguments, None, unheard, cancelled).await {
        Ok(()) => {}
        Err(Stop::Cancelled) => return Err(Stop::Cancelled),
        Err(stop) => {
            tracing::warn!(?stop, "what a file looks like could not be seen");
            return Ok(None);
        }
    }
    let mut shades = Vec::new();
    let file = scratch.open_for_reading().await.map_err(Stop::storage)?;
    let most = SIDE * SIDE * usize::try_from(FRAMES).unwrap_or(1);
    file.take(most as u64).read_to_end(&mut shades).await.map_err(Stop::storage)?;
    Ok(Look::new(shades.chunks_exact(SIDE * SIDE).filter_map(hash).collect()))
}

fn arguments(subject: &Subject, longest_ms: i64) -> Vec<OsString> {
    let shrink = format!("scale={SIDE}:{SIDE}:flags=area,format=gray");
    let (frames, filter) = match subject.kind {
        MediaType::Image | MediaType::Audio => (1, shrink),
        MediaType::Video | MediaType::Gif => {
            let length = subject.duration_ms.unwrap_or(longest_ms).max(1);
            // What is over after one frame has one all the same.
            (FRAMES, format!("tpad=stop_mode=clone:stop_duration=0.2,fps={}/{length},{shrink}", FRAMES * 1000))
        }
    };
    let mut arguments = encoder::beginning();
    arguments.extend(container_rules::input(subject.container));
    if subject.kind == MediaType::Video {
        // What smoothes the edges of blocks is not seen in 32 pixels.
        arguments.extend(["-skip_loop_filter", "all"].map(OsString::from));
    }
    let frames = frames.to_string();
    arguments.extend(["-threads", "2", "-t", "30", "-i", container_rules::SOURCE].map(OsString::from));
    arguments.extend(["-map", "0:V:0", "-vf", &filter, "-frames:v", &frames].map(OsString::from));
    arguments.extend(["-f", "rawvideo", container_rules::RESULT].map(OsString::from));
    arguments
}

/// None for a frame of one colour.
fn hash(shades: &[u8]) -> Option<i64> {
    let mean = shades.iter().map(|shade| f64::from(*shade)).sum::<f64>() / shades.len() as f64;
    let apart = shades.iter().map(|shade| (f64::from(*shade) - mean).abs()).sum::<f64>() / shades.len() as f64;
    if apart < FLAT {
        return None;
    }
    let wave = |place: usize, number: usize| {
        ((2 * place + 1) as f64 * number as f64 * std::f64::consts::PI / (2 * SIDE) as f64).cos()
    };
    // Rows first, then columns of what they gave.
    let mut rows = [[0.0; WAVES]; SIDE];
    for (row, shades) in rows.iter_mut().zip(shades.chunks_exact(SIDE)) {
        for (number, sum) in row.iter_mut().enumerate() {
            *sum = shades.iter().enumerate().map(|(x, shade)| (f64::from(*shade) - mean) * wave(x, number)).sum();
        }
    }
    let strength = |across: usize, down: usize| -> f64 {
        rows.iter().enumerate().map(|(y, row)| row[across] * wave(y, down)).sum()
    };
    let waves: Vec<f64> = (0..WAVES * WAVES).map(|number| strength(number % WAVES, number / WAVES)).collect();
    let mut sorted = waves.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = f64::midpoint(sorted[sorted.len() / 2 - 1], sorted[sorted.len() / 2]);
    let bits = waves.iter().enumerate().filter(|(_, wave)| **wave > middle).fold(0u64, |bits, (at, _)| bits | 1 << at);
    Some(bits.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::draw;

    /// Of a video that ffmpeg makes of this filter graph; four seconds.
    async fn look(source: &str, more: &[&str]) -> Option<Look> {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, settings) = (Blobs::local(dir.path(), "looks").unwrap(), Settings::default());
        let mut arguments = vec!["-f", "lavfi", "-i", source, "-t", "4", "-c:v", "libx264", "-preset", "ultrafast"];
        arguments.extend(more);
        arguments.extend(["-pix_fmt", "yuv420p", "-f", "mp4"]);
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &draw(&settings, &arguments).await.unwrap()).unwrap();
        let subject = Subject { kind: MediaType::Video, container: Container::Mp4, duration_ms: Some(4000) };
        of(&blobs, &settings, file, &subject, &CancellationToken::new()).await.unwrap()
    }

    #[tokio::test]
    async fn knows_a_video_again_however_it_was_encoded_and_no_other_one() {
        const SOURCES: [&str; 3] = [
            "mandelbrot=size=640x360:rate=15:start_scale=3:end_scale=1:end_pts=60",
            "testsrc=size=640x360:rate=15",
            "smptehdbars=size=640x360:rate=15,rotate=t/2",
        ];
        let mut looks = Vec::new();
        for source in SOURCES {
            let whole = look(source, &["-crf", "18"]).await.unwrap();
            assert_eq!(whole.frames().len(), 8);
            for (change, filter, crf) in [
                ("a poor encoding", "null", "40"),
                ("another size", "scale=284:160", "23"),
                ("cut edges", "crop=iw*0.95:ih*0.95,scale=640:360", "23"),
                ("other colours", "eq=brightness=0.08:contrast=0.85", "23"),
                ("fewer frames", "fps=7", "23"),
                ("a caption", "drawbox=x=220:y=320:w=200:h=24:color=white:t=fill", "23"),
            ] {
                let changed = look(source, &["-vf", filter, "-crf", crf]).await.unwrap();
                assert!(whole.is_near(&changed), "{source}, {change}: {whole:x?} {changed:x?}");
                let parts = changed.parts();
                assert!(whole.parts().iter().any(|part| parts.contains(part)), "{source}, {change}: not found");
            }
            looks.push((source, whole));
        }
        for (source, one) in &looks {
            for (other_source, other) in looks.iter().filter(|(other, _)| other != source) {
                assert!(!one.is_near(other), "{source} is taken for {other_source}");
            }
        }
    }

    #[tokio::test]
    async fn tells_nothing_of_one_colour() {
        assert_eq!(look("color=red:size=640x360:rate=15", &[]).await, None);
    }
}
