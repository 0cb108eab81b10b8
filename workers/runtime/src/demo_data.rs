//! Something to look at in dev mode: a streamer with memes, a viewer with coins, a bot that answers.
//!
//! Made through the API, the way people would do it; a later start finds what is there and adds what is missing.

use anyhow::Context as _;
use domain::media::MediaType;
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::json;

use crate::{
    client::{Client, number, text},
    console::say,
};

/// Login of the streamer, and so the slug of the channel.
pub(crate) const STREAMER: &str = "demo";
pub(crate) const VIEWER: &str = "viewer";
pub(crate) const ADMIN: &str = "admin";
/// The viewer has at least this many coins after a start.
const COINS: i64 = 1000;

const MEMES: [(&str, MediaType); 3] =
    [("Test pattern", MediaType::Video), ("Mandelbrot", MediaType::Image), ("Long A", MediaType::Audio)];

/// Addresses to click on.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) overlay: String,
    pub(crate) credits: String,
}

/// Makes what is missing, and says what it does.
pub(crate) async fn make(base: &str) -> anyhow::Result<Links> {
    let nobody = Client::new(base)?;
    let streamer = nobody.log_in(STREAMER, "streamer").await?;
    let viewer = nobody.log_in(VIEWER, "viewer").await?;
    memes(&streamer).await?;
    coins(&nobody, &viewer).await?;
    streamer.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.context("switch the bot on")?;
    let link = async |path| text(&streamer.get(path).await?, "/url");
    Ok(Links { overlay: link("/streamer/overlay/token").await?, credits: link("/streamer/credits/token").await? })
}

async fn memes(streamer: &Client) -> anyhow::Result<()> {
    let there = streamer.get("/streamer/memes").await?.to_string();
    let channel = text(&streamer.get(&format!("/channels/{STREAMER}")).await?, "/id")?;
    let settings = media::Settings::default();
    for (title, kind) in MEMES {
        if there.contains(&format!("\"{title}\"")) {
            continue;
        }
        say(format_args!("    making the meme \"{title}\""));
        let sample = media::sample(&settings, kind).await.context("draw a sample with ffmpeg")?;
        let file = Part::bytes(sample.bytes).file_name(sample.file_name).mime_str(sample.content_type)?;
        let form = Form::new()
            .text("title", title)
            .text("type", kind.as_str())
            .text("channelId", channel.clone())
            .part("file", file);
        let upload = streamer.request(Method::POST, "/submissions").header("prefer", "wait=5").multipart(form);
        streamer.send(upload).await.with_context(|| format!("upload the meme {title}"))?;
    }
    Ok(())
}

/// Fills the viewer's wallet up to [`COINS`].
async fn coins(nobody: &Client, viewer: &Client) -> anyhow::Result<()> {
    let wallet = viewer.get(&format!("/channels/{STREAMER}/wallet")).await?;
    let missing = COINS - number(&wallet, "/balance")?;
    if missing <= 0 {
        return Ok(());
    }
    let admin = nobody.log_in(ADMIN, "admin").await?;
    let path = format!("/owner/wallets/{}/{}/adjust", viewer.user_id, text(&wallet, "/channelId")?);
    admin.post(&path, &json!({ "delta": missing, "reason": "demo" })).await.context("give the viewer coins")?;
    Ok(())
}
