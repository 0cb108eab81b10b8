//! Auto-moderation: what bots do about messages that a channel does not want.

use std::time::Duration;

use chat::simulator::twitch::Simulator;
use harness::{Session, TestApp, wait_until};
use serde_json::{Value, json};

use crate::{
    bot_accounts::{browser, link_default},
    identities,
    twitch::{joined, said, simulator},
};

const AUTOMOD: &str = "/streamer/bot/automod";
const ACTS: &str = "/streamer/bot/automod/acts";
const PERMITS: &str = "/streamer/bot/automod/permits";

/// A chat, the platform's API, and the channel `demo` whose bot is on.
struct Hall {
    twitch: Simulator,
    platforms: identity::simulator::Simulator,
    app: TestApp,
    demo: Session,
}

impl Hall {
    async fn open(settings: &Value) -> Self {
        let (twitch, platforms) = (simulator().await, identities::simulator().await);
        let builder = identities::knowing(&platforms, TestApp::builder());
        let app = crate::twitch::knowing(&twitch, builder).start().await;
        let demo = app.login("demo", "streamer").await;
        demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
        let channel = "select account is not null from channel_accounts where channel_id = (select id from channels where slug = 'demo')";
        wait_until("the channel's id is known", async || {
            sqlx::query_scalar::<_, bool>(channel).fetch_one(app.pool()).await.unwrap().then_some(())
        })
        .await;
        joined(&twitch, "demo", 1).await;
        demo.patch(AUTOMOD, settings).await.expect(200);
        Self { twitch, platforms, app, demo }
    }

    /// With an account that may moderate.
    async fn with_bot(settings: &Value) -> Self {
        let hall = Self::open(settings).await;
        let (boss, _) = browser(&hall.app, "boss", "admin").await;
        link_default(&boss, "house_bot").await;
        hall
    }

    /// Somebody writes, with these badges, under this id.
    fn write(&self, id: &str, who: &str, badges: &str, text: &str) {
        let millis = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        let line = format!(
            "@badges={badges};display-name={who};id={id};room-id=1;tmi-sent-ts={millis};user-id={who} \
             :{who}!{who}@{who} PRIVMSG #demo :{text}"
        );
        self.twitch.inject("demo", line.as_bytes());
    }

    /// All that was written is understood, and what follows from it is done.
    async fn settle(&self, messages: i64) {
        let recorded = "select count(*) from chat_messages";
        wait_until(&format!("{messages} messages are recorded"), async || {
            let count: i64 = sqlx::query_scalar(recorded).fetch_one(self.app.pool()).await.unwrap();
            (count >= messages).then_some(())
        })
        .await;
        self.app.drain().await;
    }

    /// What was decided: whose message, by which rule, what, for how many seconds, and how it ended; the oldest first.
    async fn acts(&self) -> Vec<(String, String, String, i64, String)> {
        let acts = self.demo.get(ACTS).await.expect(200);
        let word = |act: &Value, name: &str| act[name].as_str().unwrap().to_owned();
        let of = |act: &Value| {
            let seconds = act["seconds"].as_i64().unwrap_or(0);
            (word(act, "login"), word(act, "rule"), word(act, "action"), seconds, word(act, "status"))
        };
        let mut acts: Vec<_> = acts.as_array().unwrap().iter().map(of).collect();
        acts.reverse();
        acts
    }

    /// What the platform was told to do, in order: by whom, and how.
    fn orders(&self) -> Vec<(String, String)> {
        let calls = self.platforms.calls().into_iter().filter(|call| call.path.starts_with("/helix/moderation/"));
        calls
            .map(|call| {
                let query = call.path.split_once('?').map_or("", |(_, query)| query);
                let message = query.split('&').find_map(|pair| pair.strip_prefix("message_id=")).unwrap_or_default();
                let data = &call.body["data"];
                let person = data["user_id"].as_str().unwrap_or_default();
                let seconds = data["duration"].as_i64().map_or(String::new(), |seconds| format!(" {seconds}"));
                let what = call.path.split('?').next().unwrap().rsplit('/').next().unwrap();
                (call.caller, format!("{what} {message}{person}{seconds}"))
            })
            .collect()
    }
}

fn act(who: &str, rule: &str, action: &str, seconds: i64, status: &str) -> (String, String, String, i64, String) {
    (who.to_owned(), rule.to_owned(), action.to_owned(), seconds, status.to_owned())
}

fn all() -> Value {
    json!({
        "enabled": true, "linksAction": "delete", "allowedHosts": ["clips.twitch.tv"], "capsAction": "warn",
        "repeatsAction": "delete", "repeatsMost": 2, "zalgoAction": "timeout", "timeoutSeconds": 30, "exempt": ["vip"]
    })
}

#[tokio::test]
async fn what_a_channel_does_not_want_is_taken_away_and_not_answered() {
    let hall = Hall::with_bot(&all()).await;
    for (id, who, badges, text) in [
        ("m1", "anna", "", "hello"),
        ("m2", "anna", "", "!memes at evil.com"),
        ("m3", "bert", "", "WHY IS NOBODY LISTENING TO ME"),
        ("m4", "carl", "", "h\u{300}\u{301}\u{302}\u{303}\u{304}i"),
        ("m5", "dora", "", "a clip: https://clips.twitch.tv/x"),
        ("m6", "mod", "moderator/1", "see evil.com"),
        ("m7", "demo", "broadcaster/1", "see evil.com"),
        ("m8", "vera", "vip/1", "see evil.com"),
    ] {
        hall.write(id, who, badges, text);
    }
    hall.settle(8).await;
    let expected = [
        act("anna", "links", "delete", 0, "done"),
        act("bert", "caps", "warn", 0, "done"),
        act("carl", "zalgo", "timeout", 30, "done"),
    ];
    assert_eq!(hall.acts().await, expected);
    let mut orders = hall.orders();
    orders.sort();
    let by = |what: &str| ("house_bot".to_owned(), what.to_owned());
    assert_eq!(orders, [by("bans carl 30"), by("chat m2"), by("chat m3"), by("warnings bert")]);
    assert_eq!(said(&hall.twitch, "demo"), [""; 0], "nobody answers what is taken away");
    assert_eq!(hall.platforms.said().len(), 0);
    let acts = hall.demo.get(ACTS).await.expect(200);
    assert_eq!((&acts[0]["doneBy"], &acts[2]["message"]), (&json!("house_bot"), &json!("!memes at evil.com")));
    let first = hall.demo.get(&format!("{ACTS}?limit=2")).await;
    assert_eq!((first.json.as_array().unwrap().len(), first.header("x-has-more")), (2, "true"));
    let rest = hall.demo.get(&format!("{ACTS}?limit=2&cursor={}", first.header("x-next-cursor"))).await.expect(200);
    assert_eq!(rest.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_says_the_same_again_and_again_is_heard_so_often_as_the_channel_bears_it() {
    let hall = Hall::with_bot(&all()).await;
    for number in 1..=4 {
        hall.write(&format!("m{number}"), "anna", "", if number % 2 == 0 { "First" } else { "first" });
        hall.settle(number).await;
    }
    hall.write("n1", "bert", "", "first");
    hall.write("n2", "anna", "", "second");
    hall.write("n3", "carl", "", "kek kek kek");
    hall.settle(7).await;
    let repeated = |who: &str| act(who, "repeats", "delete", 0, "done");
    assert_eq!(hall.acts().await, [repeated("anna"), repeated("anna"), repeated("carl")]);
    // A line that is read twice is judged once.
    hall.write("n3", "carl", "", "kek kek kek");
    hall.write("n4", "dora", "", "hello");
    hall.settle(8).await;
    assert_eq!(hall.acts().await.len(), 3);
}

#[tokio::test]
async fn a_permit_lets_one_person_link_for_a_while() {
    let hall = Hall::with_bot(&json!({ "enabled": true, "permitSeconds": 60 })).await;
    let link = "see evil.com";
    hall.write("m1", "anna", "", "!permit anna");
    hall.write("m2", "mod", "moderator/1", "!permit @Anna");
    hall.settle(2).await;
    wait_until("it is said in the chat", async || {
        let said: Vec<String> = hall.platforms.said().into_iter().map(|said| said.text).collect();
        (said == ["anna may post links for 60 s"]).then_some(())
    })
    .await;
    hall.write("m3", "anna", "", link);
    hall.write("m4", "bert", "", link);
    hall.settle(4).await;
    let acts = [act("bert", "links", "delete", 0, "done")];
    assert_eq!(hall.acts().await, acts);
    let listed = hall.demo.get(PERMITS).await.expect(200);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["login"]), (1, &json!("anna")));
    let made = hall.demo.post(PERMITS, &json!({ "login": "@Bert" })).await.expect(201);
    hall.write("m5", "bert", "", link);
    hall.settle(5).await;
    assert_eq!(hall.acts().await.len(), 1);
    let path = format!("{PERMITS}/{}", made["id"].as_str().unwrap());
    assert_eq!(hall.demo.delete(&path).await.expect(200), json!({ "ok": true }));
    assert_eq!(hall.demo.delete(&path).await.status, 404);
    hall.write("m6", "bert", "", link);
    hall.settle(6).await;
    assert_eq!(hall.acts().await.len(), 2);
    hall.app.advance(Duration::from_secs(61)).await;
    joined(&hall.twitch, "demo", 1).await;
    assert_eq!(hall.demo.get(PERMITS).await.expect(200), json!([]));
    hall.write("m7", "anna", "", link);
    hall.settle(7).await;
    assert_eq!(hall.acts().await.len(), 3);
    for wrong in [
        json!({ "login": "" }),
        json!({ "login": "a b" }),
        json!({ "login": "a", "seconds": 4 }),
        json!({ "login": "a", "provider": "kick" }),
    ] {
        let refused = hall.demo.post(PERMITS, &wrong).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let other = hall.app.login("other", "streamer").await;
    let made = hall.demo.post(PERMITS, &json!({ "login": "carl" })).await.expect(201);
    assert_eq!(other.delete(&format!("{PERMITS}/{}", made["id"].as_str().unwrap())).await.status, 404);
    assert_eq!(other.get(PERMITS).await.expect(200), json!([]));
}

#[tokio::test]
async fn who_does_not_stop_is_kept_out_for_longer_each_time() {
    let settings = json!({ "enabled": true, "timeoutSeconds": 30, "escalateAfter": 2, "escalateWithinMinutes": 10 });
    let hall = Hall::with_bot(&settings).await;
    for number in 1..=4 {
        hall.write(&format!("m{number}"), "anna", "", &format!("evil{number}.com"));
    }
    hall.settle(4).await;
    let decided: Vec<(String, i64)> = hall.acts().await.into_iter().map(|act| (act.2, act.3)).collect();
    let is = |action: &str, seconds| (action.to_owned(), seconds);
    assert_eq!(decided, [is("delete", 0), is("delete", 0), is("timeout", 30), is("timeout", 60)]);
    hall.app.advance(Duration::from_secs(601)).await;
    joined(&hall.twitch, "demo", 1).await;
    hall.write("m5", "anna", "", "evil5.com");
    hall.settle(5).await;
    assert_eq!(hall.acts().await.pop().unwrap().2, "delete", "what is long ago counts no more");
}

#[tokio::test]
async fn who_may_moderate_does_it_and_where_nobody_may_the_streamer_sees_why() {
    let hall = Hall::open(&json!({ "enabled": true })).await;
    hall.write("m1", "anna", "", "evil.com");
    hall.settle(1).await;
    let acts = hall.demo.get(ACTS).await.expect(200);
    assert_eq!(acts[0]["status"], "failed");
    assert!(acts[0]["error"].as_str().unwrap().contains("moderator:manage:chat_messages"), "{acts}");
    let (boss, _) = browser(&hall.app, "boss", "admin").await;
    link_default(&boss, "house_bot").await;
    hall.platforms.estrange("house_bot");
    hall.write("m2", "anna", "", "evil.com");
    hall.settle(2).await;
    let acts = hall.demo.get(ACTS).await.expect(200);
    assert_eq!(acts[0]["status"], "failed");
    assert!(acts[0]["error"].as_str().unwrap().contains("house_bot: not allowed"), "{acts}");
    // A limit that passes is waited for.
    let limited = identity::simulator::Fault::HelixLimited { reset: Some(20) };
    link_default(&boss, "second_bot").await;
    hall.platforms.fault(domain::identities::Provider::Twitch, limited);
    hall.write("m3", "anna", "", "evil.com");
    hall.settle(3).await;
    wait_until("it is put off", async || {
        let acts = hall.demo.get(ACTS).await.expect(200);
        (acts[0]["status"] == "pending" && acts[0].get("error").is_some()).then_some(())
    })
    .await;
    hall.app.advance(Duration::from_secs(30)).await;
    wait_until("it is done", async || (hall.acts().await[2].4 == "done").then_some(())).await;
    assert_eq!(hall.orders().pop().unwrap(), ("second_bot".to_owned(), "chat m3".to_owned()));
}

#[tokio::test]
async fn the_diagnostics_tell_what_cannot_be_moderated_while_somebody_wants_it() {
    let hall = Hall::open(&json!({ "enabled": true })).await;
    let ill = async || crate::bot_switches::ill(&hall.demo, "twitch").await.contains(&"moderation".to_owned());
    assert!(!ill().await, "nothing was to be done");
    hall.write("m1", "anna", "", "evil.com");
    hall.settle(1).await;
    assert!(ill().await);
    let found = hall.demo.get("/streamer/bots/twitch/diagnostics").await.expect(200)["checks"].to_string();
    assert!(found.contains("moderator:manage:chat_messages"), "{found}");
    assert!(found.contains("(/mod)"), "it says what to do: {found}");
    hall.demo.patch(AUTOMOD, &json!({ "enabled": false })).await.expect(200);
    assert!(!ill().await, "nobody wants it");
    hall.demo.patch(AUTOMOD, &json!({ "enabled": true })).await.expect(200);
    assert!(ill().await);
    let (boss, _) = browser(&hall.app, "boss", "admin").await;
    link_default(&boss, "house_bot").await;
    hall.write("m2", "anna", "", "evil.com");
    hall.settle(2).await;
    assert!(!ill().await, "{:?}", hall.acts().await);
}

#[tokio::test]
async fn settings_are_checked_noted_and_hold_from_then_on() {
    let mut hall = Hall::with_bot(&json!({ "enabled": false })).await;
    hall.app.leaves_jobs_behind();
    hall.write("m1", "anna", "", "evil.com");
    hall.settle(1).await;
    let changed = hall.demo.patch(AUTOMOD, &json!({ "enabled": true, "allowedHosts": ["https://Good.com/x"] })).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["enabled"], &changed["allowedHosts"]), (&json!(true), &json!(["good.com"])));
    assert_eq!(hall.demo.get(AUTOMOD).await.expect(200), changed);
    hall.write("m2", "anna", "", "good.com and sub.good.com");
    hall.write("m3", "anna", "", "notgood.com");
    hall.settle(3).await;
    assert_eq!(hall.acts().await, [act("anna", "links", "delete", 0, "done")]);
    assert_eq!(hall.demo.patch(AUTOMOD, &json!({})).await.expect(200), changed, "nothing is to be changed");
    for wrong in [
        json!({ "capsPercent": 9 }),
        json!({ "allowedHosts": ["no host"] }),
        json!({ "linksAction": "ban" }),
        json!({ "exempt": ["follower"] }),
        json!({ "timeoutSeconds": 1_209_601 }),
    ] {
        let refused = hall.demo.patch(AUTOMOD, &wrong).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let acts: Vec<String> = sqlx::query_scalar("select act from people_acts where act = 'change_automod'")
        .fetch_all(hall.app.pool())
        .await
        .unwrap();
    assert_eq!(acts.len(), 2);
    // After a month nobody knows any more.
    hall.app.advance(Duration::from_hours(24 * 31)).await;
    wait_until("it is forgotten", async || {
        let left: i64 =
            sqlx::query_scalar("select count(*) from automod_acts").fetch_one(hall.app.pool()).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
}
