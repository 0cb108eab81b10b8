//! Small media of our own making, for demo data and tests: ffmpeg draws and hums them, no file is shipped.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    time::Duration,
};

use domain::media::MediaType;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    confine::{self, Ended, Limits},
    container_rules::RESULT,
};

/// A file to upload.
#[derive(Debug, Clone)]
pub struct Sample {
    pub kind: MediaType,
    pub content_type: &'static str,
    pub file_name: &'static str,
    pub bytes: Vec<u8>,
}

/// Makes the sample of this type: a video of two seconds with sound, a picture, a moving picture, a sound.
///
/// # Errors
/// ffmpeg is missing or failed.
pub async fn sample(settings: &Settings, kind: MediaType) -> io::Result<Sample> {
    let (content_type, file_name, arguments): (_, _, &[&str]) = match kind {
        MediaType::Video => (
            "video/mp4",
            "sample.mp4",
            &[
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=640x360:rate=30:duration=2",
                "-f",
                "lavfi",
                "-i",
                "sine=frequency=440:duration=2",
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
                "-pix_fmt",
                "yuv420p",
                "-c:a",
                "aac",
                "-f",
                "mp4",
            ],
        ),
        MediaType::Image => (
            "image/png",
            "sample.png",
            &["-f", "lavfi", "-i", "mandelbrot=size=480x270", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe"],
        ),
        MediaType::Gif => {
            ("image/gif", "sample.gif", &["-f", "lavfi", "-i", "testsrc2=size=240x180:rate=10:duration=1", "-f", "gif"])
        }
        MediaType::Audio => (
            "audio/mpeg",
            "sample.mp3",
            &["-f", "lavfi", "-i", "sine=frequency=660:duration=2", "-c:a", "libmp3lame", "-f", "mp3"],
        ),
    };
    let bytes = draw(settings, arguments).await?;
    Ok(Sample { kind, content_type, file_name, bytes })
}

/// Runs ffmpeg on inputs that it makes itself; its last argument, the output, is added here.
pub(crate) async fn draw(settings: &Settings, arguments: &[&str]) -> io::Result<Vec<u8>> {
    let wall = Duration::from_secs(60);
    let limits = Limits { wall, cpu: wall, memory: 2 << 30, output: 256 << 20 };
    let mut result = tempfile::tempfile()?;
    let nothing = File::open("/dev/null")?;
    let mut command = confine::command(&settings.ffmpeg, limits, settings.uid, nothing, result.try_clone()?)?;
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments).arg(RESULT);
    let ended = confine::run(limits, &CancellationToken::new(), move || command.spawn()).await?;
    match ended {
        Ended::Exited(status) if status.success() => {}
        ended => return Err(io::Error::other(format!("ffmpeg made no sample: {ended:?}"))),
    }
    let mut bytes = Vec::new();
    result.rewind()?;
    result.read_to_end(&mut bytes)?;
    Ok(bytes)
}
