//! ffmpeg as a child process, its log turned into progress and last words by ffmpeg-sidecar.

use std::{
    io::{self, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use ffmpeg_sidecar::{
    event::{FfmpegEvent, LogLevel},
    log_parser::{FfmpegLogParser, parse_time_str},
};
use tokio::sync::{oneshot, watch};

/// Characters of the log that are kept for ours.
const WORDS: usize = 2000;

/// A run about to start.
///
/// ffmpeg-sidecar's own child wants all three channels to be pipes; ours are files on purpose, so only its reading of the
/// log is used.
pub(super) struct Transcoder {
    command: Command,
    listener: Listener,
}

/// Reads the log.
struct Listener {
    expected_ms: Option<i64>,
    progress: watch::Sender<i16>,
    words: oneshot::Sender<String>,
}

/// Where its last words will be heard.
pub(super) struct Told(oneshot::Receiver<String>);

impl Transcoder {
    pub(super) fn new(mut command: Command, expected_ms: Option<i64>, progress: watch::Sender<i16>) -> (Self, Told) {
        command.stderr(Stdio::piped());
        let (words, told) = oneshot::channel();
        (Self { command, listener: Listener { expected_ms, progress, words } }, Told(told))
    }

    /// Starts it, and a thread that reads its log until the end.
    pub(super) fn start(mut self) -> io::Result<Child> {
        let mut child = self.command.spawn()?;
        if let Some(log) = child.stderr.take() {
            let listener = self.listener;
            let listening = std::thread::Builder::new().name("ffmpeg-log".to_owned());
            if let Err(error) = listening.spawn(move || listener.listen(log)) {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        }
        Ok(child)
    }
}

impl Listener {
    fn listen(self, log: ChildStderr) {
        let mut parser = FfmpegLogParser::new(BufReader::new(log));
        let mut last = String::new();
        loop {
            match parser.parse_next_event() {
                Ok(FfmpegEvent::Progress(at)) => {
                    let per_cent = self.expected_ms.and_then(|expected| per_cent(&at.time, expected));
                    // Nobody may be watching any more: then there is nobody to tell.
                    per_cent.map(|per_cent| self.progress.send(per_cent));
                }
                Ok(FfmpegEvent::Log(LogLevel::Error | LogLevel::Fatal, line)) if last.len() < WORDS => {
                    last.push_str(&line);
                    last.push('\n');
                }
                Ok(FfmpegEvent::LogEOF) | Err(_) => break,
                Ok(_) => {}
            }
        }
        // The run was given up: nobody asks.
        drop(self.words.send(last));
    }
}

impl Told {
    /// What it said about its failure. Empty when its log does not end (something else holds it open).
    pub(super) async fn last_words(self) -> String {
        match tokio::time::timeout(Duration::from_secs(1), self.0).await {
            Ok(Ok(words)) => words,
            _ => String::new(),
        }
    }
}

/// 0 to 99: the last one comes with the commit.
fn per_cent(time: &str, expected_ms: i64) -> Option<i16> {
    let done_ms = parse_time_str(time)? * 1000.0;
    Some((done_ms / expected_ms.max(1) as f64 * 100.0).clamp(0.0, 99.0) as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_to_99() {
        assert_eq!(per_cent("00:00:01.00", 2000), Some(50));
        assert_eq!(per_cent("00:00:30.00", 2000), Some(99));
        assert_eq!(per_cent("-00:00:00.02", 2000), Some(0));
        assert_eq!(per_cent("N/A", 2000), None);
    }
}
