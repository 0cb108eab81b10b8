//! What chats tell beside words: that messages are gone, and what people do for the channel.

use domain::timers;
use harness::{Session, TestApp, wait_until};
use serde_json::{Value, json};

use crate::{
    twitch::{joined, simulator, system},
    webhooks::{DEMO, SECRET, notice, permutations, tell, told},
};

/// Ends a story's part: all that was written into the chat before this line is understood.
async fn understood(app: &TestApp, twitch: &chat::simulator::twitch::Simulator, mark: &str) {
    twitch.say("demo", "mark", mark);
    wait_until("the chat is understood", async || {
        let marks = sqlx::query_scalar::<_, i64>("select count(*) from chat_messages where text = $1").bind(mark);
        (marks.fetch_one(app.pool()).await.unwrap() == 1).then_some(())
    })
    .await;
    wait_until("no batch is left", async || {
        let left = sqlx::query_scalar::<_, i64>("select count(*) from chat_batches");
        (left.fetch_one(app.pool()).await.unwrap() == 0).then_some(())
    })
    .await;
    app.drain().await;
}

/// The channel `demo` with its bot in the chat of a simulated Twitch.
async fn stage() -> (chat::simulator::twitch::Simulator, TestApp, Session) {
    let twitch = simulator().await;
    let (app, demo) = told(system(&twitch).env("TWITCH_EVENTSUB_SECRET", SECRET)).await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    joined(&twitch, "demo", 1).await;
    (twitch, app, demo)
}

fn said(id: &str, author: &str, millis: i64) -> String {
    format!(
        "@id={id};user-id={author};room-id={DEMO};tmi-sent-ts={millis} :{author}!{author}@{author} PRIVMSG #demo :hi"
    )
}

fn removed(line: &str, tags: &str, millis: i64) -> String {
    format!("@{tags};room-id={DEMO};tmi-sent-ts={millis} :tmi.twitch.tv {line}")
}

#[tokio::test]
async fn what_is_taken_out_of_a_chat_counts_no_more_whichever_is_read_first() {
    let (twitch, mut app, demo) = stage().await;
    app.leaves_jobs_behind();
    let timer =
        json!({ "name": "t", "messages": ["one"], "intervalSeconds": 600, "onlyWhenLive": false, "minLines": 3 });
    demo.post("/streamer/bot/timers", &timer).await.expect(201);
    let now = 1_790_000_000_000;
    let lines = [
        // One message, a person's, and all of the chat; each before and after what it takes away.
        removed("CLEARMSG #demo :hi", "login=anna;target-msg-id=m1", now),
        said("m1", "anna", now),
        said("m2", "bert", now),
        said("m3", "bert", now - 5),
        removed("CLEARCHAT #demo :bert", "ban-duration=600;target-user-id=bert", now),
        said("m4", "carl", now - 1_000),
        removed("CLEARCHAT #demo", "a=b", now - 500),
        // Two that stand.
        said("m5", "anna", now + 1),
    ];
    for line in &lines {
        twitch.inject("demo", line.as_bytes());
    }
    understood(&app, &twitch, "first").await;
    let mut tx = app.db.begin().await.unwrap();
    app.advance(std::time::Duration::from_secs(601)).await;
    timers::say_due(&mut tx, "http://here", &[], 10).await.unwrap();
    tx.commit().await.unwrap();
    let spoken = async || -> i64 {
        let timers = "select count(*) from outbox_messages where source = 'timer'";
        sqlx::query_scalar(timers).fetch_one(app.pool()).await.unwrap()
    };
    assert_eq!(spoken().await, 0, "`m5` and the mark stand");
    joined(&twitch, "demo", 1).await;
    twitch.inject("demo", said("m6", "bert", now + 2).as_bytes());
    understood(&app, &twitch, "second").await;
    app.advance(std::time::Duration::from_secs(31)).await;
    wait_until("it has spoken", async || (spoken().await == 1).then_some(())).await;
}

#[tokio::test]
async fn the_credits_do_not_name_who_was_banned() {
    let (twitch, app, demo) = stage().await;
    let _ = &demo;
    let names = async || -> Vec<String> {
        let mut conn = app.pool().acquire().await.unwrap();
        let channel = sqlx::query_scalar("select id from channels where slug = 'demo'").fetch_one(&mut *conn).await;
        let state = domain::credits::state(&mut conn, channel.unwrap()).await.unwrap();
        let mut names: Vec<String> = state.chatters.into_iter().map(|chatter| chatter.name).collect();
        names.sort();
        names
    };
    let now = 2_500_000_000_000;
    for (id, author) in [("m1", "anna"), ("m2", "bert")] {
        twitch.inject("demo", said(id, author, now).as_bytes());
    }
    understood(&app, &twitch, "first").await;
    wait_until("all are named", async || (names().await == ["anna", "bert", "mark"]).then_some(())).await;
    twitch.inject("demo", removed("CLEARCHAT #demo :anna", "ban-duration=600;target-user-id=anna", now).as_bytes());
    twitch.inject("demo", removed("CLEARCHAT #demo :bert", "target-user-id=bert", now).as_bytes());
    understood(&app, &twitch, "second").await;
    assert_eq!(names().await, ["anna", "mark"], "who is sent away for a while comes back");
}

/// A line of Twitch about somebody who has done something.
fn done(id: &str, who: &str, more: &str) -> String {
    format!(
        "@id={id};user-id={who};login={who};display-name={who};room-id={DEMO};tmi-sent-ts={};{more} \
         :tmi.twitch.tv USERNOTICE #demo",
        time::OffsetDateTime::now_utc().unix_timestamp() * 1_000,
    )
}

fn by(who: &str, more: &Value) -> Value {
    let mut event = json!({ "user_id": who, "user_login": who, "user_name": who, "broadcaster_user_id": DEMO });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// What came of all that happened: who, for what, and how many coins.
async fn earned(demo: &Session) -> Vec<(String, String, i64)> {
    let events = demo.get("/streamer/reward-events").await.expect(200);
    let of = |event: &Value| {
        let word = |name: &str| event[name].as_str().unwrap().to_owned();
        (word("login"), word("trigger"), event["coins"].as_i64().unwrap_or(0))
    };
    let mut earned: Vec<_> = events.as_array().unwrap().iter().map(of).collect();
    earned.sort();
    earned
}

#[tokio::test]
async fn what_a_chat_and_a_webhook_both_tell_earns_once_in_whatever_order() {
    let (twitch, app, demo) = stage().await;
    for (trigger, coins) in [
        ("twitch_subscribe", 100),
        ("twitch_resub_message", 200),
        ("twitch_gift_sub", 300),
        ("twitch_raid", 400),
        ("twitch_cheer", 500),
    ] {
        demo.post("/streamer/rewards", &json!({ "trigger": trigger, "coins": coins })).await.expect(200);
    }
    let raid = |who: &str| {
        json!({ "from_broadcaster_user_id": who, "from_broadcaster_user_login": who, "from_broadcaster_user_name": who,
                "to_broadcaster_user_id": DEMO, "viewers": 12 })
    };
    let mut expected = Vec::new();
    for (round, order) in permutations(3).into_iter().enumerate() {
        let who = |what: &str| format!("{what}{round}");
        let cheer = format!(
            "@bits=70;id=cheer{round};user-id=cheerer{round};display-name=cheerer{round};room-id={DEMO};tmi-sent-ts={} \
             :cheerer{round}!c@c PRIVMSG #demo :cheer70",
            time::OffsetDateTime::now_utc().unix_timestamp() * 1_000,
        );
        let deeds = [
            (
                done(&who("s"), &who("sub"), "msg-id=sub;msg-param-sub-plan=1000"),
                notice("channel.subscribe", &by(&who("sub"), &json!({ "tier": "1000", "is_gift": false }))),
            ),
            (
                done(&who("r"), &who("resub"), "msg-id=resub;msg-param-cumulative-months=7"),
                notice("channel.subscription.message", &by(&who("resub"), &json!({ "cumulative_months": 7 }))),
            ),
            (
                done(&who("g"), &who("giver"), "msg-id=submysterygift;msg-param-mass-gift-count=5"),
                notice("channel.subscription.gift", &by(&who("giver"), &json!({ "total": 5 }))),
            ),
            // The two count viewers at two moments.
            (
                done(&who("x"), &who("raider"), "msg-id=raid;msg-param-viewerCount=10"),
                notice("channel.raid", &raid(&who("raider"))),
            ),
            (cheer, notice("channel.cheer", &by(&who("cheerer"), &json!({ "bits": 70 })))),
        ];
        // The line is read twice, as by two processes.
        for (step, part) in order.iter().enumerate() {
            for (line, notice) in &deeds {
                match part {
                    0 | 1 => twitch.inject("demo", line.as_bytes()),
                    _ => assert_eq!(tell(&app, notice).await.status, 204),
                }
            }
            understood(&app, &twitch, &format!("mark {round} {step}")).await;
        }
        for (who, trigger, coins) in [
            (who("sub"), "twitch_subscribe", 100),
            (who("resub"), "twitch_resub_message", 200),
            (who("giver"), "twitch_gift_sub", 300),
            (who("raider"), "twitch_raid", 400),
            (who("cheerer"), "twitch_cheer", 500),
        ] {
            expected.push((who, trigger.to_owned(), coins));
        }
    }
    expected.sort();
    assert_eq!(earned(&demo).await, expected);
}

#[tokio::test]
async fn two_deeds_of_one_kind_are_two_and_those_of_another_chat_are_none() {
    let (twitch, app, demo) = stage().await;
    demo.post("/streamer/rewards", &json!({ "trigger": "twitch_gift_sub", "coins": 1, "per": 1 })).await.expect(200);
    let gift = |id: &str, count: u32, more: &str| {
        done(id, "anna", &format!("msg-id=submysterygift;msg-param-mass-gift-count={count};{more}"))
    };
    for line in [
        gift("a", 5, ""),
        gift("b", 5, ""),
        gift("c", 7, "source-room-id=99"),
        done("d", "anna", "msg-id=subgift;msg-param-community-gift-id=1"),
        done("e", "ananonymousgifter", "msg-id=subgift"),
        done("f", "anna", "msg-id=announcement"),
    ] {
        twitch.inject("demo", line.as_bytes());
    }
    understood(&app, &twitch, "lines").await;
    // The webhooks of the first two, and one of which the chat says nothing.
    for _ in 0..3 {
        let told = notice("channel.subscription.gift", &by("anna", &json!({ "total": 5 })));
        assert_eq!(tell(&app, &told).await.status, 204);
        // Told again.
        assert_eq!(tell(&app, &told).await.status, 204);
        app.drain().await;
    }
    let expected = vec![("anna".to_owned(), "twitch_gift_sub".to_owned(), 5); 3];
    assert_eq!(earned(&demo).await, expected);
}
