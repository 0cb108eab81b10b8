//! Bots: switches, and what they are made to say.

use std::time::Duration;

use chat::simulator::twitch::Fault;
use futures_util::future::join_all;
use harness::{Session, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::twitch::{knowing, recorded, said, simulator, simulator_with, streamer_with_bot, system};

pub(crate) async fn say(streamer: &Session, message: &str) -> String {
    let body = streamer.post("/streamer/bot/say", &json!({ "message": message })).await.expect(200);
    assert_eq!((&body["ok"], &body["outbox"]["status"]), (&json!(true), &json!("pending")));
    assert!(body["outbox"]["createdAt"].is_string());
    format!("/streamer/bot/outbox/twitch/{}", body["outbox"]["id"].as_str().unwrap())
}

/// Waits until the message has this status, and returns it.
pub(crate) async fn becomes(streamer: &Session, path: &str, status: &str) -> Value {
    wait_until(&format!("{path} is {status}"), async || {
        let body = streamer.get(path).await.expect(200);
        (body["status"] == status).then_some(body)
    })
    .await
}

#[tokio::test]
async fn says_exactly_one_message_and_the_outbox_tells_that_it_was_sent() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let path = say(&demo, "hello\r\nPRIVMSG #other :boo").await;
    let sent = becomes(&demo, &path, "sent").await;
    assert!(sent.get("lastError").is_none(), "{sent}");
    recorded(&app, 1).await;
    assert_eq!(said(&twitch, "demo"), ["hello  PRIVMSG #other :boo"]);
    assert!(said(&twitch, "other").is_empty());

    let other = app.login("other", "streamer").await;
    other.get(&path).await.expect(404);
    demo.get(&path.replace("twitch", "kick")).await.expect(404);
}

#[tokio::test]
async fn says_once_what_is_asked_for_under_one_key() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let ask = async |message: &str, key: &str| {
        let request = demo.request(Method::POST, "/streamer/bot/say").header("idempotency-key", key);
        Session::send(request.json(&json!({ "message": message }))).await
    };
    let first = ask("hello", "a").await;
    let again = join_all((0..8).map(|_| ask("hello", "a"))).await;
    assert!(again.iter().all(|answer| answer.status == 200 && answer.text == first.text));
    assert_eq!(ask("bye", "a").await.error_code(), "IDEMPOTENCY_KEY_REUSED");
    // A refusal stays one.
    let refused = ask("/ban somebody", "b").await;
    assert_eq!(refused.status, 400);
    assert_eq!(ask("/ban somebody", "b").await.text, refused.text);
    recorded(&app, 1).await;
    assert_eq!(said(&twitch, "demo"), ["hello"]);
}

#[tokio::test]
async fn says_messages_in_the_order_in_which_they_came() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    for number in 0..15 {
        say(&demo, &format!("number {number}")).await;
    }
    recorded(&app, 15).await;
    let expected: Vec<String> = (0..15).map(|number| format!("number {number}")).collect();
    assert_eq!(said(&twitch, "demo"), expected);
}

#[tokio::test]
async fn stays_within_the_accounts_budget_over_all_chats() {
    // It does not refuse by itself: its clock is not the one that the test moves.
    let twitch = simulator_with(|settings| settings.enforce_limits = false).await;
    let app = system(&twitch).start().await;
    let mut paths = Vec::new();
    for login in ["one", "two"] {
        let streamer = streamer_with_bot(&app, &twitch, login).await;
        for number in 0..12 {
            paths.push((streamer.clone(), say(&streamer, &format!("number {number}")).await));
        }
    }
    let count = || said(&twitch, "one").len() + said(&twitch, "two").len();
    wait_until("nobody sends, somebody waits", async || {
        let (running, waiting): (i64, i64) = sqlx::query_as(
            "select count(*) filter (where state = 'running'), count(*) filter (where run_at > app_now())
             from jobs where kind = 'send-chat-message'",
        )
        .fetch_one(app.pool())
        .await
        .unwrap();
        (running == 0 && waiting > 0).then_some(())
    })
    .await;
    assert_eq!(count(), 20, "the window is full");
    let mut pending = 0;
    for (streamer, path) in &paths {
        let body = streamer.get(path).await.expect(200);
        if body["status"] == "pending" {
            assert!(body.get("lastError").is_none(), "waiting for the budget is no failure: {body}");
            pending += 1;
        }
    }
    assert_eq!(pending, 4);
    app.advance(Duration::from_secs(31)).await;
    recorded(&app, 24).await;
    assert_eq!(count(), 24);
}

#[tokio::test]
async fn a_refusal_that_passes_is_tried_again_and_one_that_stays_ends_the_message() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    twitch.fault(Fault::Refuse { code: "msg_slowmode".to_owned() });
    let slow = say(&demo, "slowly").await;
    wait_until("the refusal is known", async || {
        (demo.get(&slow).await.expect(200)["lastError"] == "msg_slowmode").then_some(())
    })
    .await;
    app.advance(Duration::from_secs(15)).await;
    becomes(&demo, &slow, "sent").await;

    twitch.fault(Fault::Refuse { code: "msg_banned".to_owned() });
    let banned = say(&demo, "banned").await;
    assert_eq!(becomes(&demo, &banned, "failed").await["lastError"], "msg_banned");
    recorded(&app, 1).await;
}

#[tokio::test]
async fn a_copy_that_the_platform_drops_is_said_in_another_shape() {
    let twitch = simulator_with(|settings| settings.refuse_duplicates = true).await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let first = say(&demo, "same").await;
    becomes(&demo, &first, "sent").await;
    let second = say(&demo, "same").await;
    wait_until("the copy is refused", async || {
        (demo.get(&second).await.expect(200)["lastError"] == "msg_duplicate").then_some(())
    })
    .await;
    app.advance(Duration::from_secs(2)).await;
    becomes(&demo, &second, "sent").await;
    recorded(&app, 2).await;
    assert_eq!(said(&twitch, "demo"), ["same", "same", "same\u{E0000}"]);
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_not_said_again_and_is_settled_by_reading_it_back() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    twitch.fault(Fault::Lose);
    let path = say(&demo, "did you hear me?").await;
    becomes(&demo, &path, "sent").await;
    recorded(&app, 1).await;
    assert_eq!(said(&twitch, "demo").len(), 1);
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_stays_unknown_while_nobody_reads_the_chat() {
    let twitch = simulator().await;
    let app = system(&twitch).pools(&[harness::Pool::Outbox]).start().await;
    let demo = app.login("demo", "streamer").await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    twitch.fault(Fault::Lose);
    let path = say(&demo, "is anybody there?").await;
    let unknown = becomes(&demo, &path, "unknown").await;
    assert!(unknown["lastError"].as_str().unwrap().contains("before the platform confirmed"), "{unknown}");
    app.advance(Duration::from_secs(3600)).await;
    app.drain().await;
    assert_eq!(said(&twitch, "demo").len(), 1, "never written again");
}

#[tokio::test]
async fn a_message_that_comes_too_late_is_dropped_with_a_reason() {
    let twitch = simulator().await;
    let mut app = system(&twitch).pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    let path = say(&demo, "good morning").await;
    app.advance(Duration::from_secs(3600)).await;
    app.stop();
    let later = knowing(&twitch, app.beside()).start().await;
    let demo = later.login("demo", "streamer").await;
    let failed = becomes(&demo, &path, "failed").await;
    assert!(failed["lastError"].as_str().unwrap().starts_with("stale"), "{failed}");
    assert!(said(&twitch, "demo").is_empty());
}

#[tokio::test]
async fn what_became_of_a_message_is_known_for_a_month() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let day = Duration::from_hours(24);
    let old = say(&demo, "old").await;
    becomes(&demo, &old, "sent").await;
    app.advance(day * 20).await;
    let young = say(&demo, "young").await;
    becomes(&demo, &young, "sent").await;
    app.advance(day * 11).await;
    // The session of a month ago is over.
    let demo = app.login("demo", "streamer").await;
    wait_until("the old one is forgotten", async || (demo.get(&old).await.status.as_u16() == 404).then_some(())).await;
    demo.get(&young).await.expect(200);
}

#[tokio::test]
async fn a_refused_login_of_the_bot_is_told_in_the_outbox() {
    let twitch = simulator_with(|settings| settings.bad_tokens = vec!["secret".to_owned()]).await;
    let mut app = system(&twitch).start().await;
    app.leaves_jobs_behind();
    let demo = app.login("demo", "streamer").await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    let path = say(&demo, "hello").await;
    wait_until("the outbox tells the reason", async || {
        let body = demo.get(&path).await.expect(200);
        body["lastError"].as_str().is_some_and(|error| error.contains("Login authentication failed")).then_some(())
    })
    .await;
    assert!(said(&twitch, "demo").is_empty());
}

#[tokio::test]
async fn an_account_says_one_message_a_second_in_a_chat_and_in_others_meanwhile() {
    let twitch = simulator().await;
    // Five minutes, which do not pass by themselves while somebody looks.
    let app = system(&twitch).env("CHATBOT_CHANNEL_INTERVAL_MS", "300000").start().await;
    let one = streamer_with_bot(&app, &twitch, "one").await;
    let two = streamer_with_bot(&app, &twitch, "two").await;
    let first = say(&one, "first").await;
    let second = say(&one, "second").await;
    becomes(&one, &first, "sent").await;
    let elsewhere = say(&two, "elsewhere").await;
    becomes(&two, &elsewhere, "sent").await;
    wait_until("the second waits for its turn", async || {
        let waits: i64 = sqlx::query_scalar(
            "select count(*) from jobs where kind = 'send-chat-message' and run_at > app_now() and state <> 'running'",
        )
        .fetch_one(app.pool())
        .await
        .unwrap();
        (waits == 1).then_some(())
    })
    .await;
    let waits = one.get(&second).await.expect(200);
    assert_eq!((&waits["status"], waits.get("lastError")), (&json!("pending"), None));
    assert_eq!(said(&twitch, "one"), ["first"]);
    app.advance(Duration::from_secs(301)).await;
    becomes(&one, &second, "sent").await;
    assert_eq!(said(&twitch, "one"), ["first", "second"]);
    recorded(&app, 3).await;
}

#[tokio::test]
async fn what_is_too_long_for_a_line_is_said_in_several() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    let long = say(&demo, &"я".repeat(500)).await;
    becomes(&demo, &long, "sent").await;
    assert_eq!(said(&twitch, "demo"), ["я".repeat(254), "я".repeat(246)]);
    // Who hears the last line only in the chat knows that all was said.
    let twice = say(&demo, &"б".repeat(300)).await;
    becomes(&demo, &twice, "sent").await;
    recorded(&app, 4).await;
    let read_back: i64 = sqlx::query_scalar("select count(*) from outbox_messages where read_back_at is not null")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(read_back, 2);
}

#[tokio::test]
async fn before_its_migrations_a_build_has_no_bots_and_all_the_rest() {
    let mut app = harness::TestApp::builder().pools(&[]).start().await;
    app.leaves_jobs_behind();
    let demo = app.login("demo", "streamer").await;
    for rename in [
        "alter table bot_integrations rename to not_yet_there",
        "alter table chat_commands rename to not_yet_there_either",
        "alter table chat_timers rename to nor_this",
    ] {
        sqlx::query(rename).execute(app.pool()).await.unwrap();
    }
    let wish = json!({ "enabled": true });
    for answer in [
        demo.get("/streamer/bots").await,
        demo.patch("/streamer/bots/twitch", &wish).await,
        demo.get("/streamer/bot/commands").await,
        demo.get("/streamer/bot/timers").await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "FEATURE_NOT_AVAILABLE"));
    }
    for path in ["/me", "/streamer/promotions", "/streamer/queue", "/channels/demo/memes"] {
        demo.get(path).await.expect(200);
    }
}
