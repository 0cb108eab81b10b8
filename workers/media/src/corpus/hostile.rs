//! Hand-made hostile files (RELIABILITY S16): what other programs would follow, run or unpack, under every claim and behind
//! every head; and boxes, sides and numbers that no file has. What comes of them is a refusal, or a rendition that keeps the
//! rules; none of them reads a file of ours or asks an address.

use std::{
    io::ErrorKind,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::PathBuf,
    time::{Duration, Instant},
};

use domain::media::MediaType;

use super::{Bench, clip, sample, with_sides};
use crate::{Settings, encoder::Encoded};

/// A file and an address that nobody shall touch.
struct Canaries {
    dir: tempfile::TempDir,
    port: TcpListener,
}

impl Canaries {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let canaries = Self { dir, port: TcpListener::bind("127.0.0.1:0").unwrap() };
        canaries.port.set_nonblocking(true).unwrap();
        for name in ["canary.ts", "control"] {
            let path = canaries.dir.path().join(name);
            std::fs::write(&path, "canary").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
            canaries.unread(name);
        }
        canaries
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("canary.ts")
    }

    /// Makes it look as if it was written after it was last read: then the next reading shows, also where the file system
    /// notes readings now and then only.
    fn unread(&self, name: &str) {
        let file = std::fs::File::options().write(true).open(self.dir.path().join(name)).unwrap();
        let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let times = std::fs::FileTimes::new().set_accessed(long_ago).set_modified(long_ago + Duration::from_secs(1));
        file.set_times(times).unwrap();
    }

    fn was_read(&self, name: &str) -> bool {
        self.dir.path().join(name).metadata().unwrap().atime() != 1_000_000_000
    }

    /// Nobody has touched them.
    fn assert_untouched(&self) {
        assert!(self.port.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "an address was asked");
        assert!(!self.was_read("canary.ts"), "a file was read");
        std::fs::read(self.dir.path().join("control")).unwrap();
        if !self.was_read("control") {
            eprintln!("SKIPPED: whether files are read; this file system does not note it");
        }
    }
}

/// What does something in a program that takes it for what it is.
fn payloads(canaries: &Canaries) -> Vec<(&'static str, Vec<u8>)> {
    let file = canaries.file().display().to_string();
    let url = format!("http://{}/canary.ts", canaries.port.local_addr().unwrap());
    let playlist = |inner: &str| format!("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{inner}\n#EXT-X-ENDLIST\n");
    let texts = vec![
        ("playlist of a file", playlist(&file)),
        ("playlist of a file by its address", playlist(&format!("file://{file}"))),
        ("playlist of an address", playlist(&url)),
        ("playlist that joins", playlist(&format!("concat:{url}|{file}"))),
        ("playlist of a part", playlist(&format!("subfile,,start,0,end,64,,:{file}"))),
        ("playlist of a key", format!("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\"\n#EXTINF:1,\n{url}\n")),
        ("list to be joined", format!("ffconcat version 1.0\nfile '{file}'\nfile '{url}'\n")),
        (
            "manifest",
            format!(
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><BaseURL>{url}</BaseURL>\
                 <Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\"/></AdaptationSet></Period></MPD>"
            ),
        ),
        ("session", format!("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video {} RTP/AVP 96\n", 9)),
        (
            "drawing",
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">\
                 <image xlink:href=\"{url}\"/><image href=\"file://{file}\"/><script>alert(1)</script></svg>"
            ),
        ),
        ("entity", format!("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY c SYSTEM \"file://{file}\">]><x>&c;</x>")),
        ("drawing commands", format!("push graphic-context\nimage over 0,0 0,0 '{url}'\npop graphic-context\n")),
        ("page", format!("<!doctype html><img src={url}><script>fetch('{url}')</script>")),
        ("program", format!("#!/bin/sh\ncat {file}\n")),
        ("server page", format!("<?php readfile('{file}'); ?>")),
        ("subtitles", format!("[Script Info]\n; {url}\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,,,,,,,{file}\n")),
    ];
    let mut all: Vec<(&str, Vec<u8>)> = texts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    all.extend([
        ("archive", b"PK\x03\x04\x14\0\0\0\x08\0../../canary.ts".to_vec()),
        ("packed", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec()),
        ("binary", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0".to_vec()),
        ("document", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n".to_vec()),
    ]);
    all
}

/// What stands before it, so that the first look takes it for a medium.
fn heads() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", vec![]),
        ("a brand box", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec()),
        ("a brand box and the begin of data", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\xff\xffmdat".to_vec()),
        ("a picture's signature", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0".to_vec()),
    ]
}

/// Under which claim it comes.
const CLAIMS: [(MediaType, &str); 4] = [
    (MediaType::Video, "video/mp4"),
    (MediaType::Image, "image/png"),
    (MediaType::Gif, "image/gif"),
    (MediaType::Audio, "audio/mpeg"),
];

/// What is wrong about the outcome, if anything: a refusal is right, and so is a rendition within the rules.
pub(super) fn verdict(outcome: &Result<Encoded, String>, settings: &Settings) -> Result<(), String> {
    let encoded = match outcome {
        // Ended by its walls: refused for now, and worth another try.
        Err(code) if code.starts_with("Ours") && code.contains("UploadTimeout") => return Ok(()),
        Err(code) if code.starts_with("Ours") => return Err(format!("a fault of ours: {code}")),
        Err(_) => return Ok(()),
        Ok(encoded) => encoded,
    };
    let longest = i32::try_from(settings.max_duration.as_millis()).unwrap() + 500;
    let large = encoded.size.is_some_and(|(width, height)| width < 1 || height < 1 || width.max(height) > 1280);
    if encoded.duration_ms > longest || large {
        return Err(format!("{} ms, {:?}", encoded.duration_ms, encoded.size));
    }
    Ok(())
}

#[tokio::test]
async fn what_other_programs_would_follow_run_or_unpack_touches_nothing_of_ours() {
    let (bench, canaries) = (Bench::new(), Canaries::new());
    let mut tried = 0;
    for (kind, said) in CLAIMS {
        for (head_name, head) in heads() {
            for (name, payload) in payloads(&canaries) {
                let bytes = [head.as_slice(), &payload].concat();
                let outcome = bench.take(&bytes, kind, said).await;
                assert!(outcome.is_err(), "{name} behind {head_name} as {said} was taken");
                verdict(&outcome, &bench.settings).unwrap_or_else(|wrong| panic!("{name} as {said}: {wrong}"));
                tried += 1;
            }
        }
    }
    assert!(tried >= 300, "{tried}");
    canaries.assert_untouched();
    assert_eq!(bench.leftovers(), 0);
}

/// A box of an mp4.
fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), name.as_slice(), content].concat()
}

/// The bytes with `value` written over what follows the first occurrence of `name`, `after` bytes later.
fn over(bytes: &[u8], name: &[u8; 4], after: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(4).position(|window| window == name).expect("the box is there") + 4 + after;
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

/// A picture that says it moves through this many frames of one pixel, each at a place of its own.
fn gif_of_many_frames(frames: usize, side: u16) -> Vec<u8> {
    let [low, high] = side.to_le_bytes();
    let mut gif = [b"GIF89a".as_slice(), &[low, high, low, high, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]].concat();
    for _ in 0..frames {
        // A hundredth of a second, then one pixel.
        gif.extend([0x21, 0xf9, 4, 0, 1, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]);
    }
    gif.push(b';');
    gif
}

#[tokio::test]
async fn impossible_numbers_cost_no_more_than_a_probe() {
    let bench = Bench::new();
    let arguments = clip("testsrc2=size=320x240:rate=10:duration=1", &["-movflags", "+faststart", "-f", "mp4"]);
    let video = bench.draw(&arguments).await;
    let png = sample(&bench.settings, MediaType::Image).await.unwrap().bytes;
    let ftyp = boxed(b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41");
    let nested = (0..20_000).fold(
        Vec::new(),
        |inside: Vec<u8>, _| {
            if inside.len() > 60_000 { inside } else { boxed(b"trak", &inside) }
        },
    );
    let crowd: Vec<u8> = (0..10_000).flat_map(|_| boxed(b"trak", &boxed(b"mdia", b""))).collect();
    let mut sparse = ftyp.clone();
    sparse.resize(40 << 20, 0);
    let names = ["../../etc/passwd", "a\0b", "\u{202e}4pm.exe", "'; drop table memes; --", "<script>alert(1)</script>"];
    let mut cases: Vec<(String, MediaType, &str, Vec<u8>)> = vec![
        ("boxes in boxes".into(), MediaType::Video, "video/mp4", [&ftyp[..], &boxed(b"moov", &nested)].concat()),
        ("ten thousand tracks".into(), MediaType::Video, "video/mp4", [&ftyp[..], &boxed(b"moov", &crowd)].concat()),
        ("a box of no size".into(), MediaType::Video, "video/mp4", [&ftyp[..], b"\0\0\0\0moov"].concat()),
        ("a box of 2^64".into(), MediaType::Video, "video/mp4", [&ftyp[..], b"\0\0\0\x01moov", &[0xff; 8]].concat()),
        ("a box smaller than its head".into(), MediaType::Video, "video/mp4", [&ftyp[..], b"\0\0\0\x04moov"].concat()),
        ("forty megabytes of nothing".into(), MediaType::Video, "video/mp4", sparse),
        (
            "10^9 seconds".into(),
            MediaType::Video,
            "video/mp4",
            over(&video, b"mvhd", 12, &[0, 0, 0, 1, 0x3b, 0x9a, 0xca, 0]),
        ),
        ("no time scale".into(), MediaType::Video, "video/mp4", over(&video, b"mdhd", 12, &[0; 4])),
        ("2^32 samples".into(), MediaType::Video, "video/mp4", over(&video, b"stsz", 8, &[0xff; 4])),
        ("2^32 chunks".into(), MediaType::Video, "video/mp4", over(&video, b"stco", 4, &[0xff; 4])),
        ("2^32 times".into(), MediaType::Video, "video/mp4", over(&video, b"stts", 4, &[0xff; 4])),
        ("2^32 descriptions".into(), MediaType::Video, "video/mp4", over(&video, b"stsd", 4, &[0xff; 4])),
        ("sides of 65535".into(), MediaType::Video, "video/mp4", with_sides(&video, u16::MAX, u16::MAX)),
        ("a hundred thousand frames".into(), MediaType::Gif, "image/gif", gif_of_many_frames(100_000, 64)),
        ("frames in 65535 pixels".into(), MediaType::Gif, "image/gif", gif_of_many_frames(50, u16::MAX)),
        (
            "a text that swells".into(),
            MediaType::Image,
            "image/png",
            [&png[..33], b"\x7f\xff\xff\xffzTXt", &png[33..]].concat(),
        ),
    ];
    for (width, height) in [(u32::MAX, u32::MAX), (65_535, 65_535), (1 << 31, 1), (0, 1)] {
        let mut bytes = png.clone();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        cases.push((format!("{width}x{height}"), MediaType::Image, "image/png", bytes));
    }
    for name in names {
        // Behind the picture, where cameras write what they like.
        let tagged = [&video[..], &boxed(b"udta", &boxed(b"name", name.as_bytes()))].concat();
        cases.push((format!("called {name:?}"), MediaType::Video, "video/mp4", tagged));
    }
    for parts in 1..20 {
        let cut = video.len() * parts / 20;
        cases.push((format!("{parts}/20 of a video"), MediaType::Video, "video/mp4", video[..cut].to_vec()));
    }
    for (name, kind, said, bytes) in cases {
        let begun = Instant::now();
        let outcome = bench.take(&bytes, kind, said).await;
        verdict(&outcome, &bench.settings).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        // Walls of their own end each run; this is about nothing being tried for ever.
        assert!(begun.elapsed() < Duration::from_mins(3), "{name}: {:?}", begun.elapsed());
    }
    assert_eq!(bench.leftovers(), 0);
}
