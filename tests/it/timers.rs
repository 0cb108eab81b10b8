//! Timers: what bots say from time to time, and when they are silent.

use std::time::Duration;

use domain::timers;
use futures_util::future::join_all;
use harness::{Session, TestApp, wait_until};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    stage::Stage,
    twitch::{joined, recorded, said, simulator, streamer_with_bot, system},
};

const TIMERS: &str = "/streamer/bot/timers";

fn timer(messages: &[&str]) -> Value {
    json!({ "name": "Discord", "messages": messages, "intervalSeconds": 600, "onlyWhenLive": false })
}

/// A system in which nobody looks at timers but the story.
async fn quiet() -> Stage {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    stage.streamer.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    stage
}

/// Says what is due, as the job does, and what was said before is sent.
async fn look(stage: &Stage) -> usize {
    sqlx::query("update outbox_messages set status = 'sent'").execute(stage.app.pool()).await.unwrap();
    let mut tx = stage.app.db.begin().await.unwrap();
    let looked_at = timers::say_due(&mut tx, "http://here", &["bot".to_owned()], 200).await.unwrap();
    tx.commit().await.unwrap();
    looked_at
}

/// What timers have put into the outbox, in order.
async fn spoken(pool: &PgPool) -> Vec<String> {
    let spoken = "select message from outbox_messages where source = 'timer' order by created_at, id";
    sqlx::query_scalar(spoken).fetch_all(pool).await.unwrap()
}

/// Lines of this author in the channel's chat.
async fn lines(stage: &Stage, author: &str, count: i32) {
    sqlx::query(
        "insert into chat_messages (platform, channel_id, content_id, author_id, author_login, author_name, roles, text, sent_at)
         select 'twitch', $1, gen_random_uuid(), $2, $2, $2, 0, 'hi', app_now() from generate_series(1, $3)",
    )
    .bind(stage.channel_id)
    .bind(author)
    .bind(count)
    .execute(stage.app.pool())
    .await
    .unwrap();
}

async fn made(streamer: &Session, wish: &Value) -> String {
    let made = streamer.post(TIMERS, wish).await.expect(201);
    format!("{TIMERS}/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_timer_speaks_in_the_chat_after_its_interval() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    made(&demo, &timer(&["Memes are at {channelUrl}"])).await;
    app.advance(Duration::from_secs(590)).await;
    joined(&twitch, "demo", 1).await;
    app.drain().await;
    assert_eq!(said(&twitch, "demo"), [""; 0]);
    app.advance(Duration::from_secs(30)).await;
    wait_until("the timer has spoken", async || (said(&twitch, "demo").len() == 1).then_some(())).await;
    assert!(said(&twitch, "demo")[0].ends_with("/channels/demo/memes"));
    recorded(&app, 1).await;
}

#[tokio::test]
async fn its_messages_come_one_after_the_other_and_from_the_beginning_again() {
    let stage = quiet().await;
    made(&stage.streamer, &timer(&["one", "two", "three"])).await;
    assert_eq!(look(&stage).await, 0, "not yet due");
    for _ in 0..4 {
        stage.app.advance(Duration::from_secs(600)).await;
        assert_eq!(look(&stage).await, 1);
        assert_eq!(look(&stage).await, 0, "once for each due time");
    }
    assert_eq!(spoken(stage.app.pool()).await, ["one", "two", "three", "one"]);
    // After a night in which nobody looked it speaks once, not forty times.
    stage.app.advance(Duration::from_secs(24_000)).await;
    for _ in 0..3 {
        look(&stage).await;
    }
    assert_eq!(spoken(stage.app.pool()).await.len(), 5);
}

#[tokio::test]
async fn many_processes_say_it_once() {
    let stage = quiet().await;
    made(&stage.streamer, &timer(&["one"])).await;
    stage.app.advance(Duration::from_secs(600)).await;
    join_all((0..8).map(|_| look(&stage))).await;
    assert_eq!(spoken(stage.app.pool()).await, ["one"]);
}

#[tokio::test]
async fn it_waits_until_others_have_written_enough() {
    let stage = quiet().await;
    let mut wish = timer(&["one"]);
    wish["minLines"] = json!(3);
    lines(&stage, "anna", 5).await;
    made(&stage.streamer, &wish).await;
    stage.app.advance(Duration::from_secs(600)).await;
    lines(&stage, "anna", 2).await;
    lines(&stage, "bot", 9).await;
    look(&stage).await;
    assert_eq!(spoken(stage.app.pool()).await, [""; 0], "two of others since it was made");
    lines(&stage, "boris", 1).await;
    stage.app.advance(Duration::from_secs(31)).await;
    look(&stage).await;
    assert_eq!(spoken(stage.app.pool()).await, ["one"]);
    stage.app.advance(Duration::from_secs(600)).await;
    look(&stage).await;
    assert_eq!(spoken(stage.app.pool()).await.len(), 1, "nobody has written since");
}

#[tokio::test]
async fn lines_of_accounts_that_speak_for_the_channel_do_not_count() {
    let stage = quiet().await;
    for (login, seat) in [
        ("house_bot", "insert into default_bots (provider, account_id) values ('twitch', $1)"),
        (
            "demo_bot",
            "insert into channel_bots (channel_id, provider, account_id) select id, 'twitch', $1 from channels",
        ),
    ] {
        let account = Uuid::now_v7();
        sqlx::query(
            "insert into external_accounts (id, user_id, provider, issuer, provider_user_id, login, display_name)
             select $1, u.id, 'twitch', 'https://id.twitch.tv/oauth2', $2, $2, $2 from users u where u.login = 'demo'",
        )
        .bind(account)
        .bind(login)
        .execute(stage.app.pool())
        .await
        .unwrap();
        sqlx::query(seat).bind(account).execute(stage.app.pool()).await.unwrap();
    }
    let mut wish = timer(&["one"]);
    wish["minLines"] = json!(2);
    made(&stage.streamer, &wish).await;
    stage.app.advance(Duration::from_secs(600)).await;
    lines(&stage, "house_bot", 5).await;
    lines(&stage, "demo_bot", 5).await;
    lines(&stage, "anna", 1).await;
    look(&stage).await;
    assert_eq!(spoken(stage.app.pool()).await, [""; 0], "one of others");
    lines(&stage, "boris", 1).await;
    stage.app.advance(Duration::from_secs(31)).await;
    look(&stage).await;
    assert_eq!(spoken(stage.app.pool()).await, ["one"]);
}

#[tokio::test]
async fn it_is_silent_without_a_stream_without_a_bot_and_when_it_is_off() {
    let stage = quiet().await;
    let demo = &stage.streamer;
    let mut wish = timer(&["{uptime}"]);
    wish["onlyWhenLive"] = json!(true);
    let path = made(demo, &wish).await;
    let round = async || {
        stage.app.advance(Duration::from_secs(600)).await;
        look(&stage).await;
        spoken(stage.app.pool()).await.len()
    };
    assert_eq!(round().await, 0, "no stream");
    let mut tx = stage.app.db.begin().await.unwrap();
    domain::channels::set_live(&mut tx, stage.channel_id, true).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(round().await, 1);
    assert_eq!(spoken(stage.app.pool()).await, ["10m"]);
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": false })).await.expect(200);
    assert_eq!(round().await, 1, "no bot");
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    demo.patch(&path, &json!({ "enabled": false })).await.expect(200);
    assert_eq!(round().await, 1, "off");
    demo.patch(&path, &json!({ "enabled": true })).await.expect(200);
    assert_eq!(look(&stage).await, 0, "it begins anew");
    assert_eq!(round().await, 2);
    demo.delete(&path).await.expect(200);
    assert_eq!(round().await, 2, "gone");
}

#[tokio::test]
async fn a_timer_is_made_changed_and_deleted_and_what_is_wrong_is_named() {
    let stage = quiet().await;
    let demo = &stage.streamer;
    let path = made(demo, &timer(&["one"])).await;
    for (field, value, part) in [
        ("name", json!(""), "name: 1 to 50"),
        ("messages", json!([]), "messages: 1 to 20"),
        ("messages", json!(["{user}"]), "messages: {user} is no variable here"),
        ("messages", json!(["/me waves"]), "messages: the message begins like an order"),
        ("intervalSeconds", json!(59), "intervalSeconds: 60 to 86400"),
        ("minLines", json!(1001), "minLines: 0 to 1000"),
    ] {
        let mut wish = timer(&["one"]);
        wish[field] = value.clone();
        for refused in [demo.post(TIMERS, &wish).await, demo.patch(&path, &json!({ field: value })).await] {
            assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wish}");
            assert!(refused.text.contains(part), "{wish}: {}", refused.text);
        }
    }
    let before = demo.get(TIMERS).await.expect(200)[0].clone();
    assert_eq!(demo.patch(&path, &json!({})).await.expect(200), before, "nothing is to be changed");
    let changed = demo.patch(&path, &json!({ "messages": ["a", "b"], "minLines": 5 })).await.expect(200);
    assert_eq!((&changed["messages"], &changed["minLines"]), (&json!(["a", "b"]), &json!(5)));
    assert_eq!(demo.get(TIMERS).await.expect(200), json!([changed]));
    let other = stage.app.login("other", "streamer").await;
    for answer in [other.patch(&path, &json!({ "minLines": 1 })).await, other.delete(&path).await] {
        assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "NOT_FOUND"));
    }
    for _ in 1..25 {
        made(demo, &timer(&["one"])).await;
    }
    let many = demo.post(TIMERS, &timer(&["one"])).await;
    assert_eq!((many.status.as_u16(), many.error_code()), (409, "CONFLICT"));
    assert_eq!(demo.delete(&path).await.expect(200), json!({ "ok": true }));
    demo.delete(&path).await.expect(404);
}
