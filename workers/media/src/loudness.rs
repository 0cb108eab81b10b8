//! How loud a rendition is: ffmpeg's meter after EBU R128, on what screens will play.

use std::{fs::File, time::Duration};

use blobs::Blobs;
use domain::media::{Container, Loudness};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings, Stop,
    confine::{self, Ended, Limits},
    container_rules,
};

/// Bytes of its log, which ends with the figures.
const MOST_OUTPUT: u64 = 256 * 1024;
const MEMORY: u64 = 1 << 30;
/// Milliseconds. What is shorter is measured as if it went on: the meter looks at 400 ms at a time, and hears nothing in less.
const LONG_ENOUGH: i64 = 1000;
/// The meter for what is heard, at the rate at which it is exact.
const METER: &str = "aresample=48000,ebur128=peak=true:framelog=verbose";

/// Measures the sound of a rendition of ours that plays this long. None: there is nothing to hear, or it could not be
/// measured, which is no reason to refuse a meme.
///
/// # Errors
/// [`Stop::Cancelled`], or the disk refused.
pub(crate) async fn measure(
    blobs: &Blobs,
    settings: &Settings,
    rendition: File,
    container: Container,
    duration_ms: i64,
    cancelled: &CancellationToken,
) -> Result<Option<Loudness>, Stop> {
    let wall = settings.probe_deadline;
    let limits = Limits { wall, cpu: wall.max(Duration::from_secs(1)), memory: MEMORY, output: MOST_OUTPUT };
    let log = blobs.scratch().await.map_err(Stop::storage)?;
    let result = log.open_for_writing().map_err(Stop::storage)?;
    // Nothing is written but the log.
    let words = result.try_clone().map_err(Stop::storage)?;
    let mut command = confine::command(&settings.ffmpeg, limits, settings.uid, rendition, result)
        .map_err(|error| Stop::ours("ffmpeg", error))?;
    command.stderr(words);
    command.args(["-hide_banner", "-loglevel", "info", "-nostats", "-nostdin"]);
    command.args(container_rules::input(container));
    let again = (LONG_ENOUGH / duration_ms.max(1)).to_string();
    command.args(["-stream_loop", &again, "-i", container_rules::SOURCE, "-map", "0:a:0", "-af", METER]);
    command.args(["-t", "30", "-f", "null", "-"]);
    let ended = confine::run(limits, cancelled, move || command.spawn())
        .await
        .map_err(|error| Stop::ours(&settings.ffmpeg.display().to_string(), error))?;
    match ended {
        Ended::Exited(status) if status.success() => {}
        Ended::Cancelled => return Err(Stop::Cancelled),
        Ended::Exited(_) | Ended::TimedOut => {
            tracing::warn!(?ended, "how loud a rendition is could not be measured");
            return Ok(None);
        }
    }
    let mut text = Vec::new();
    let file = log.open_for_reading().await.map_err(Stop::storage)?;
    file.take(MOST_OUTPUT).read_to_end(&mut text).await.map_err(Stop::storage)?;
    let figures = figures(&String::from_utf8_lossy(&text));
    Ok(figures.and_then(|(lufs, true_peak)| Loudness::new(lufs, true_peak, settings.loudness_target)))
}

/// Integrated loudness and true peak of the meter's last words.
fn figures(log: &str) -> Option<(f64, f64)> {
    let (_, summary) = log.rsplit_once("Summary:")?;
    let after = |name: &str| {
        let line = summary.lines().find_map(|line| line.trim().strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some((after("I:")?, after("Peak:")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::draw;

    const SUMMARY: &str = "[Parsed_ebur128_1 @ 0x55] Summary:

  Integrated loudness:
    I:         -21.5 LUFS
    Threshold: -31.5 LUFS

  Loudness range:
    LRA:         0.0 LU

  True peak:
    Peak:      -18.4 dBFS
";

    #[test]
    fn reads_the_meters_last_words() {
        assert_eq!(figures(SUMMARY), Some((-21.5, -18.4)));
        assert_eq!(figures(&SUMMARY.replace("-18.4", "-inf")), Some((-21.5, f64::NEG_INFINITY)));
        assert_eq!(figures(&SUMMARY[..SUMMARY.len() / 2]), None);
        assert_eq!(figures(""), None);
    }

    async fn loudness_of(source: &str, duration_ms: i64) -> Option<Loudness> {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, settings) = (Blobs::local(dir.path(), "loudness").unwrap(), Settings::default());
        let arguments = ["-f", "lavfi", "-i", source, "-ac", "2", "-c:a", "libmp3lame", "-b:a", "192k", "-f", "mp3"];
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &draw(&settings, &arguments).await.unwrap()).unwrap();
        let stop = CancellationToken::new();
        measure(&blobs, &settings, file, Container::Mp3, duration_ms, &stop).await.unwrap()
    }

    #[tokio::test]
    async fn measures_what_is_loud_what_is_short_and_what_is_silent() {
        // ffmpeg's tone is an eighth of full scale, and less on each of two sides.
        let tone = loudness_of("sine=frequency=1000:duration=3", 3000).await.unwrap();
        assert!((tone.lufs + 21.3).abs() < 0.5 && (tone.true_peak + 21.3).abs() < 0.7, "{tone:?}");
        assert!((tone.gain_db - 5.3).abs() < 0.6, "{tone:?}");
        let loud = loudness_of("sine=frequency=1000:duration=3,volume=17dB", 3000).await.unwrap();
        assert!((loud.lufs - tone.lufs - 17.0).abs() < 0.3 && loud.gain_db < -11.0, "{loud:?}");
        let bonk = loudness_of("sine=frequency=1000:duration=0.2", 200).await.unwrap();
        assert!((bonk.lufs - tone.lufs).abs() < 1.5, "{bonk:?}");
        assert_eq!(loudness_of("anullsrc=duration=1", 1000).await, None);
    }
}
