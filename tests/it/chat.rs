//! Chats: who reads them, and what becomes of what is read.

use std::time::{Duration, Instant};

use domain::{
    accounts::{self, Role},
    channels,
    sessions::{self, Origin},
};
use harness::{MemalertsProcess, Pool, TestApp, wait_until};
use serde_json::json;
use sqlx::PgPool;

use crate::twitch::{BOT, env, joined, recorded, said, simulator, streamer_with_bot, system};

async fn count(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_command_is_answered_once_and_the_bots_own_words_are_none() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    streamer_with_bot(&app, &twitch, "demo").await;
    twitch.say("demo", "anna", "!MEMES please");
    twitch.say("demo", "anna", "no command");
    twitch.say("demo", BOT, "!memes");
    recorded(&app, 4).await;
    let answers = said(&twitch, "demo");
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].starts_with("anna, all memes of this channel: http"), "{answers:?}");
    assert!(answers[0].ends_with("/channels/demo/memes"), "{answers:?}");
    assert_eq!(twitch.received("JOIN", "demo").len(), 1);
}

#[tokio::test]
async fn a_thousand_messages_are_kept_in_few_inserts() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    streamer_with_bot(&app, &twitch, "demo").await;
    for number in 0..1_000 {
        twitch.say("demo", &format!("viewer{}", number % 50), &format!("message {number}"));
    }
    recorded(&app, 1_000).await;
    let batches = count(app.pool(), "select count(*) from jobs_done where kind = 'ingest-chat-batch'").await;
    assert!(batches <= 20, "{batches} batches");
    assert_eq!(count(app.pool(), "select count(*) from chat_batches").await, 0);
}

#[tokio::test]
async fn a_line_that_nobody_understands_is_put_aside_alone_with_its_bytes() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    streamer_with_bot(&app, &twitch, "demo").await;
    let poison = b":anna!anna@anna PRIVMSG #demo :\xff\xfe";
    twitch.inject("demo", b"@id=1;user-id=7 :anna!anna@anna.tmi.twitch.tv PRIVMSG #demo :before");
    twitch.inject("demo", poison);
    twitch.inject("demo", b"\x00\x01 nothing at all");
    twitch.inject("demo", b"@id=2;user-id=7 :anna!anna@anna.tmi.twitch.tv PRIVMSG #demo :after");
    // The same message again: read twice, recorded once.
    twitch.inject("demo", b"@id=2;user-id=7 :anna!anna@anna.tmi.twitch.tv PRIVMSG #demo :after");
    wait_until("two lines are put aside", async || {
        (count(app.pool(), "select count(*) from chat_dead_letters").await == 2).then_some(())
    })
    .await;
    recorded(&app, 2).await;
    let bytes: Vec<u8> = sqlx::query_scalar("select line from chat_dead_letters order by id limit 1")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(bytes, poison);
}

#[tokio::test]
async fn messages_are_kept_for_a_week_and_what_was_put_aside_for_a_month() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    streamer_with_bot(&app, &twitch, "demo").await;
    let day = Duration::from_hours(24);
    twitch.inject("demo", b":anna!anna@anna PRIVMSG #demo :\xff\xfe");
    twitch.say("demo", "anna", "old");
    recorded(&app, 1).await;
    app.advance(day * 5).await;
    joined(&twitch, "demo", 1).await;
    twitch.say("demo", "anna", "young");
    recorded(&app, 2).await;
    let kept = async || {
        let messages = count(app.pool(), "select count(*) from chat_messages").await;
        (messages, count(app.pool(), "select count(*) from chat_dead_letters").await)
    };
    assert_eq!(kept().await, (2, 1));
    for (days, left) in [(3, (1, 1)), (21, (0, 1)), (2, (0, 0))] {
        app.advance(day * days).await;
        wait_until(&format!("{left:?} are left"), async || (kept().await == left).then_some(())).await;
    }
}

#[tokio::test]
async fn comes_back_when_the_platform_moves_it_or_hangs_up() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    streamer_with_bot(&app, &twitch, "demo").await;
    for round in 0..2 {
        if round == 0 {
            twitch.reconnect()
        } else {
            twitch.drop_all()
        }
        wait_until("it joins again", async || (twitch.received("JOIN", "demo").len() == round + 2).then_some(())).await;
        joined(&twitch, "demo", 1).await;
        twitch.say("demo", "anna", &format!("round {round}"));
        recorded(&app, i64::try_from(round).unwrap() + 1).await;
    }
}

#[tokio::test]
async fn another_process_reads_the_chat_within_five_seconds_of_a_kill() {
    let twitch = simulator().await;
    let app = system(&twitch).pools(&[Pool::Outbox, Pool::Credits]).start().await;
    let relay = [("CHATBOT_BACKEND_BASE_URLS", app.base.clone())];
    let environment: Vec<(&str, String)> = app.process_env().into_iter().chain(env(&twitch)).chain(relay).collect();
    let spawn = || MemalertsProcess::spawn(&["work", "chat", "--platform", "twitch"], &environment);
    let mut first = spawn();
    streamer_with_bot(&app, &twitch, "demo").await;
    let mut second = spawn();
    second.logged("the pools take jobs").await;

    first.kill();
    let killed = Instant::now();
    joined(&twitch, "demo", 0).await;
    joined(&twitch, "demo", 1).await;
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    twitch.say("demo", "anna", "!memes");
    wait_until("the answer is there", async || (said(&twitch, "demo").len() == 1).then_some(())).await;

    // A drain hands the chat over at once.
    let third = spawn();
    let stopped = Instant::now();
    wait_until("the third is up", async || {
        third.log().iter().any(|line| line["msg"] == "the pools take jobs").then_some(())
    })
    .await;
    assert!(second.stop().await.success());
    joined(&twitch, "demo", 1).await;
    assert!(stopped.elapsed() < Duration::from_secs(20));
    assert_eq!(twitch.received("JOIN", "demo").len(), 3);
}

#[tokio::test]
async fn without_an_account_of_the_settings_chats_are_read_all_the_same() {
    let twitch = simulator().await;
    let production = TestApp::builder().outside_of_dev("prod").pools(&[Pool::Chat, Pool::Outbox]);
    let app = production.env("TWITCH_IRC_URL", &twitch.websocket_url()).start().await;
    let mut tx = app.db.begin().await.unwrap();
    let login = accounts::parse_login("demo").unwrap();
    let user = accounts::upsert_by_login(&mut tx, &login, "Demo", Role::Streamer).await.unwrap();
    let opened = sessions::open(&mut tx, &app.process.keys, user.id, &["test"], &Origin::new("", "")).await.unwrap();
    channels::ensure(&mut tx, &user).await.unwrap();
    tx.commit().await.unwrap();
    let tokens = app.anonymous().post("/auth/refresh", &json!({ "refresh_token": opened.token.expose() })).await;
    let streamer = app.anonymous().with_token(tokens.expect(200)["access_token"].as_str().unwrap());

    streamer.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    joined(&twitch, "demo", 1).await;
    twitch.say("demo", "anna", "hello");
    recorded(&app, 1).await;
    let joins = twitch.received("JOIN", "demo");
    let nick = joins[0].nick.as_deref().unwrap();
    assert!(nick.starts_with("justinfan"), "{nick}");
    let diagnostics = streamer.get("/streamer/bots/twitch/diagnostics").await.expect(200);
    assert!(!diagnostics.to_string().contains("justinfan"), "{diagnostics}");
}
