//! A viewer speaks in the chat; the bot answers, and the credits show the name.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};
use uuid::Uuid;

use super::Steps;
use crate::{
    client::{Client, text},
    demo_data::STREAMER,
};

pub(super) async fn run(steps: &Steps, nobody: &Client, streamer: &Client) -> anyhow::Result<()> {
    let simulator = nobody.get("/dev/simulator").await.context("ask where the simulator of Twitch is")?;
    let token = text(&streamer.get("/streamer/credits/token").await?, "/token")?;
    let mut credits = nobody.events(&format!("/overlay/credits/t/{token}/events")).await?;
    steps.done("the credits overlay is connected");

    // Somebody new each time, so that the name in the credits is today's.
    let nick = format!("fan_{}", &Uuid::new_v4().simple().to_string()[..8]);
    let answer = ask(&text(&simulator, "/address")?, &nick).await?;
    steps.done(format_args!("{nick} says !memes in the chat, and the bot answers: {answer}"));

    let state = credits.wait_for("credits:state", |state| state.to_string().contains(&nick)).await?;
    steps.done(format_args!("the credits show the name: {state}"));
    Ok(())
}

/// Says the command until somebody who is not us answers to us; the bot may still be on its way into the chat.
async fn ask(address: &str, nick: &str) -> anyhow::Result<String> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("connect to the chat at {address}"))?;
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let hello = format!("PASS oauth:demo\r\nNICK {nick}\r\nJOIN #{STREAMER}\r\n");
    writing.write_all(hello.as_bytes()).await?;
    for _ in 0..10 {
        writing.write_all(format!("PRIVMSG #{STREAMER} :!memes\r\n").as_bytes()).await?;
        let answer = timeout(Duration::from_secs(3), async {
            while let Some(line) = lines.next_line().await? {
                if line.contains(" PRIVMSG ") && line.contains(nick) && !line.starts_with(&format!(":{nick}!")) {
                    return Ok(line);
                }
            }
            bail!("the chat hung up")
        });
        if let Ok(answer) = answer.await {
            let answer = answer?;
            return Ok(answer.split_once(" :").map_or(answer.clone(), |(_, text)| text.to_owned()));
        }
    }
    bail!("the bot did not answer in the chat of {STREAMER}")
}
