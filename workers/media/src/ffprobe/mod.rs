//! ffprobe: what is in a file, as far as a program can tell without trusting it.

mod report;

use std::{ffi::OsString, fs::File, io, path::Path, time::Duration};

use blobs::Blobs;
use domain::media::Container;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

pub(crate) use self::report::{Report, Stream};
use crate::{
    Settings, Stop,
    confine::{self, Ended, Limits},
    container_rules,
};

/// Bytes of its answer. Ten thousand streams do not fit, and are refused all the same.
const MOST_OUTPUT: u64 = 256 * 1024;
/// It reads headers and some packets; the figure is what its libraries map, and room to work.
const MEMORY: u64 = 1 << 30;

/// Asks ffprobe about a file, taken for a `container`.
///
/// # Errors
/// [`Stop`]: it did not answer in time, or the worker stops. That ffprobe could not make sense of the file is in the
/// report.
pub(crate) async fn probe(
    blobs: &Blobs,
    settings: &Settings,
    source: File,
    container: Container,
    cancelled: &CancellationToken,
) -> Result<Report, Stop> {
    let limits = Limits {
        wall: settings.probe_deadline,
        cpu: settings.probe_deadline.max(Duration::from_secs(1)),
        memory: MEMORY,
        output: MOST_OUTPUT,
    };
    let answer = blobs.scratch().await.map_err(Stop::storage)?;
    let result = answer.open_for_writing().map_err(Stop::storage)?;
    let mut command = confine::command(&settings.ffprobe, limits, settings.uid, source, result)
        .map_err(|error| Stop::ours("ffprobe", error))?;
    command.args(arguments(container));
    let ended = confine::run(limits, cancelled, move || command.spawn())
        .await
        .map_err(|error| start_failed(&settings.ffprobe, error))?;
    match ended {
        Ended::Exited(_) => {}
        Ended::TimedOut => return Err(Stop::overran("ffprobe", limits.wall)),
        Ended::Cancelled => return Err(Stop::Cancelled),
    }
    let mut json = Vec::new();
    let file = answer.open_for_reading().await.map_err(Stop::storage)?;
    file.take(MOST_OUTPUT).read_to_end(&mut json).await.map_err(Stop::storage)?;
    // Judged by its words, not by its exit status: killed by a limit, it leaves half a text, which is no report.
    Ok(serde_json::from_slice(&json).unwrap_or_default())
}

fn start_failed(program: &Path, error: io::Error) -> Stop {
    Stop::ours(&program.display().to_string(), error)
}

fn arguments(container: Container) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["-v", "quiet", "-of", "json=compact=1", "-show_error"].map(Into::into).into();
    arguments.extend(container_rules::input(container));
    arguments.extend(
        [
            "-show_entries",
            // Named one by one: tags could hold megabytes.
            "format=format_name,duration,nb_streams:stream=codec_type,codec_name,width,height,duration\
             :stream_disposition=attached_pic:stream_tags=alpha_mode:stream_side_data=rotation",
            container_rules::SOURCE,
        ]
        .map(OsString::from),
    );
    arguments
}
