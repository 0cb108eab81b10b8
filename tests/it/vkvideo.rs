//! VK Video's chats: found, heard, answered and spoken in, against a simulated VK Video over real sockets.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use chat::simulator::vkvideo::{Settings, Simulator, Speech};
use domain::identities::Provider;
use harness::{Builder, Session, TestApp, wait_until};
use identity::simulator::Simulator as Identity;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    bot_accounts::browser,
    identities::{self, Visitor},
    twitch::recorded,
};

struct Stage {
    app: TestApp,
    platforms: Identity,
    vkvideo: Simulator,
}

impl Stage {
    async fn open() -> Self {
        Self::with(|_| {}, |builder| builder).await
    }

    async fn with(change: impl FnOnce(&mut Settings), settings: impl FnOnce(Builder) -> Builder) -> Self {
        let platforms = identities::simulator().await;
        let mut how = Settings::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        change(&mut how);
        let vkvideo = Simulator::start(how, platforms.clone(), CancellationToken::new()).await.unwrap();
        let builder = identities::knowing(&platforms, TestApp::builder())
            .env("TWITCH_IRC_URL", "ws://127.0.0.1:9")
            .env("TWITCH_IRC_SEND_URL", "irc://127.0.0.1:9")
            .env("VKVIDEO_API_BASE_URL", &vkvideo.api_url())
            .env("VKVIDEO_PUBSUB_WS_URL", &vkvideo.pubsub_url());
        Self { app: settings(builder).start().await, platforms, vkvideo }
    }

    /// The streamer `demo`, who has linked the account with this name there.
    async fn streamer(&self, account: &str) -> (Visitor, Session) {
        let (visitor, session) = browser(&self.app, "demo", "streamer").await;
        let linked = visitor.link(Provider::VkVideo, account).await;
        assert_eq!(linked.status.as_u16(), 302, "{}", linked.text);
        (visitor, session)
    }

    /// The same, with the bot on and in the chat, and an account that speaks.
    async fn on_air(&self) -> Session {
        let (_, demo) = self.streamer("demo").await;
        let (boss, _) = browser(&self.app, "boss", "admin").await;
        let linked = boss.travel("/owner/bots/vkvideo/default/link?redirect_to=/done", "helper").await;
        assert_eq!(linked.header("location"), "/done", "{}", linked.text);
        switch(&demo, &json!({ "enabled": true })).await.expect(200);
        self.listened_to("demo").await;
        demo
    }

    async fn listened_to(&self, channel: &str) {
        wait_until("the chat is read", async || (self.vkvideo.members(channel) == 1).then_some(())).await;
    }

    async fn said(&self, count: usize) -> Vec<(String, String)> {
        wait_until(&format!("{count} messages are said"), async || {
            let said = self.vkvideo.said();
            (said.len() >= count).then(|| said.into_iter().map(|said| (said.sender, said.text)).collect())
        })
        .await
    }

    async fn texts(&self) -> Vec<String> {
        sqlx::query_scalar("select text from chat_messages order by sent_at, content_id")
            .fetch_all(self.app.pool())
            .await
            .unwrap()
    }

    async fn is_live(&self) -> bool {
        let live: Option<time::OffsetDateTime> =
            sqlx::query_scalar("select live_since from channels where slug = 'demo'")
                .fetch_one(self.app.pool())
                .await
                .unwrap();
        live.is_some()
    }

    async fn becomes_live(&self, live: bool) {
        wait_until(&format!("live: {live}"), async || (self.is_live().await == live).then_some(())).await;
    }
}

async fn switch(demo: &Session, wish: &Value) -> harness::Answer {
    demo.patch("/streamer/bots/vkvideo", wish).await
}

#[tokio::test]
async fn a_bot_hears_what_viewers_say_answers_them_and_says_what_the_streamer_wants() {
    let stage = Stage::open().await;
    let demo = stage.on_air().await;
    stage.vkvideo.set_live("demo", true);
    stage.becomes_live(true).await;
    stage.vkvideo.say("demo", "Anna", "!memes");
    let [(sender, answer)] = &stage.said(1).await[..] else { panic!() };
    assert_eq!((&**sender, answer.starts_with("Anna, all memes of this channel: ")), ("helper", true), "{answer}");
    let said = demo.post("/streamer/bot/say", &json!({ "message": "hi", "provider": "vkvideo" })).await.expect(200);
    stage.said(2).await;
    let path = format!("/streamer/bot/outbox/vkvideo/{}", said["outbox"]["id"].as_str().unwrap());
    wait_until("it is sent", async || (demo.get(&path).await.expect(200)["status"] == "sent").then_some(())).await;
    // Three were read back: the call, and both messages of the bot, which is no viewer.
    recorded(&stage.app, 3).await;
    let chatters: Vec<String> =
        sqlx::query_scalar("select distinct name from credits_chatters").fetch_all(stage.app.pool()).await.unwrap();
    assert_eq!(chatters, ["Anna"]);
    let told = demo.get("/streamer/bots/vkvideo/diagnostics").await.expect(200);
    assert_eq!(
        (&told["ok"], &told["account"], &told["channelLogin"]),
        (&json!(true), &json!("helper"), &json!("demo")),
        "{told}"
    );
    switch(&demo, &json!({ "enabled": false })).await.expect(200);
    wait_until("the chat is left", async || (stage.vkvideo.members("demo") == 0).then_some(())).await;
    stage.app.drain().await;
}

#[tokio::test]
async fn a_channel_is_the_streamers_own_and_is_named_where_there_are_several() {
    let stage = Stage::open().await;
    let (visitor, demo) = browser(&stage.app, "demo", "streamer").await;
    let empty = demo.get("/streamer/bots/vkvideo/candidates").await.expect(200);
    assert_eq!(empty, json!({ "items": [] }));
    let refused = async |wish: Value, what: &str| {
        let refused = switch(&demo, &wish).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wish}");
        assert!(refused.text.contains(what), "{wish}: {}", refused.text);
    };
    refused(json!({ "enabled": true }), "link your account there first").await;
    refused(json!({ "enabled": true, "vkvideoChannelUrl": "anna" }), "link your account there first").await;
    visitor.link(Provider::VkVideo, "many").await;
    let found = demo.get("/streamer/bots/vkvideo/candidates").await.expect(200);
    let id = Simulator::channel_id("many_2");
    assert_eq!(found["items"][1], json!({ "url": "many_2", "vkvideoChannelId": id }), "{found}");
    refused(json!({ "enabled": true }), "say which of your channels: many, many_2").await;
    refused(json!({ "enabled": true, "vkvideoChannelUrl": "anna" }), "anna is not yours").await;
    refused(json!({ "enabled": true, "vkvideoChannelUrl": "https://evil.example/many_2" }), "not the address").await;
    let named = json!({ "enabled": true, "vkvideoChannelUrl": "https://live.vkvideo.ru/Many_2" });
    switch(&demo, &named).await.expect(200);
    stage.listened_to("many_2").await;
    // It is known from now on.
    switch(&demo, &json!({ "enabled": false })).await.expect(200);
    switch(&demo, &json!({ "enabled": true })).await.expect(200);
    stage.vkvideo.fault("/v1/current_user", 500, "internal");
    let down = demo.get("/streamer/bots/vkvideo/candidates").await;
    assert_eq!((down.status.as_u16(), down.error_code()), (503, "OAUTH_UNAVAILABLE"), "{}", down.text);
    // Without the account nobody listens any more.
    visitor.link(Provider::Google, "demo").await;
    let account = visitor.accounts().await.into_iter().find(|account| account["provider"] == "vkvideo").unwrap();
    demo.delete(&format!("/auth/accounts/{}", account["id"].as_str().unwrap())).await.expect(204);
    wait_until("the chat is left", async || (stage.vkvideo.members("many_2") == 0).then_some(())).await;
    let bots = demo.get("/streamer/bots").await.expect(200);
    assert_eq!(bots[1]["enabled"], false, "{bots}");
    assert_eq!(stage.platforms.faults(), []);
    stage.app.drain().await;
}

#[tokio::test]
async fn what_is_said_while_a_connection_is_lost_is_heard_once() {
    let stage = Stage::open().await;
    let _demo = stage.on_air().await;
    stage.vkvideo.say("demo", "anna", "one");
    recorded(&stage.app, 1).await;
    for code in [3001, 3005, 3012] {
        stage.vkvideo.drop_all(code);
        stage.vkvideo.say("demo", "anna", &format!("while away: {code}"));
        stage.listened_to("demo").await;
    }
    recorded(&stage.app, 4).await;
    // The server has lost what it kept: the chat itself is asked.
    stage.vkvideo.drop_all(3001);
    stage.vkvideo.say("demo", "anna", "asked for");
    stage.vkvideo.forget_histories();
    stage.listened_to("demo").await;
    recorded(&stage.app, 5).await;
    let calls = stage.vkvideo.calls();
    assert!(calls.iter().any(|call| call.path == "/v1/chat/messages" && call.status == 200));
    assert_eq!(stage.texts().await.len(), 5);
    let deleted = stage.vkvideo.say("demo", "anna", "spam");
    recorded(&stage.app, 6).await;
    stage.vkvideo.delete("demo", deleted);
    wait_until("it is taken away", async || {
        let gone: i64 =
            sqlx::query_scalar("select count(*) from chat_removals").fetch_one(stage.app.pool()).await.unwrap();
        (gone == 1).then_some(())
    })
    .await;
    stage.app.drain().await;
}

#[tokio::test]
async fn tokens_that_end_are_renewed_and_nothing_is_missed() {
    let stage = Stage::with(|how| how.tokens_last = Some(Duration::from_secs(3)), |builder| builder).await;
    let _demo = stage.on_air().await;
    wait_until("new tokens are shown", async || (stage.vkvideo.refreshes() >= 2).then_some(())).await;
    stage.vkvideo.speak(&Speech {
        channel: "demo".to_owned(),
        nick: "anna".to_owned(),
        text: "limited".to_owned(),
        limited: true,
        ..Speech::default()
    });
    stage.vkvideo.say("demo", "anna", "open");
    recorded(&stage.app, 2).await;
}

#[tokio::test]
async fn what_viewers_redeem_earns_coins_once_and_streams_begin_and_end() {
    let stage = Stage::open().await;
    let demo = stage.on_air().await;
    let rule = json!({ "trigger": "vkvideo_channel_points_redemption", "rewardId": "rw1", "coins": 50 });
    demo.post("/streamer/rewards", &rule).await.expect(200);
    let (anna, viewer) = browser(&stage.app, "anna", "viewer").await;
    anna.link(Provider::VkVideo, "anna").await;
    for _ in 0..2 {
        stage.vkvideo.redeem("demo", "anna", "rw1", "d1");
    }
    stage.vkvideo.redeem("demo", "anna", "other", "d2");
    stage.vkvideo.redeem("demo", "boris", "rw1", "d3");
    // Nobody earns in their own channel.
    stage.vkvideo.redeem("demo", "demo", "rw1", "d4");
    let channel = demo.get("/me").await.expect(200)["channelId"].as_str().unwrap().to_owned();
    wait_until("four are known", async || {
        let known: i64 = sqlx::query_scalar("select count(*) from external_reward_events")
            .fetch_one(stage.app.pool())
            .await
            .unwrap();
        (known == 4).then_some(())
    })
    .await;
    stage.app.drain().await;
    let balance = viewer.get(&format!("/wallet?channelId={channel}")).await.expect(200);
    assert_eq!(balance["balance"], 50, "{balance}");
    let (boris, _) = browser(&stage.app, "boris", "viewer").await;
    boris.link(Provider::VkVideo, "boris").await;
    stage.app.drain().await;
    let coins: i64 = sqlx::query_scalar("select coalesce(sum(balance), 0)::bigint from wallets")
        .fetch_one(stage.app.pool())
        .await
        .unwrap();
    assert_eq!(coins, 100);

    stage.vkvideo.set_live("demo", true);
    stage.becomes_live(true).await;
    stage.vkvideo.set_live("demo", false);
    stage.becomes_live(false).await;
    stage.app.drain().await;
}

#[tokio::test]
async fn a_stream_that_nobody_tells_of_is_asked_about() {
    let stage = Stage::open().await;
    let _demo = stage.on_air().await;
    stage.vkvideo.keep_quiet_about_streams();
    stage.vkvideo.set_live("demo", true);
    stage.app.advance(Duration::from_secs(90)).await;
    stage.becomes_live(true).await;
    stage.app.drain().await;
}

#[tokio::test]
async fn without_a_stream_a_message_waits_for_its_tries_and_has_failed() {
    let stage = Stage::open().await;
    let demo = stage.on_air().await;
    let said = demo.post("/streamer/bot/say", &json!({ "message": "hi", "provider": "vkvideo" })).await.expect(200);
    let path = format!("/streamer/bot/outbox/vkvideo/{}", said["outbox"]["id"].as_str().unwrap());
    for tries in 1..6_i16 {
        wait_until(&format!("{tries} tries"), async || {
            let tried: i16 =
                sqlx::query_scalar("select attempts from outbox_messages").fetch_one(stage.app.pool()).await.unwrap();
            (tried >= tries).then_some(())
        })
        .await;
        stage.app.advance(Duration::from_secs(60)).await;
    }
    let ended = wait_until("it has failed", async || {
        let body = demo.get(&path).await.expect(200);
        (body["status"] == "failed").then_some(body)
    })
    .await;
    assert_eq!(ended["lastError"], "no active stream");
    assert_eq!(stage.vkvideo.said(), []);
    stage.app.drain().await;
}

#[tokio::test]
async fn a_command_for_roles_answers_who_has_one_there_or_by_the_settings() {
    let stubs = r#"{ "demo": { "login:lotas": ["role:vip"] }, "other": { "login:anna": ["role:vip"] } }"#;
    let stage = Stage::with(|_| {}, |builder| builder.env("VKVIDEO_ROLE_STUBS_JSON", stubs)).await;
    let demo = stage.on_air().await;
    stage.vkvideo.set_live("demo", true);
    let command = json!({ "trigger": "!vip", "response": "yes, {user}", "cooldownSeconds": 0, "vkvideoAllowedRoleIds": ["role:vip"] });
    demo.post("/streamer/bot/commands", &command).await.expect(201);
    let speak = |nick: &str, roles: &[&str]| {
        stage.vkvideo.speak(&Speech {
            channel: "demo".to_owned(),
            nick: nick.to_owned(),
            text: "!vip".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Speech::default()
        });
    };
    speak("anna", &["role:other"]);
    speak("Lotas", &[]);
    speak("boris", &["role:vip"]);
    let said = stage.said(2).await;
    recorded(&stage.app, 5).await;
    let mut texts: Vec<&str> = said.iter().map(|(_, text)| &**text).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["yes, Lotas", "yes, boris"]);
}
