//! What the pool must be told.

use std::{path::PathBuf, time::Duration};

/// A number that no account has, so that nothing else on the machine runs under it: neither PostgreSQL nor another service.
const NOBODYS_UID: u32 = 64_117;

/// Settings of the pool.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A name is looked up in the system's usual folders.
    pub ffmpeg: PathBuf,
    /// A name is looked up in the system's usual folders.
    pub ffprobe: PathBuf,
    /// Nothing plays longer.
    pub max_duration: Duration,
    /// ffprobe is killed after this long.
    pub probe_deadline: Duration,
    /// ffmpeg is killed after this long.
    pub transcode_deadline: Duration,
    /// What memes are brought to by their gain, in LUFS.
    pub loudness_target: f64,
    /// As whom both run when we are root.
    pub uid: u32,
    /// Uploads worked on at once in this process. An encoder uses two threads.
    pub concurrency: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            max_duration: Duration::from_secs(15),
            probe_deadline: Duration::from_secs(10),
            transcode_deadline: Duration::from_secs(120),
            loudness_target: -16.0,
            uid: NOBODYS_UID,
            concurrency: (cores / 2).max(1),
        }
    }
}
