//! The programs that look at uploads and encode them, and how they are kept in check.

use std::{path::PathBuf, time::Duration};

use super::Reader;

#[derive(Debug, Clone)]
pub struct Media {
    /// `FFMPEG_PATH`: the encoder; a name is looked up in the system's usual folders. Default ffmpeg.
    pub ffmpeg: PathBuf,
    /// `FFPROBE_PATH`: the same for the prober. Default ffprobe.
    pub ffprobe: PathBuf,
    /// `LOUDNESS_TARGET_LUFS`: what memes are brought to by their gain, from -40 to -5 LUFS. Default -16.
    pub loudness_target: f64,
    /// `MEDIA_UID`: as which user both run when we are root; a number that no account has. Default 64117.
    pub uid: u32,
    /// `MEDIA_CONCURRENCY`: uploads worked on at once in this process. Default half the cores.
    pub concurrency: usize,
    /// `PROBE_TIMEOUT_MS`: the prober is killed after this long. Default 10000.
    pub probe_timeout: Duration,
    /// `TRANSCODE_TIMEOUT_MS`: the encoder is killed after this long. Default 120000.
    pub transcode_timeout: Duration,
}

impl Media {
    /// The programs that are not on this machine, where another process may run them.
    pub(super) fn missing(&self) -> Vec<String> {
        let programs = [("FFMPEG_PATH", &self.ffmpeg), ("FFPROBE_PATH", &self.ffprobe)];
        let gone = programs.into_iter().filter(|(_, program)| ::media::find_program(program).is_none());
        gone.map(|(name, program)| format!("{name}: there is no program {} on this machine", program.display()))
            .collect()
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let usual = ::media::Settings::default();
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let uid = reader.number("MEDIA_UID", usual.uid.into(), 1, u32::MAX.into());
        let mut program = |name, usual: PathBuf| {
            let program = reader.text(name).map_or(usual, PathBuf::from);
            reader.otherwise(name, program.display());
            program
        };
        Self {
            ffmpeg: program("FFMPEG_PATH", usual.ffmpeg),
            ffprobe: program("FFPROBE_PATH", usual.ffprobe),
            loudness_target: loudness_target(reader, usual.loudness_target),
            uid: u32::try_from(uid).unwrap_or(usual.uid),
            concurrency: whole(reader.number("MEDIA_CONCURRENCY", usual.concurrency as u64, 1, 64)),
            probe_timeout: reader.milliseconds("PROBE_TIMEOUT_MS", 10_000, 1),
            transcode_timeout: reader.milliseconds("TRANSCODE_TIMEOUT_MS", 120_000, 1),
        }
    }
}

fn loudness_target(reader: &mut Reader, usual: f64) -> f64 {
    const NAME: &str = "LOUDNESS_TARGET_LUFS";
    let what = "a number from -40 to -5";
    let target = reader.parse(NAME, what).unwrap_or(usual);
    if !(-40.0..=-5.0).contains(&target) {
        reader.complain(format!("{NAME} must be {what}, not {target}"));
    }
    reader.otherwise(NAME, target);
    target
}
