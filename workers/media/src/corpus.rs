//! The corpus: hand-made bad files, and good ones beside them, through the whole path that an upload takes (first bytes,
//! probe, rules, encoder) with the real programs behind their walls.

mod hostile;
mod mutations;

use std::{io::Write as _, path::Path, time::Duration};

use blobs::{Blobs, Hash};
use domain::media::{Container, HEAD, MediaType};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings, Stop,
    encoder::{self, Encoded, Order},
    ffprobe, policy, sample,
    samples::draw,
};

struct Bench {
    blobs: Blobs,
    settings: Settings,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { blobs: Blobs::local(dir.path(), "corpus").unwrap(), settings, dir }
    }

    async fn draw(&self, arguments: &[&str]) -> Vec<u8> {
        draw(&self.settings, arguments).await.unwrap()
    }

    /// What an upload goes through. The error is the wire's error code.
    async fn take(&self, bytes: &[u8], kind: MediaType, said: &str) -> Result<Encoded, String> {
        let head = &bytes[..bytes.len().min(HEAD)];
        let (container, _) =
            Container::of_upload(Some(kind), Some(said), head).map_err(|unwelcome| format!("{unwelcome:?}"))?;
        self.work(bytes, kind, container).await.map_err(|stop| match stop {
            Stop::Refused(refusal) => refusal.failure.code().to_owned(),
            other => format!("{other:?}"),
        })
    }

    async fn work(&self, bytes: &[u8], kind: MediaType, container: Container) -> Result<Encoded, Stop> {
        let stop = CancellationToken::new();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        // Published files are readable by all; the confined user has to read this one.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o444);
        file.as_file().set_permissions(mode).unwrap();
        let report =
            ffprobe::probe(&self.blobs, &self.settings, std::fs::File::open(file.path()).unwrap(), container, &stop)
                .await?;
        let facts = policy::judge(&report, kind, container, self.settings.max_duration)?;
        let order = Order { kind, facts: &facts, claimed_ms: None };
        let (progress, _) = watch::channel(0);
        encoder::encode(&self.blobs, &self.settings, std::fs::File::open(file.path()).unwrap(), &order, progress, &stop)
            .await
    }

    async fn read(&self, encoded: Encoded) -> Vec<u8> {
        use tokio::io::AsyncReadExt as _;
        let hash: Hash = self.blobs.publish(encoded.staged).await.unwrap();
        let blob = self.blobs.open(&hash).await.unwrap().unwrap();
        let mut bytes = Vec::new();
        let size = blob.size;
        blob.into_range(0, size).await.unwrap().read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    fn leftovers(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("staging")).unwrap().count()
    }
}

fn clip<'a>(source: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments =
        vec!["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
    arguments.extend(more);
    arguments
}

/// Writes a number over the sides of a video in its headers (`tkhd` and the sample entry).
fn with_sides(mp4: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut bytes = mp4.to_vec();
    let entry = bytes.windows(4).position(|window| window == b"avc1").and_then(|first| {
        // `avc1` also stands among the brands; the sample entry is the last one.
        bytes.windows(4).rposition(|window| window == b"avc1").filter(|last| *last > first).or(Some(first))
    });
    let at = entry.unwrap() + 4 + 24;
    bytes[at..at + 2].copy_from_slice(&width.to_be_bytes());
    bytes[at + 2..at + 4].copy_from_slice(&height.to_be_bytes());
    bytes
}

#[tokio::test]
async fn makes_something_to_show_of_every_good_file() {
    let bench = Bench::new();
    for kind in MediaType::ALL {
        let sample = sample(&bench.settings, kind).await.unwrap();
        let encoded = bench.take(&sample.bytes, kind, sample.content_type).await.unwrap();
        let expected = match kind {
            MediaType::Video => ("video/mp4", Some((640, 360)), 2000..=2100),
            MediaType::Image => ("image/webp", Some((480, 270)), 5000..=5000),
            MediaType::Gif => ("image/webp", Some((240, 180)), 3000..=3000),
            MediaType::Audio => ("audio/mpeg", None, 2000..=2100),
        };
        assert_eq!((encoded.mime_type, encoded.size), (expected.0, expected.1));
        assert!(expected.2.contains(&encoded.duration_ms), "{kind}: {} ms", encoded.duration_ms);
        let bytes = bench.read(encoded).await;
        assert_ne!(bytes, sample.bytes, "{kind} is served as it came");
        if kind == MediaType::Video {
            let index = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
            assert!(index(b"moov") < index(b"mdat"), "cannot play while it loads");
        }
    }
    assert_eq!(bench.leftovers(), 0);
}

#[tokio::test]
async fn takes_the_other_kinds_of_file_too() {
    let bench = Bench::new();
    let source = "testsrc2=size=320x240:rate=10:duration=1";
    let sine = "sine=frequency=440:duration=1";
    for (kind, said, arguments) in [
        (MediaType::Video, "video/webm", vec!["-f", "lavfi", "-i", source, "-c:v", "libvpx", "-f", "webm"]),
        (MediaType::Video, "video/quicktime", clip(source, &["-f", "mov"])),
        (MediaType::Image, "image/jpeg", vec!["-f", "lavfi", "-i", source, "-frames:v", "1", "-f", "mjpeg"]),
        (
            MediaType::Image,
            "image/webp",
            vec!["-f", "lavfi", "-i", source, "-frames:v", "1", "-c:v", "libwebp", "-f", "webp"],
        ),
        (MediaType::Audio, "audio/ogg", vec!["-f", "lavfi", "-i", sine, "-c:a", "libopus", "-f", "ogg"]),
        (MediaType::Audio, "audio/wav", vec!["-f", "lavfi", "-i", sine, "-f", "wav"]),
        (MediaType::Audio, "audio/mp4", vec!["-f", "lavfi", "-i", sine, "-c:a", "aac", "-f", "ipod"]),
    ] {
        let bytes = bench.draw(&arguments).await;
        let taken = bench.take(&bytes, kind, said).await;
        assert!(taken.is_ok(), "{said}: {taken:?}");
    }
}

#[tokio::test]
async fn shrinks_what_is_large_and_drops_what_is_not_shown() {
    let bench = Bench::new();
    let tall = clip("testsrc2=size=1080x1920:rate=10:duration=0.5", &["-metadata", "title=secret place", "-f", "mp4"]);
    let encoded = bench.take(&bench.draw(&tall).await, MediaType::Video, "video/mp4").await.unwrap();
    assert_eq!(encoded.size, Some((720, 1280)));
    let bytes = bench.read(encoded).await;
    assert!(!bytes.windows(12).any(|window| window == b"secret place"));
}

#[tokio::test]
async fn refuses_files_that_are_not_what_they_claim() {
    let bench = Bench::new();
    let png = sample(&bench.settings, MediaType::Image).await.unwrap().bytes;
    let mp4 = sample(&bench.settings, MediaType::Video).await.unwrap().bytes;
    let mp3 = sample(&bench.settings, MediaType::Audio).await.unwrap().bytes;
    let ftyp = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    let cases: Vec<(&str, MediaType, &str, Vec<u8>)> = vec![
        ("empty", MediaType::Video, "video/mp4", vec![]),
        ("one byte", MediaType::Video, "video/mp4", vec![0]),
        ("zeros", MediaType::Video, "video/mp4", vec![0; 100_000]),
        ("png named mp4", MediaType::Video, "video/mp4", png.clone()),
        ("mp3 named mp4", MediaType::Video, "video/mp4", mp3.clone()),
        ("mp4 named png", MediaType::Image, "image/png", mp4.clone()),
        ("playlist", MediaType::Video, "video/mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n".to_vec()),
        ("concat list", MediaType::Video, "video/mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n".to_vec()),
        (
            "dash manifest",
            MediaType::Video,
            "video/mp4",
            b"<?xml version=\"1.0\"?><MPD><BaseURL>http://127.0.0.1/".to_vec(),
        ),
        (
            "svg",
            MediaType::Image,
            "image/png",
            b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>".to_vec(),
        ),
        ("html", MediaType::Image, "image/png", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("zip", MediaType::Video, "video/mp4", b"PK\x03\x04\x14\0".to_vec()),
        ("pdf", MediaType::Image, "image/jpeg", b"%PDF-1.7\n".to_vec()),
        ("elf", MediaType::Video, "video/mp4", b"\x7fELF\x02\x01\x01".to_vec()),
        ("html before mp4", MediaType::Video, "video/mp4", [b"<html>".as_slice(), &mp4].concat()),
        ("only a brand box", MediaType::Video, "video/mp4", ftyp.to_vec()),
        (
            "playlist behind a brand box",
            MediaType::Video,
            "video/mp4",
            [ftyp.as_slice(), b"#EXTM3U\n/etc/passwd\n"].concat(),
        ),
        ("noise behind a brand box", MediaType::Video, "video/mp4", [ftyp.as_slice(), &mp3].concat()),
        ("png's head only", MediaType::Image, "image/png", png[..40].to_vec()),
        ("half a png", MediaType::Image, "image/png", png[..png.len() / 2].to_vec()),
        ("mp4 without its index", MediaType::Video, "video/mp4", mp4[..mp4.len() / 2].to_vec()),
        ("gif's head only", MediaType::Gif, "image/gif", b"GIF89a\x01\0\x01\0\0\0\0".to_vec()),
        ("gif without size", MediaType::Gif, "image/gif", b"GIF89a\0\0\0\0\0\0\0;".to_vec()),
        ("id3 and nothing", MediaType::Audio, "audio/mpeg", b"ID3\x04\0\0\0\0\0\0".to_vec()),
    ];
    for (name, kind, said, bytes) in cases {
        let refused = bench.take(&bytes, kind, said).await.map(|encoded| encoded.duration_ms);
        assert!(
            matches!(refused.as_ref().map_err(String::as_str), Err("Content" | "INVALID_FILE_CONTENT")),
            "{name}: {refused:?}"
        );
    }
    assert_eq!(bench.leftovers(), 0);
}

#[tokio::test]
async fn an_mp4_with_a_page_in_its_tail_loses_the_page() {
    let bench = Bench::new();
    let mut bytes = sample(&bench.settings, MediaType::Video).await.unwrap().bytes;
    bytes.extend_from_slice(b"\0\0\0\x28free<html><script>alert(1)</script>PK\x05\x06");
    let encoded = bench.take(&bytes, MediaType::Video, "video/mp4").await.unwrap();
    let served = bench.read(encoded).await;
    assert!(!served.windows(7).any(|window| window == b"<script"));
}

#[tokio::test]
async fn refuses_half_a_picture_but_not_what_cameras_append() {
    let bench = Bench::new();
    let source = "mandelbrot=size=480x270";
    for (said, codec, format) in
        [("image/png", "png", "image2pipe"), ("image/jpeg", "mjpeg", "mjpeg"), ("image/webp", "libwebp", "webp")]
    {
        let arguments = ["-f", "lavfi", "-i", source, "-frames:v", "1", "-c:v", codec, "-f", format];
        let whole = bench.draw(&arguments).await;
        let half = bench.take(&whole[..whole.len() / 2], MediaType::Image, said).await;
        assert_eq!(half.unwrap_err(), "INVALID_FILE_CONTENT", "{said}");
        let longer = bench.take(&[&whole[..], &[0; 5000]].concat(), MediaType::Image, said).await;
        assert!(longer.is_ok(), "{said}: {longer:?}");
    }
}

#[tokio::test]
async fn refuses_what_breaks_a_limit() {
    let bench = Bench::new();
    let video = |source| clip(source, &["-f", "mp4"]);
    let long = bench.draw(&video("color=size=64x48:rate=5:duration=16")).await;
    assert_eq!(bench.take(&long, MediaType::Video, "video/mp4").await.unwrap_err(), "VIDEO_TOO_LONG");
    let full = bench.draw(&video("color=size=64x48:rate=5:duration=15")).await;
    assert_eq!(bench.take(&full, MediaType::Video, "video/mp4").await.unwrap().duration_ms, 15_000);
    // Nobody wrote down how long it is: the encoder finds out.
    let stream =
        ["-f", "lavfi", "-i", "color=size=64x48:rate=5:duration=20", "-c:v", "libvpx", "-live", "1", "-f", "webm"];
    let endless = bench.draw(&stream).await;
    assert_eq!(bench.take(&endless, MediaType::Video, "video/webm").await.unwrap_err(), "VIDEO_TOO_LONG");

    let sound = ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", "-f", "mp4"];
    let silent = bench.draw(&sound).await;
    assert_eq!(bench.take(&silent, MediaType::Video, "video/mp4").await.unwrap_err(), "INVALID_FILE_CONTENT");
    let seen = bench.draw(&video("color=size=64x48:rate=5:duration=1")).await;
    assert_eq!(bench.take(&seen, MediaType::Audio, "audio/mp4").await.unwrap_err(), "INVALID_FILE_CONTENT");

    let crowd: Vec<&str> =
        ["-f", "lavfi", "-i", "sine=duration=0.1"].into_iter().chain(["-map", "0"].repeat(40)).collect();
    let crowd = bench.draw(&[crowd.as_slice(), &["-c:a", "aac", "-f", "mp4"]].concat()).await;
    assert_eq!(bench.take(&crowd, MediaType::Audio, "audio/mp4").await.unwrap_err(), "INVALID_FILE_CONTENT");
}

#[tokio::test]
async fn refuses_a_video_that_was_cut_off() {
    let bench = Bench::new();
    let source = "testsrc2=size=320x240:rate=30:duration=6";
    let whole = bench.draw(&clip(source, &["-movflags", "+faststart", "-f", "mp4"])).await;
    // The index is in front and promises six seconds.
    let half = &whole[..whole.len() / 2];
    assert_eq!(bench.take(half, MediaType::Video, "video/mp4").await.unwrap_err(), "INVALID_FILE_CONTENT");
}

#[tokio::test]
async fn survives_headers_with_impossible_sides() {
    let bench = Bench::new();
    let mp4 = bench.draw(&clip("testsrc2=size=320x240:rate=10:duration=1", &["-f", "mp4"])).await;
    for (width, height) in [(0, 0), (u16::MAX, u16::MAX), (1, u16::MAX)] {
        // The bit stream says otherwise, and the decoder believes it: either way, nothing of that size is ever decoded.
        if let Ok(encoded) = bench.take(&with_sides(&mp4, width, height), MediaType::Video, "video/mp4").await {
            assert_eq!(encoded.size, Some((320, 240)));
        }
    }
    let mut png = sample(&bench.settings, MediaType::Image).await.unwrap().bytes;
    png[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    assert_eq!(bench.take(&png, MediaType::Image, "image/png").await.unwrap_err(), "INVALID_FILE_CONTENT");
}

#[tokio::test]
async fn a_probe_that_hangs_and_forks_is_killed_and_worth_another_try() {
    let dir = tempfile::tempdir().unwrap();
    let slow = dir.path().join("ffprobe");
    // Times that nobody else on this machine sleeps.
    let sleepers = [61, 62].map(|seconds| format!("sleep {seconds}.{}", std::process::id()));
    std::fs::write(&slow, format!("#!/bin/sh\n{} & {}\n", sleepers[0], sleepers[1])).unwrap();
    for path in [dir.path(), &slow] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let settings = Settings { ffprobe: slow, probe_deadline: Duration::from_millis(300), ..Settings::default() };
    let bench = Bench::with(settings);
    let video = sample(&bench.settings, MediaType::Video).await.unwrap().bytes;
    let stopped = bench.work(&video, MediaType::Video, Container::Mp4).await;
    assert!(
        matches!(stopped, Err(Stop::Ours { failure: domain::submissions::Failure::UploadTimeout, .. })),
        "{stopped:?}"
    );
    assert_eq!(bench.leftovers(), 0);
    // Who is killed is gone when the kernel comes to it, which is long before a minute's sleep is over.
    let gone = async {
        while sleepers.iter().any(|command| running(command) > 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), gone).await.is_ok(), "something outlived its group");
}

#[tokio::test]
async fn a_probe_that_forks_without_end_or_eats_memory_takes_nothing_of_ours_along() {
    let dir = tempfile::tempdir().unwrap();
    let sleeper = format!("sleep 63.{}", std::process::id());
    let cases = [
        // As root it is refused the next process some time, and ends by itself.
        ("forks", format!("while :; do {sleeper} & done"), None),
        ("forks_away", format!("while :; do ({sleeper} &) ; done"), None),
        ("ignores", format!("trap '' TERM INT HUP; while :; do {sleeper}; done"), Some(true)),
        // The kernel refuses it the memory: it ends by itself, and what it said is no report.
        ("eats", "exec tail -c 4000000000 /dev/zero".to_owned(), Some(false)),
    ];
    for (uid, (name, script, killed)) in (64_200..).zip(cases) {
        // Also the name under which the kernel lists it.
        let program = dir.path().join(format!("{name}{}", std::process::id()));
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        for path in [dir.path(), &program] {
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        // Users of their own, so that what one may start is not used up by another one's dead.
        let settings = Settings {
            ffprobe: program.clone(),
            probe_deadline: Duration::from_millis(700),
            uid,
            ..Settings::default()
        };
        let bench = Bench::with(settings);
        let video = sample(&Settings::default(), MediaType::Video).await.unwrap().bytes;
        let stopped = bench.work(&video, MediaType::Video, Container::Mp4).await;
        let as_expected = match &stopped {
            Err(Stop::Ours { failure, .. }) => {
                killed.unwrap_or(true) && *failure == domain::submissions::Failure::UploadTimeout
            }
            Err(Stop::Refused(_)) => !killed.unwrap_or(false),
            _ => false,
        };
        assert!(as_expected, "{name}: {stopped:?}");
        assert_eq!(bench.leftovers(), 0);
        let known_as = program.file_name().unwrap().to_string_lossy().into_owned();
        let gone = async {
            while running(&sleeper) > 0 || listed(&known_as) > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), gone).await.is_ok(), "{name}: something is left of it");
    }
}

/// Processes of this name, zombies among them.
fn listed(name: &str) -> usize {
    let name = format!("({})", &name[..name.len().min(15)]);
    let processes = std::fs::read_dir(Path::new("/proc")).unwrap();
    processes
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .filter(|stat| stat.contains(&name))
        .count()
}

/// Processes with this command line.
fn running(command: &str) -> usize {
    let wanted = command.replace(' ', "\0");
    let processes = std::fs::read_dir(Path::new("/proc")).unwrap();
    processes
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("cmdline")).ok())
        .filter(|cmdline| cmdline.trim_end_matches('\0') == wanted)
        .count()
}
