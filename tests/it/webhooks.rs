//! What platforms tell by themselves: who is believed, that it counts once, and in whatever order it comes.

use std::time::Duration;

use harness::{Answer, Session, TestApp, wait_until};
use identity::simulator::Notice;
use reqwest::Method;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

pub(crate) const SECRET: &str = "a-secret-of-stories";
pub(crate) const PATH: &str = "/webhooks/twitch/eventsub";
/// The account on Twitch of the channel `demo`.
pub(crate) const DEMO: &str = "1337";

/// A system that knows the secret, with the channel `demo`.
pub(crate) async fn told(builder: harness::Builder) -> (TestApp, Session) {
    let app = builder.env("TWITCH_EVENTSUB_SECRET", SECRET).start().await;
    let streamer = app.login("demo", "streamer").await;
    sqlx::query(
        "update channel_accounts set account = $1 where channel_id = (select id from channels where slug = 'demo')",
    )
    .bind(DEMO)
    .execute(app.pool())
    .await
    .unwrap();
    (app, streamer)
}

/// A notification of this moment.
pub(crate) fn notice(kind: &str, event: &Value) -> Notice {
    let subscription = json!({
        "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4", "type": kind, "version": "1", "status": "enabled", "cost": 0,
        "condition": { "broadcaster_user_id": DEMO }, "created_at": "2026-01-01T00:00:00.634234626Z"
    });
    Notice::new("notification", &json!({ "subscription": subscription, "event": event }))
}

pub(crate) async fn post(app: &TestApp, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Answer {
    let request = app.anonymous().request(Method::POST, PATH).body(body);
    Session::send(headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))).await
}

pub(crate) async fn tell(app: &TestApp, notice: &Notice) -> Answer {
    post(app, notice.headers(SECRET), notice.body.clone()).await
}

/// Event of the moment's stream.
fn online(started_at: OffsetDateTime) -> Notice {
    let started_at = started_at.format(&Rfc3339).unwrap();
    notice(
        "stream.online",
        &json!({ "id": "9001", "broadcaster_user_id": DEMO, "type": "live", "started_at": started_at }),
    )
}

fn offline(at: OffsetDateTime) -> Notice {
    let mut offline = notice("stream.offline", &json!({ "broadcaster_user_id": DEMO }));
    offline.timestamp = at.format(&Rfc3339).unwrap();
    offline
}

async fn kept(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from webhook_deliveries").fetch_one(app.pool()).await.unwrap()
}

async fn live(app: &TestApp) -> bool {
    sqlx::query_scalar("select live_since is not null from channels where slug = 'demo'")
        .fetch_one(app.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_challenge_that_is_signed_is_said_back_as_it_is() {
    let (app, _) = told(TestApp::builder().pools(&[])).await;
    let asked = Notice::new(
        "webhook_callback_verification",
        &json!({ "challenge": "pogchamp-kappa-360noscope-vohiyo", "subscription": { "id": "x" } }),
    );
    let answer = tell(&app, &asked).await;
    assert_eq!((answer.status.as_u16(), &*answer.text), (200, "pogchamp-kappa-360noscope-vohiyo"));
    assert!(answer.header("content-type").starts_with("text/plain"), "{}", answer.header("content-type"));
    let forged = post(&app, asked.headers("another-secret"), asked.body.clone()).await;
    assert_eq!(forged.status, 403);
    assert!(!forged.text.contains("pogchamp"), "{}", forged.text);
    app.advance(Duration::from_secs(11 * 60)).await;
    assert_eq!(tell(&app, &asked).await.status, 403, "of long ago");
}

#[tokio::test]
async fn nothing_is_believed_of_which_a_single_byte_was_changed() {
    let (app, _) = told(TestApp::builder().pools(&[])).await;
    let genuine =
        notice("channel.follow", &json!({ "user_id": "7", "user_login": "anna", "broadcaster_user_id": DEMO }));
    let headers = genuine.headers(SECRET);
    let mut tried = 0;
    let mut forged = async |headers: Vec<(&'static str, String)>, body: Vec<u8>, what: String| {
        tried += 1;
        assert_eq!(post(&app, headers, body).await.status, 403, "{what}");
    };
    for at in 0..genuine.body.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut body = genuine.body.clone();
            body[at] ^= bit;
            forged(headers.clone(), body, format!("byte {at} of the body ^ {bit}")).await;
        }
    }
    for end in (0..genuine.body.len()).step_by(7) {
        forged(headers.clone(), genuine.body[..end].to_vec(), format!("the first {end} bytes")).await;
    }
    for (place, (name, value)) in headers.iter().enumerate() {
        // What is not signed is not believed either: it decides nothing but how the rest is read.
        if !["message-id", "timestamp", "signature"].iter().any(|signed| name.ends_with(signed)) {
            continue;
        }
        for at in 0..value.len() {
            for other in ['0', 'f', 'A', 'Z', '-', '.', '~'] {
                let mut changed: Vec<char> = value.chars().collect();
                if changed[at] == other {
                    continue;
                }
                changed[at] = other;
                let mut headers = headers.clone();
                headers[place].1 = changed.into_iter().collect();
                forged(headers, genuine.body.clone(), format!("{name}, character {at} is {other}")).await;
            }
        }
        let mut without = headers.clone();
        without.remove(place);
        forged(without, genuine.body.clone(), format!("without {name}")).await;
        let mut twice = headers.clone();
        twice.push((name, value.clone()));
        forged(twice, genuine.body.clone(), format!("{name} twice")).await;
        let mut empty = headers.clone();
        empty[place].1 = String::new();
        forged(empty, genuine.body.clone(), format!("{name} empty")).await;
    }
    forged(genuine.headers("a-secret-of-storiet"), genuine.body.clone(), "another secret".to_owned()).await;
    assert!(tried > 1500, "{tried}");
    assert_eq!(kept(&app).await, 0);
    assert_eq!(tell(&app, &genuine).await.status, 204);
    assert_eq!(kept(&app).await, 1);
}

#[tokio::test]
async fn what_is_told_again_and_again_counts_once_and_what_is_old_not_at_all() {
    let (app, streamer) = told(TestApp::builder()).await;
    streamer.post("/streamer/rewards", &json!({ "trigger": "twitch_cheer", "coins": 5 })).await.expect(200);
    let cheer = notice(
        "channel.cheer",
        &json!({ "user_id": "7", "user_login": "anna", "broadcaster_user_id": DEMO, "bits": 100 }),
    );
    let told = futures_util::future::join_all((0..50).map(|_| tell(&app, &cheer))).await;
    assert!(told.iter().all(|answer| answer.status == 204));
    app.drain().await;
    let counted = async || -> (i64, i64, i64) {
        sqlx::query_as(
            "select (select count(*) from webhook_deliveries), (select count(*) from external_reward_events),
                    (select count(*) from pending_grants)",
        )
        .fetch_one(app.pool())
        .await
        .unwrap()
    };
    assert_eq!(counted().await, (1, 1, 1));
    // Under another id it is not signed.
    let mut renamed = cheer.headers(SECRET);
    renamed[0].1 = Uuid::new_v4().to_string();
    assert_eq!(post(&app, renamed, cheer.body.clone()).await.status, 403);
    // Nine minutes later it is known still, and eleven minutes later nobody asks.
    app.advance(Duration::from_mins(9)).await;
    assert_eq!(tell(&app, &cheer).await.status, 204);
    app.advance(Duration::from_mins(2)).await;
    assert_eq!(tell(&app, &cheer).await.status, 403);
    let mut early = notice("channel.cheer", &json!({ "user_id": "8", "broadcaster_user_id": DEMO, "bits": 1 }));
    early.timestamp = (OffsetDateTime::now_utc() + Duration::from_mins(40)).format(&Rfc3339).unwrap();
    assert_eq!(tell(&app, &early).await.status, 403, "of a time to come");
    for wrong in ["", "yesterday", "2026-13-01T00:00:00Z", "1767225600"] {
        early.timestamp = wrong.to_owned();
        assert_eq!(tell(&app, &early).await.status, 403, "{wrong}");
    }
    app.drain().await;
    assert_eq!(counted().await, (1, 1, 1));
}

#[tokio::test]
async fn what_nobody_understands_is_put_aside_alone_with_its_bytes() {
    let (app, _) = told(TestApp::builder()).await;
    let mut broken = notice("channel.follow", &json!({ "user_id": "7", "broadcaster_user_id": DEMO }));
    broken.body.truncate(60);
    let wrong = notice("channel.cheer", &json!({ "user_id": 7, "broadcaster_user_id": DEMO, "bits": "many" }));
    let endless = notice(
        "channel.channel_points_custom_reward_redemption.add",
        &json!({
            "id": "7".repeat(301), "broadcaster_user_id": DEMO, "user_id": "7", "user_login": "anna", "user_name": "Anna",
            "user_input": "", "status": "unfulfilled", "redeemed_at": "2026-11-20T17:16:03.17106713Z",
            "reward": { "id": "1", "title": "A reward", "cost": 100, "prompt": "" }
        }),
    );
    let unknown = notice("channel.poll.begin", &json!({ "id": "1" }));
    for notice in [&broken, &wrong, &endless, &unknown, &online(OffsetDateTime::now_utc())] {
        assert_eq!(tell(&app, notice).await.status, 204);
    }
    app.drain().await;
    assert!(live(&app).await);
    let aside: Vec<(Vec<u8>, String)> =
        sqlx::query_as("select body, failure from webhook_deliveries where failure is not null order by received_at")
            .fetch_all(app.pool())
            .await
            .unwrap();
    assert_eq!(aside.len(), 3, "{aside:?}");
    assert_eq!((&aside[0].0, &aside[1].0, &aside[2].0), (&broken.body, &wrong.body, &endless.body));
    let left: i64 = sqlx::query_scalar("select count(*) from webhook_deliveries where body is not null")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(left, 3, "what was understood is kept no longer");
    app.advance(Duration::from_hours(24 * 32)).await;
    wait_until("all of them are forgotten", async || (kept(&app).await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_body_beyond_all_size_is_refused() {
    let (app, _) = told(TestApp::builder().pools(&[])).await;
    let mut large = notice("channel.follow", &json!({ "user_id": "7" }));
    large.body = vec![b' '; 300 * 1024];
    let refused = tell(&app, &large).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (413, "FILE_TOO_LARGE"));
    assert_eq!(app.anonymous().get(PATH).await.status, 405);
    assert_eq!(kept(&app).await, 0);
}

#[tokio::test]
async fn whether_a_channel_is_live_does_not_depend_on_the_order_in_which_it_is_told() {
    let (app, _) = told(TestApp::builder()).await;
    let now = OffsetDateTime::now_utc();
    let at = |minutes: u64| now - Duration::from_mins(minutes);
    // Two streams, of which the second goes on or is over, too.
    let goes_on = [online(at(4)), offline(at(3)), online(at(2))];
    let is_over = [online(at(4)), offline(at(3)), online(at(2)), offline(at(1))];
    for (notices, expected) in [(&goes_on[..], true), (&is_over[..], false)] {
        for order in permutations(notices.len()) {
            sqlx::query("delete from channel_streams").execute(app.pool()).await.unwrap();
            sqlx::query("update channels set live_since = null").execute(app.pool()).await.unwrap();
            for place in &order {
                let mut notice = notices[*place].clone();
                notice.id = Uuid::new_v4().to_string();
                assert_eq!(tell(&app, &notice).await.status, 204);
                app.drain().await;
            }
            assert_eq!(live(&app).await, expected, "{order:?}");
        }
    }
}

/// All orders of so many.
pub(crate) fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let longer = shorter.iter().flat_map(|order| {
        (0..count).map(|place| {
            let mut order = order.clone();
            order.insert(place, count - 1);
            order
        })
    });
    longer.collect()
}

#[tokio::test]
async fn whoever_follows_is_greeted_once() {
    let twitch = crate::twitch::simulator().await;
    let (app, demo) = told(crate::twitch::system(&twitch)).await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    crate::twitch::joined(&twitch, "demo", 1).await;
    let greeting = json!({ "followGreetingsEnabled": true, "followGreetingTemplate": "Welcome, {user}!" });
    demo.patch("/streamer/bot/follow-greetings", &greeting).await.expect(200);
    let follow = |id: &str, login: &str| {
        let event = json!({ "user_id": id, "user_login": login, "user_name": login, "broadcaster_user_id": DEMO });
        notice("channel.follow", &event)
    };
    let anna = follow("7", "Anna");
    for notice in [&anna, &anna, &follow("7", "Anna"), &follow("8", "Bert")] {
        assert_eq!(tell(&app, notice).await.status, 204);
        app.drain().await;
    }
    // Read back in the chat, which the bot reads.
    crate::twitch::recorded(&app, 2).await;
    assert_eq!(crate::twitch::said(&twitch, "demo"), ["Welcome, Anna!", "Welcome, Bert!"]);
}
