//! A viewer pays, the overlay plays.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Steps;
use crate::{
    client::{Client, number, text},
    demo_data::STREAMER,
};

pub(super) async fn run(steps: &Steps, nobody: &Client, viewer: &Client, streamer: &Client) -> anyhow::Result<()> {
    let channel = viewer.get(&format!("/channels/{STREAMER}")).await?;
    let memes = viewer.get(&format!("/channels/{STREAMER}/memes")).await?;
    let meme = cheapest(&memes)?;
    let (meme_id, price) = (text(meme, "/id")?, number(meme, "/price")?);
    steps.done(format_args!("the viewer opens the channel {} and picks {}", channel["name"], meme["title"]));

    let token = text(&streamer.get("/streamer/overlay/token").await?, "/token")?;
    let overlay = format!("/overlay/t/{token}");
    let mut screen = nobody.events(&format!("{overlay}/events")).await?;
    let (first, config) = screen.next().await?;
    ensure!(first == "overlay:config", "the first event is {first}, not overlay:config");
    steps.done(format_args!("the overlay is connected: overlay:config {config}"));

    let wallet = format!("/channels/{STREAMER}/wallet");
    let before = number(&viewer.get(&wallet).await?, "/balance")?;
    let stats = streamer.get("/streamer/stats/channel").await?;
    let activated = activate(viewer, &meme_id).await?;
    let id = text(&activated, "/activation/id")?;
    let after = number(&viewer.get(&wallet).await?, "/balance")?;
    ensure!(after == before - price, "the balance went from {before} to {after}, not down by {price}");
    steps.done(format_args!("the viewer activates it for {price} coins: balance {before} -> {after}"));

    let play = screen.wait_for("activation:new", |data| data["id"] == id.as_str()).await?;
    steps.done(format_args!("the overlay gets activation:new {play}"));
    let queue = streamer.get("/streamer/queue").await?;
    ensure!(queue.to_string().contains(&id), "the queue does not show the activation: {queue}");
    steps.done("the streamer's queue shows it");

    let ack = format!("{overlay}/activations/{id}/ack");
    for state in ["started", "done"] {
        nobody.post(&ack, &json!({ "state": state, "playEpoch": play["playEpoch"] })).await?;
        steps.done(format_args!("the overlay says {state}"));
    }
    let mine = until("the activation is done", async || {
        let mine = viewer.get(&format!("/me/activations/{id}")).await?;
        Ok((mine.to_string().contains("\"done\"")).then_some(mine))
    })
    .await?;
    steps.done(format_args!("the viewer's activation is done: {mine}"));

    let now = streamer.get("/streamer/stats/channel").await?;
    let grown = |name: &str| Ok::<_, anyhow::Error>(number(&now, name)? - number(&stats, name)?);
    ensure!(
        grown("/activationsDone")? >= 1 && grown("/coinsSpent")? >= price,
        "the statistics did not change: {stats} -> {now}"
    );
    let queue = streamer.get("/streamer/queue").await?;
    ensure!(!queue.to_string().contains(&id), "the queue still shows the activation: {queue}");
    steps.done(format_args!("queue and statistics have changed: {now}"));
    Ok(())
}

fn cheapest(memes: &Value) -> anyhow::Result<&Value> {
    let list = memes.as_array().or_else(|| memes["items"].as_array()).context("no list of memes")?;
    list.iter().min_by_key(|meme| meme["price"].as_i64()).context("the channel has no memes: was the demo data made?")
}

/// Activates, after a wait if the viewer was too quick before.
async fn activate(viewer: &Client, meme: &str) -> anyhow::Result<Value> {
    let key = Uuid::new_v4().to_string();
    until("the activation is accepted", async || {
        let path = format!("/memes/{meme}/activate");
        let request = viewer.request(Method::POST, &path).header("idempotency-key", &key).json(&json!({}));
        match viewer.send(request).await {
            Err(error) if format!("{error:#}").contains("429") => Ok(None),
            answer => answer.map(Some),
        }
    })
    .await
}

/// Asks twice a second, for half a minute.
pub(super) async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    for _ in 0..60 {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    anyhow::bail!("waited in vain until {what}")
}
