//! A Twitch for stories: the simulator, and systems that know it.

use std::net::{Ipv4Addr, SocketAddr};

use chat::simulator::twitch::{Settings, Simulator};
use harness::{Builder, Session, TestApp, wait_until};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// The account of the systems under test.
pub(crate) const BOT: &str = "memalerts_bot";

pub(crate) async fn simulator() -> Simulator {
    simulator_with(|_| {}).await
}

pub(crate) async fn simulator_with(change: impl FnOnce(&mut Settings)) -> Simulator {
    let mut settings = Settings::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    change(&mut settings);
    Simulator::start(settings, CancellationToken::new()).await.unwrap()
}

/// The settings of a system whose Twitch this is.
pub(crate) fn env(twitch: &Simulator) -> [(&'static str, String); 4] {
    [
        ("TWITCH_IRC_URL", twitch.websocket_url()),
        ("TWITCH_IRC_SEND_URL", twitch.plain_url()),
        ("CHAT_BOT_LOGIN", BOT.to_owned()),
        ("CHAT_BOT_OAUTH_TOKEN", "oauth:secret".to_owned()),
    ]
}

pub(crate) fn system(twitch: &Simulator) -> Builder {
    knowing(twitch, TestApp::builder())
}

/// The system, with this Twitch.
pub(crate) fn knowing(twitch: &Simulator, builder: Builder) -> Builder {
    env(twitch).iter().fold(builder, |builder, (name, value)| builder.env(name, value))
}

/// Logs the streamer in, switches the bot on, and waits until it has joined.
pub(crate) async fn streamer_with_bot(app: &TestApp, twitch: &Simulator, login: &str) -> Session {
    let streamer = app.login(login, "streamer").await;
    streamer.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    joined(twitch, login, 1).await;
    streamer
}

/// Waits until so many connections are in the chat.
pub(crate) async fn joined(twitch: &Simulator, channel: &str, members: usize) {
    wait_until(&format!("{members} in the chat of {channel}"), async || {
        (twitch.members(channel) == members).then_some(())
    })
    .await;
}

/// Texts of the messages that the bot wrote into the chat.
pub(crate) fn said(twitch: &Simulator, channel: &str) -> Vec<String> {
    let text = |line: &str| line.split_once(" :").map(|(_, text)| text.to_owned()).unwrap_or_default();
    twitch.received("PRIVMSG", channel).iter().map(|frame| text(&frame.line)).collect()
}

/// Waits until exactly so many messages of all chats are recorded, and all that follows from them is done.
pub(crate) async fn recorded(app: &TestApp, wanted: i64) {
    let count = async || -> i64 {
        sqlx::query_scalar("select count(*) from chat_messages").fetch_one(app.pool()).await.unwrap()
    };
    wait_until(&format!("{wanted} messages are recorded"), async || (count().await >= wanted).then_some(())).await;
    app.drain().await;
    assert_eq!(count().await, wanted);
}
