//! Commands: what the bots of a channel answer, to whom, and how often.

use std::time::Duration;

use domain::{
    chat::{ChatMessage, Roles},
    chat_commands,
    outbox::Provider,
};
use futures_util::future::join_all;
use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::types::time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    stage::Stage,
    twitch::{recorded, said, simulator, streamer_with_bot, system},
};

const COMMANDS: &str = "/streamer/bot/commands";

/// A system in which nobody reads chats: the story says what was written there.
async fn quiet() -> Stage {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    stage
}

async fn command(streamer: &Session, wish: &Value) -> String {
    streamer.post(COMMANDS, wish).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// What somebody writes on Twitch.
fn message(channel: Uuid, login: &str, text: &str) -> ChatMessage {
    ChatMessage {
        channel_id: channel,
        content_id: Uuid::now_v7().to_string(),
        author_id: format!("id-of-{login}"),
        author_login: login.to_owned(),
        author_name: login.to_owned(),
        roles: Roles::default(),
        text: text.to_owned(),
        sent_at: OffsetDateTime::UNIX_EPOCH,
        foreign: false,
        late: false,
        role_ids: Vec::new(),
    }
}

/// What the bot answers to these messages, which came together.
async fn answered(app: &TestApp, messages: &[ChatMessage]) -> Vec<String> {
    let messages: Vec<&ChatMessage> = messages.iter().collect();
    let mut tx = app.db.begin().await.unwrap();
    let answers = chat_commands::answers(&mut tx, Provider::Twitch, "http://here", &messages).await.unwrap();
    tx.commit().await.unwrap();
    answers.into_iter().map(|answer| answer.text).collect()
}

/// What the bot answers to somebody.
async fn asked(stage: &Stage, login: &str, text: &str) -> Vec<String> {
    answered(&stage.app, &[message(stage.channel_id, login, text)]).await
}

#[tokio::test]
async fn a_viewer_gets_the_streamers_own_answer_in_the_chat() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = streamer_with_bot(&app, &twitch, "demo").await;
    command(
        &demo,
        &json!({ "trigger": "!Hug", "aliases": ["!cuddle"], "response": "{user} hugs {touser}, number {count}" }),
    )
    .await;
    twitch.say("demo", "anna", "!HUG @boris and all");
    recorded(&app, 2).await;
    twitch.say("demo", "boris", "!cuddle");
    recorded(&app, 4).await;
    assert_eq!(said(&twitch, "demo"), ["anna hugs boris, number 1", "boris hugs boris, number 2"]);
    // An answer that a viewer would like to be an order is a line of text.
    command(&demo, &json!({ "trigger": "!echo", "response": "{args}" })).await;
    twitch.say("demo", "anna", "!echo /ban boris");
    recorded(&app, 6).await;
    assert_eq!(said(&twitch, "demo")[2], "ban boris");
}

#[tokio::test]
async fn a_command_is_made_changed_and_deleted_and_what_is_wrong_is_named() {
    let stage = quiet().await;
    let demo = &stage.streamer;
    let made = demo
        .post(
            COMMANDS,
            &json!({ "trigger": " !Hello ", "response": "Hi", "allowedUsers": ["@Lotas"], "allowedRoles": ["follower"] }),
        )
        .await
        .expect(201);
    assert_eq!((&made["trigger"], &made["allowedUsers"]), (&json!("!Hello"), &json!(["lotas"])));
    assert_eq!((&made["enabled"], &made["onlyWhenLive"], &made["uses"]), (&json!(true), &json!(false), &json!(0)));
    assert!(made["notes"][0].as_str().unwrap().starts_with("follower: "), "{made}");
    let path = format!("{COMMANDS}/{}", made["id"].as_str().unwrap());

    for taken in [
        json!({ "trigger": "!HELLO", "response": "x" }),
        json!({ "trigger": "a", "aliases": ["!hello"], "response": "x" }),
    ] {
        let refused = demo.post(COMMANDS, &taken).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "CONFLICT"), "{taken}");
    }
    for (wrong, part) in [
        (json!({ "trigger": "", "response": "x" }), "trigger: 1 to 50"),
        (json!({ "trigger": "a", "response": "x".repeat(451) }), "response: 1 to 450"),
        (json!({ "trigger": "a", "response": "{usr}" }), "response: {usr} is no variable here"),
        (json!({ "trigger": "a", "response": "/ban {user}" }), "begins like an order"),
        (json!({ "trigger": "a", "response": "x", "allowedRoles": ["boss"] }), "allowedRoles"),
        (json!({ "trigger": "a", "response": "x", "allowedUsers": ["a b"] }), "allowedUsers: logins"),
        (json!({ "trigger": "a", "response": "x", "cooldownSeconds": -1 }), "cooldownSeconds: 0 to 86400"),
        (json!({ "trigger": "a", "response": "x", "reply": "x" }), "reply"),
        (json!({ "trigger": "!Permit", "response": "x" }), "is what moderators let people link by"),
        (
            json!({ "trigger": "a", "response": "x", "aliases": ["!permit  me"] }),
            "is what moderators let people link by",
        ),
    ] {
        let refused = demo.post(COMMANDS, &wrong).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
        assert!(refused.text.contains(part), "{wrong}: {}", refused.text);
    }
    demo.patch(&path, &json!({})).await.expect(400);
    let changed = demo.patch(&path, &json!({ "response": "Hey", "allowedRoles": [] })).await.expect(200);
    assert_eq!(
        (&changed["response"], &changed["trigger"], &changed["notes"]),
        (&json!("Hey"), &json!("!Hello"), &json!([]))
    );
    // Its own words are no obstacle to it.
    demo.patch(&path, &json!({ "trigger": "!hello", "aliases": ["!hey"] })).await.expect(200);
    let other = stage.app.login("other", "streamer").await;
    for answer in [other.patch(&path, &json!({ "response": "x" })).await, other.delete(&path).await] {
        assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "NOT_FOUND"));
    }
    other.post(COMMANDS, &json!({ "trigger": "!hello", "response": "elsewhere" })).await.expect(201);
    assert_eq!(demo.delete(&path).await.expect(200), json!({ "ok": true }));
    assert_eq!(demo.get(COMMANDS).await.expect(200), json!([]));
    demo.post(COMMANDS, &json!({ "trigger": "!hey", "response": "free again" })).await.expect(201);
}

#[tokio::test]
async fn commands_come_in_pages_and_are_no_more_than_two_hundred() {
    let stage = quiet().await;
    let demo = &stage.streamer;
    sqlx::query(
        "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response)
         select gen_random_uuid(), $1, '!c' || n, '!c' || n, 'x' from generate_series(100, 298) n",
    )
    .bind(stage.channel_id)
    .execute(stage.app.pool())
    .await
    .unwrap();
    // Of many who make the last one, one does.
    let made = join_all((0..8).map(|number| async move {
        let wish = json!({ "trigger": format!("!last{number}"), "response": "x" });
        demo.post(COMMANDS, &wish).await.status.as_u16()
    }));
    let made = made.await;
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|status| **status == 409).count(), 7, "{made:?}");
    let page = demo.get(&format!("{COMMANDS}?limit=2&offset=1")).await;
    assert_eq!((page.header("X-Total-Count"), page.header("X-Has-More")), ("200", "true"));
    let page = page.expect(200);
    let triggers: Vec<_> =
        page.as_array().unwrap().iter().map(|command| command["trigger"].as_str().unwrap()).collect();
    assert_eq!(triggers, ["!c101", "!c102"]);
}

#[tokio::test]
async fn one_key_makes_one_command() {
    let stage = quiet().await;
    let ask = async |trigger: &str| {
        let request = stage.streamer.request(Method::POST, COMMANDS).header("idempotency-key", "a");
        Session::send(request.json(&json!({ "trigger": trigger, "response": "x" }))).await
    };
    let first = ask("!one").await;
    assert_eq!(first.status, 201);
    let again = join_all((0..4).map(|_| ask("!one"))).await;
    assert!(again.iter().all(|answer| answer.status == 201 && answer.text == first.text));
    assert_eq!(ask("!two").await.error_code(), "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn the_command_with_the_longest_words_answers_and_one_that_is_off_does_not() {
    let stage = quiet().await;
    command(&stage.streamer, &json!({ "trigger": "!memes", "response": "all" })).await;
    let top = command(&stage.streamer, &json!({ "trigger": "!memes top", "response": "top" })).await;
    let word = json!({ "trigger": "discord", "response": "here: discord", "matching": "keyword" });
    command(&stage.streamer, &word).await;
    for (text, answer) in [
        ("!memes", vec!["all"]),
        ("!MEMES  Top  ten", vec!["top"]),
        ("!memes topten", vec!["all"]),
        ("!memestop", vec![]),
        ("so !memes", vec![]),
        ("where is your Discord?", vec!["here: discord"]),
        ("discordant", vec![]),
        ("!memes on discord", vec!["all"]),
    ] {
        assert_eq!(asked(&stage, "anna", text).await, answer, "{text}");
    }
    stage.streamer.patch(&format!("{COMMANDS}/{top}"), &json!({ "enabled": false })).await.expect(200);
    assert_eq!(asked(&stage, "anna", "!memes top").await, ["all"], "what is off is not there");
}

#[tokio::test]
async fn whom_a_command_is_not_for_it_does_not_answer() {
    let stage = quiet().await;
    let wish = json!({ "trigger": "!secret", "response": "hush", "allowedUsers": ["@Lotas"], "allowedRoles": ["vip", "follower"] });
    command(&stage.streamer, &wish).await;
    assert_eq!(asked(&stage, "anna", "!secret").await, [""; 0]);
    assert_eq!(asked(&stage, "lotas", "!secret").await, ["hush"]);
    let vip =
        ChatMessage { roles: Roles { vip: true, ..Roles::default() }, ..message(stage.channel_id, "vera", "!secret") };
    assert_eq!(answered(&stage.app, std::slice::from_ref(&vip)).await, ["hush"]);
    let mut on_kick = stage.app.db.begin().await.unwrap();
    let answers = chat_commands::answers(&mut on_kick, Provider::Kick, "http://here", &[&vip]).await.unwrap();
    assert!(answers.is_empty(), "on Kick the names count only");
}

#[tokio::test]
async fn a_command_for_streams_is_silent_without_one() {
    let stage = quiet().await;
    command(&stage.streamer, &json!({ "trigger": "!now", "response": "{uptime}", "onlyWhenLive": true })).await;
    assert_eq!(asked(&stage, "anna", "!now").await, [""; 0]);
    live(&stage, true).await;
    stage.app.advance(Duration::from_mins(125)).await;
    assert_eq!(asked(&stage, "anna", "!now").await, ["2h 5m"]);
    live(&stage, false).await;
    assert_eq!(asked(&stage, "anna", "!now").await, [""; 0]);
}

/// As the platform's word about the stream.
async fn live(stage: &Stage, live: bool) {
    let mut tx = stage.app.db.begin().await.unwrap();
    domain::channels::set_live(&mut tx, stage.channel_id, live).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_cooldown_holds_for_all_and_one_for_each_viewer_for_each() {
    let stage = quiet().await;
    command(&stage.streamer, &json!({ "trigger": "!all", "response": "all", "cooldownSeconds": 30 })).await;
    command(&stage.streamer, &json!({ "trigger": "!each", "response": "{user}", "userCooldownSeconds": 60 })).await;
    let say = |login: &str, text: &str| message(stage.channel_id, login, text);
    let burst =
        [say("anna", "!all"), say("boris", "!all"), say("anna", "!each"), say("boris", "!each"), say("anna", "!each")];
    assert_eq!(answered(&stage.app, &burst).await, ["all", "anna", "boris"]);
    stage.app.advance(Duration::from_secs(29)).await;
    assert_eq!(asked(&stage, "carla", "!all").await, [""; 0]);
    stage.app.advance(Duration::from_secs(2)).await;
    assert_eq!(answered(&stage.app, &burst).await, ["all"]);
    assert_eq!(asked(&stage, "carla", "!each").await, ["carla"]);
    stage.app.advance(Duration::from_secs(30)).await;
    assert_eq!(answered(&stage.app, &burst).await, ["all", "anna", "boris"]);
    let listed = stage.streamer.get(COMMANDS).await.expect(200);
    let uses: Vec<_> = listed.as_array().unwrap().iter().map(|command| command["uses"].as_i64().unwrap()).collect();
    assert_eq!(uses, [3, 5]);
    assert!(listed[0]["lastUsedAt"].is_string());
}

#[tokio::test]
async fn of_twenty_who_ask_at_once_in_many_processes_one_is_answered_and_every_count_is_its_own() {
    let stage = quiet().await;
    command(&stage.streamer, &json!({ "trigger": "!one", "response": "one", "cooldownSeconds": 5 })).await;
    command(&stage.streamer, &json!({ "trigger": "!many", "response": "{count} {counter:many}" })).await;
    let ask = async |number: usize| {
        // Named in either order: nobody waits for anybody in a circle.
        let mut both = vec![
            message(stage.channel_id, &format!("viewer{number}"), "!one"),
            message(stage.channel_id, &format!("viewer{number}"), "!many"),
        ];
        if number.is_multiple_of(2) {
            both.reverse();
        }
        answered(&stage.app, &both).await
    };
    let mut answers: Vec<String> = join_all((0..20).map(ask)).await.into_iter().flatten().collect();
    answers.sort();
    let mut expected: Vec<String> = (1..=20).map(|number| format!("{number} {number}")).collect();
    expected.push("one".to_owned());
    expected.sort();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn counters_are_counted_said_set_and_deleted() {
    let stage = quiet().await;
    let demo = &stage.streamer;
    command(demo, &json!({ "trigger": "!died", "response": "deaths: {counter:Deaths}" })).await;
    command(demo, &json!({ "trigger": "!deaths", "response": "{peek:deaths} of {peek:never}" })).await;
    assert_eq!(asked(&stage, "anna", "!died").await, ["deaths: 1"]);
    let both = [
        message(stage.channel_id, "anna", "!died"),
        message(stage.channel_id, "boris", "!died"),
        message(stage.channel_id, "boris", "!deaths"),
    ];
    assert_eq!(answered(&stage.app, &both).await, ["deaths: 2", "deaths: 3", "3 of 0"]);
    let listed = demo.get("/streamer/bot/counters").await.expect(200);
    assert_eq!((&listed[0]["name"], &listed[0]["value"]), (&json!("deaths"), &json!(3)));
    demo.put("/streamer/bot/counters/deaths", &json!({ "value": 40 })).await.expect(200);
    assert_eq!(asked(&stage, "anna", "!died").await, ["deaths: 41"]);
    demo.put("/streamer/bot/counters/a%20b", &json!({ "value": 40 })).await.expect(400);
    demo.put("/streamer/bot/counters/most", &json!({ "value": i64::MAX })).await.expect(200);
    command(demo, &json!({ "trigger": "!most", "response": "{counter:most}" })).await;
    assert_eq!(asked(&stage, "anna", "!most").await, [i64::MAX.to_string()], "there is no more");
    demo.delete("/streamer/bot/counters/deaths").await.expect(200);
    demo.delete("/streamer/bot/counters/deaths").await.expect(404);
    assert_eq!(asked(&stage, "anna", "!died").await, ["deaths: 1"]);
}

#[tokio::test]
async fn the_bot_tells_how_long_the_stream_runs_and_a_short_break_does_not_end_it() {
    let stage = quiet().await;
    let (demo, path) = (&stage.streamer, "/streamer/bot/stream-duration");
    let settings = demo.get(path).await.expect(200);
    assert_eq!((&settings["trigger"], &settings["breakCreditMinutes"]), (&json!("!time"), &json!(60)));
    assert_eq!(settings["responseTemplate"], "Stream time: {hours}h {minutes}m ({totalMinutes}m)");
    assert_eq!(asked(&stage, "anna", "!time").await, [""; 0], "there is no stream");
    live(&stage, true).await;
    stage.app.advance(Duration::from_mins(60)).await;
    assert_eq!(asked(&stage, "anna", "!TIME please").await, ["Stream time: 1h 0m (60m)"]);
    live(&stage, false).await;
    stage.app.advance(Duration::from_mins(59)).await;
    live(&stage, true).await;
    stage.app.advance(Duration::from_mins(6)).await;
    assert_eq!(asked(&stage, "anna", "!time").await, ["Stream time: 2h 5m (125m)"], "its break counts");
    live(&stage, false).await;
    stage.app.advance(Duration::from_mins(61)).await;
    live(&stage, true).await;
    stage.app.advance(Duration::from_mins(5)).await;
    assert_eq!(asked(&stage, "anna", "!time").await, ["Stream time: 0h 5m (5m)"], "another stream");

    let before = demo.get(path).await.expect(200);
    assert_eq!(demo.patch(path, &json!({})).await.expect(200), before, "nothing is to be changed");
    for wrong in [
        json!({ "breakCreditMinutes": 1441 }),
        json!({ "responseTemplate": "{count}" }),
        json!({ "trigger": "" }),
        json!({ "responseTemplate": "/ban" }),
    ] {
        assert_eq!(demo.patch(path, &wrong).await.error_code(), "VALIDATION_ERROR", "{wrong}");
    }
    let patch = json!({ "trigger": "!uptime", "responseTemplate": "{totalMinutes}", "onlyWhenLive": false });
    demo.patch(path, &patch).await.expect(200);
    assert_eq!(asked(&stage, "anna", "!time").await, [""; 0]);
    assert_eq!(asked(&stage, "anna", "!uptime").await, ["5"]);
    live(&stage, false).await;
    stage.app.advance(Duration::from_mins(30)).await;
    assert_eq!(asked(&stage, "anna", "!uptime").await, ["5"], "the last stream");
    let taken = demo.post(COMMANDS, &json!({ "trigger": "!Uptime", "response": "x" })).await;
    assert_eq!((taken.status.as_u16(), taken.error_code()), (409, "CONFLICT"));
    command(demo, &json!({ "trigger": "!stream", "response": "x" })).await;
    assert_eq!(demo.patch(path, &json!({ "trigger": "!STREAM" })).await.error_code(), "CONFLICT");
    demo.patch(path, &json!({ "enabled": false })).await.expect(200);
    assert_eq!(asked(&stage, "anna", "!uptime").await, [""; 0]);
}

#[tokio::test]
async fn an_answer_of_a_release_that_knew_fewer_variables_is_said_as_it_is() {
    let stage = quiet().await;
    sqlx::query(
        "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response)
         select gen_random_uuid(), $1, '!old', '!old', 'a } b'",
    )
    .bind(stage.channel_id)
    .execute(stage.app.pool())
    .await
    .unwrap();
    assert_eq!(asked(&stage, "anna", "!old").await, ["a } b"]);
}
