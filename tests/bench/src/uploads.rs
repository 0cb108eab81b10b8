//! From an upload to a meme that can be played, beside plain ffmpeg that makes the same file of the same clip.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::{process::Command, time::sleep};

use crate::{
    Bench,
    http::Connection,
    report::{Section, Target},
    samples::median,
    seed::SECRET,
    server::Server,
};

/// Seconds of the clip, which is 1920x1080 with sound.
const SECONDS: u32 = 10;
/// What an upload may take longer than plain ffmpeg.
const OVERHEAD_PERCENT: f64 = 10.0;
/// For the pictures of a meme, which are drawn after it can be played.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the encoder asks ffmpeg for (`workers/media/src/encoder/arguments.rs`).
const RENDITION: &str = "-map 0:V:0 -map 0:a:0? -c:v libx264 -preset veryfast -crf 23 -maxrate 6M -bufsize 12M -pix_fmt yuv420p \
     -fpsmax 60 -c:a aac -b:a 160k -ac 2 -ar 48000 -movflags +faststart -vf scale=1280:720,setsar=1 -map_metadata -1 -threads 2 \
     -f mp4";

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let folder = bench.disk.join("uploads");
    std::fs::create_dir_all(&folder)?;
    let server = start(bench, &folder.join("data")).await?;
    server.says("Try it").await?;
    let token = log_in(&server).await?;
    let mut plain = Vec::new();
    let mut ours = Vec::new();
    // The first of each warms up.
    for round in 0..=bench.plan.uploads {
        let clip = draw(&folder, round).await?;
        let encoded = encode(&clip, &folder.join("plain.mp4")).await?;
        let played = upload(&server, &token, &clip).await?;
        if round > 0 {
            plain.push(encoded);
            ours.push(played);
        }
    }
    server.stop().await?;

    let (typical, peer) = (median(ours.iter().copied()), median(plain.iter().copied()));
    let overhead = (typical / peer - 1.0) * 100.0;
    let mut section = Section::new(format!("Upload to playable, a clip of {SECONDS} s in 1920x1080"));
    section.columns(&["", "median"]);
    section.row(vec!["upload to a meme that can be played".to_owned(), format!("{typical:.2} s")]);
    section.row(vec!["plain ffmpeg, the same file".to_owned(), format!("{peer:.2} s")]);
    section.note(format!(
        "{} uploads and runs of ffmpeg in turns; an upload is checked, probed, measured (EBU R128) and compared as well",
        ours.len()
    ));
    section.target(Target::at_most("overhead over plain ffmpeg", overhead, OVERHEAD_PERCENT, "%"));
    section.detail(json!({ "uploadSeconds": ours, "plainSeconds": plain }));
    Ok(section)
}

async fn start(bench: &Bench, data: &Path) -> anyhow::Result<Server> {
    let mut command = Command::new(&bench.binary);
    command.arg("all");
    let environment = [
        ("MEMALERTS_ENV", "dev"),
        ("MEMALERTS_SECRET", SECRET),
        ("MEMALERTS_DATA_DIR", data.to_str().context("the folder's name")?),
        ("METRICS_PORT", "0"),
        ("RATE_LIMIT_FACTOR", "0"),
    ];
    Server::start(command, &environment, &bench.out.join("uploads.log")).await
}

/// No clip is of the bytes of another: those would be known.
async fn draw(folder: &Path, round: usize) -> anyhow::Result<PathBuf> {
    let clip = folder.join(format!("clip-{round}.mp4"));
    let picture =
        format!("testsrc2=size=1920x1080:rate=30:duration={SECONDS},hue=h={},noise=alls=6:allf=t", round * 40);
    let sound = format!("sine=frequency={}:duration={SECONDS}", 300 + round * 50);
    let sources = ["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound];
    ffmpeg(&[sources.as_slice(), &words("-c:v libx264 -preset ultrafast -b:v 8M -c:a aac -f mp4")].concat(), &clip)
        .await?;
    Ok(clip)
}

/// Seconds of plain ffmpeg.
async fn encode(clip: &Path, result: &Path) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let clip = clip.to_str().context("the clip's name")?;
    ffmpeg(&[["-threads", "2", "-i", clip].as_slice(), &words(RENDITION)].concat(), result).await?;
    Ok(begun.elapsed().as_secs_f64())
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

async fn ffmpeg(arguments: &[&str], result: &Path) -> anyhow::Result<()> {
    let ended = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-filter_threads", "2"])
        .args(arguments)
        .arg(result)
        .kill_on_drop(true)
        .output()
        .await
        .context("start ffmpeg")?;
    ensure!(ended.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

async fn log_in(server: &Server) -> anyhow::Result<String> {
    let body = r#"{"login":"demo","role":"streamer"}"#;
    let head = "content-type: application/json";
    let answer = ask(server, "POST", "/auth/dev/login", head, body.as_bytes(), 200).await?;
    Ok(answer["token"].as_str().context("a token")?.to_owned())
}

/// Seconds from the first byte of the upload to the answer that it is a meme; then waits until all is quiet.
async fn upload(server: &Server, token: &str, clip: &Path) -> anyhow::Result<f64> {
    const EDGE: &str = "an-edge-between-parts";
    let mut body = format!(
        "--{EDGE}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"clip.mp4\"\r\ncontent-type: video/mp4\r\n\r\n"
    )
    .into_bytes();
    body.extend(std::fs::read(clip)?);
    body.extend(format!("\r\n--{EDGE}--\r\n").into_bytes());
    let head = format!(
        "authorization: Bearer {token}\r\nprefer: wait=30\r\ncontent-type: multipart/form-data; boundary={EDGE}"
    );
    let begun = Instant::now();
    let made = ask(server, "POST", "/submissions", &head, &body, 201).await?;
    let took = begun.elapsed().as_secs_f64();

    let meme = made["memeId"].as_str().context("the meme's id")?.to_owned();
    let begun = Instant::now();
    loop {
        let memes = ask(server, "GET", "/channels/demo/memes?limit=200", "accept: */*", &[], 200).await?;
        let memes = memes.as_array().context("a list of memes")?;
        if memes.iter().any(|it| it["id"] == *meme && it["posterUrl"].is_string()) {
            return Ok(took);
        }
        ensure!(begun.elapsed() < PATIENCE, "no pictures were drawn of meme {meme}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    head: &str,
    body: &[u8],
    expected: u16,
) -> anyhow::Result<Value> {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n{head}\r\n\r\n", body.len())
            .into_bytes();
    request.extend_from_slice(body);
    let mut connection = Connection::open(server.address).await?;
    let (status, answer) = connection.exchange(&request).await?;
    ensure!(status == expected, "{method} {path}: {status} {}", String::from_utf8_lossy(answer));
    Ok(serde_json::from_slice(answer)?)
}
