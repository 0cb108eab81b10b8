//! Who speaks in chats: one account for all channels, a channel's own, or whom the settings name.

use std::{sync::Arc, time::Duration};

use domain::identities::Provider;
use harness::{Builder, Session, TestApp, wait_until};
use identity::simulator::{Fault, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::identities::{self, Visitor};

/// A system without an account of its own in the settings.
async fn stage(change: impl FnOnce(Builder) -> Builder) -> (Simulator, TestApp) {
    let platforms = identities::simulator().await;
    let builder = identities::knowing(&platforms, TestApp::builder().pools(&[harness::Pool::Outbox]));
    // Without a simulated chat there is nobody to write to but the API.
    let app = change(builder.env("TWITCH_IRC_URL", "ws://127.0.0.1:9").env("TWITCH_IRC_SEND_URL", "irc://127.0.0.1:9"));
    (platforms, app.start().await)
}

/// A browser with the session of somebody whom the dev login has let in.
pub(crate) async fn browser(app: &TestApp, login: &str, role: &str) -> (Visitor, Session) {
    let session = app.login(login, role).await;
    let visitor = Visitor::new(app);
    visitor.set_cookie("token_dev", session.token.as_deref().unwrap());
    (visitor, session)
}

/// The streamer `demo`, whose bot is on.
async fn demo(app: &TestApp) -> (Visitor, Session) {
    let (visitor, session) = browser(app, "demo", "streamer").await;
    session.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    (visitor, session)
}

async fn entitle(boss: &Session, demo: &Session) {
    let channel = demo.get("/me").await.expect(200)["channelId"].clone();
    let wish = json!({ "key": "custom_bot", "channelId": channel });
    boss.post("/owner/entitlements/grant", &wish).await.expect(200);
}

pub(crate) async fn link_default(boss: &Visitor, login: &str) {
    let answer = boss.travel("/owner/bots/twitch/default/link?redirect_to=/done", login).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/done"), "{}", answer.text);
}

async fn link_own(demo: &Visitor, login: &str) {
    let answer = demo.travel("/streamer/bots/twitch/bot/link?redirect_to=/done", login).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/done"), "{}", answer.text);
}

/// Has it said, and waits until it is in this state.
async fn say(demo: &Session, text: &str, status: &str) -> Value {
    let body = demo.post("/streamer/bot/say", &json!({ "message": text })).await.expect(200);
    let path = format!("/streamer/bot/outbox/twitch/{}", body["outbox"]["id"].as_str().unwrap());
    wait_until(&format!("{text} is {status}"), async || {
        let body = demo.get(&path).await.expect(200);
        (body["status"] == status).then_some(body)
    })
    .await
}

/// Who has said what, in order.
fn said(platforms: &Simulator) -> Vec<(String, String)> {
    platforms.said().into_iter().map(|said| (said.sender, said.text)).collect()
}

fn pairs(said: &[(String, String)]) -> Vec<(&str, &str)> {
    said.iter().map(|(sender, text)| (sender.as_str(), text.as_str())).collect()
}

#[tokio::test]
async fn the_channels_own_account_goes_before_the_one_for_all_while_there_is_a_right_to_it() {
    let (platforms, app) = stage(|builder| builder).await;
    let (boss, admin) = browser(&app, "boss", "admin").await;
    let (streamer, demo) = demo(&app).await;
    let other = app.login("other", "streamer").await;
    other.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);

    let none = admin.get("/owner/bots/twitch/default/status").await.expect(200);
    assert_eq!((&none["enabled"], none.get("externalAccountId")), (&json!(false), None));
    link_default(&boss, "house_bot").await;
    let speaks = async || demo.get("/streamer/bots/twitch/diagnostics").await.expect(200)["account"].clone();
    assert_eq!(speaks().await, "house_bot");
    let house = admin.get("/owner/bots/twitch/default/status").await.expect(200);
    assert_eq!((&house["enabled"], &house["login"]), (&json!(true), &json!("house_bot")));
    say(&demo, "one", "sent").await;
    say(&other, "two", "sent").await;

    let refused = streamer.get("/streamer/bots/twitch/bot/link").await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (403, "SUBSCRIPTION_REQUIRED"));
    assert_eq!(demo.get("/streamer/entitlements/custom-bot").await.expect(200)["entitled"], false);
    entitle(&admin, &demo).await;
    assert_eq!(demo.get("/streamer/entitlements/custom-bot").await.expect(200)["entitled"], true);
    link_own(&streamer, "demo_bot").await;
    let own = demo.get("/streamer/bots/twitch/bot").await.expect(200);
    assert_eq!((&own["enabled"], &own["login"]), (&json!(true), &json!("demo_bot")));
    assert_eq!((&own["lockedBySubscription"], &own["needsRelink"]), (&json!(false), &json!(false)));
    assert_eq!(speaks().await, "demo_bot");
    say(&demo, "three", "sent").await;
    say(&other, "four", "sent").await;

    let channel = demo.get("/me").await.expect(200)["channelId"].clone();
    let taking = json!({ "key": "custom_bot", "channelId": channel });
    assert_eq!(admin.post("/owner/entitlements/revoke", &taking).await.status, 204);
    assert_eq!(demo.get("/streamer/bots/twitch/bot").await.expect(200)["lockedBySubscription"], true);
    say(&demo, "five", "sent").await;
    entitle(&admin, &demo).await;
    say(&demo, "six", "sent").await;

    // The account cannot be unlinked while it speaks, and the problem says what to do first.
    let account = own["externalAccountId"].as_str().unwrap();
    let kept = demo.delete(&format!("/auth/accounts/{account}")).await;
    assert_eq!((kept.status.as_u16(), kept.error_code()), (409, "CONFLICT"));
    assert_eq!(kept.json["hint"], "DELETE /streamer/bots/twitch/bot (per-channel)");
    let house_account = house["externalAccountId"].as_str().unwrap();
    let kept = admin.delete(&format!("/auth/accounts/{house_account}")).await;
    assert_eq!(kept.json["hint"], "DELETE /owner/bots/twitch/default (global)");
    assert_eq!(demo.delete(&format!("/auth/accounts/{house_account}")).await.status, 404, "it is not theirs");

    assert_eq!(demo.delete("/streamer/bots/twitch/bot").await.expect(200)["enabled"], false);
    assert_eq!(demo.delete("/streamer/bots/twitch/bot").await.status, 404);
    say(&demo, "seven", "sent").await;
    assert_eq!(admin.delete("/owner/bots/twitch/default").await.expect(200)["enabled"], false);
    let expected = [
        ("house_bot", "one"),
        ("house_bot", "two"),
        ("demo_bot", "three"),
        ("house_bot", "four"),
        ("house_bot", "five"),
        ("demo_bot", "six"),
        ("house_bot", "seven"),
    ];
    assert_eq!(pairs(&said(&platforms)), expected);
    let acts: Vec<String> =
        sqlx::query_scalar("select act from people_acts where act like '%bot%' and act <> 'switch_bot' order by id")
            .fetch_all(app.pool())
            .await
            .unwrap();
    assert_eq!(acts, ["link_default_bot", "link_bot_account", "remove_bot_account", "remove_default_bot"]);
}

#[tokio::test]
async fn an_account_that_is_linked_to_speak_does_not_become_the_channels_own() {
    let (_platforms, mut app) = stage(|builder| builder).await;
    // The channel loses its account under the hands of whoever has Twitch tell of it.
    app.leaves_jobs_behind();
    let (_, boss) = browser(&app, "boss", "admin").await;
    let (visitor, demo) = demo(&app).await;
    entitle(&boss, &demo).await;
    link_own(&visitor, "demobot").await;
    let switch = async |on: bool| demo.patch("/streamer/bots/twitch", &json!({ "enabled": on })).await;
    let named = async || -> Option<String> {
        sqlx::query_scalar("select login from channel_accounts").fetch_optional(app.pool()).await.unwrap()
    };
    switch(false).await.expect(200);
    switch(true).await.expect(200);
    assert_eq!(named().await.as_deref(), Some("demo"));
    switch(false).await.expect(200);
    sqlx::query("delete from channel_accounts").execute(app.pool()).await.unwrap();
    let refused = switch(true).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "TWITCH_CHANNEL_NOT_LINKED"));
    assert_eq!(named().await, None);
}

#[tokio::test]
async fn only_who_may_says_who_speaks() {
    let (_platforms, app) = stage(|builder| builder).await;
    let (streamer, session) = demo(&app).await;
    let (_, boss) = browser(&app, "boss", "admin").await;
    assert_eq!(session.get("/owner/bots/twitch/default/status").await.status, 403);
    assert_eq!(streamer.get("/owner/bots/twitch/default/link").await.status, 403);
    assert_eq!(session.delete("/owner/bots/twitch/default").await.status, 403);
    for platform in ["twitch", "youtube", "vkvideo", "trovo", "kick"] {
        boss.get(&format!("/owner/bots/{platform}/default/status")).await.expect(200);
        session.get(&format!("/streamer/bots/{platform}/bot")).await.expect(200);
    }
    // A right that goes while the browser is away.
    entitle(&boss, &session).await;
    let address = streamer.depart("/streamer/bots/twitch/bot/link").await;
    let back = streamer.consent(address, "demo_bot").await;
    let channel = session.get("/me").await.expect(200)["channelId"].clone();
    let taking = json!({ "key": "custom_bot", "channelId": channel });
    assert_eq!(boss.post("/owner/entitlements/revoke", &taking).await.status, 204);
    let late = streamer.get(&back).await;
    assert_eq!((late.status.as_u16(), late.error_code()), (403, "SUBSCRIPTION_REQUIRED"));
    assert_eq!(session.get("/streamer/bots/twitch/bot").await.expect(200)["enabled"], false);
}

#[tokio::test]
async fn where_nobody_has_a_seat_the_settings_say_who_speaks() {
    let (platforms, mut app) = stage(|builder| builder.env("TWITCH_SCOPES", "chat:read user:write:chat")).await;
    let visitor = Visitor::new(&app);
    let me = visitor.log_in(Provider::Twitch, "old_bot").await;
    app.leaves_jobs_behind();
    app.stop();
    let subject = Simulator::subject(Provider::Twitch, "old_bot");
    for (name, value) in [("CHAT_BOT_USER_ID", me["id"].as_str().unwrap()), ("CHAT_BOT_TWITCH_USER_ID", &*subject)] {
        let builder = identities::knowing(&platforms, app.beside().pools(&[harness::Pool::Outbox]));
        let builder = builder.env("TWITCH_IRC_URL", "ws://127.0.0.1:9").env(name, value);
        let mut app = builder.start().await;
        let (_, demo) = demo(&app).await;
        say(&demo, name, "sent").await;
        app.leaves_jobs_behind();
        app.stop();
    }
    assert_eq!(pairs(&said(&platforms)), [("old_bot", "CHAT_BOT_USER_ID"), ("old_bot", "CHAT_BOT_TWITCH_USER_ID")]);
}

#[tokio::test]
async fn what_the_platform_says_decides_what_becomes_of_a_message() {
    let (platforms, app) = stage(|builder| builder).await;
    let (boss, _) = browser(&app, "boss", "admin").await;
    let (_, demo) = demo(&app).await;
    link_default(&boss, "house_bot").await;
    let meet = |fault: Fault| platforms.fault(Provider::Twitch, fault);
    say(&demo, "first", "sent").await;

    meet(Fault::HelixDrop { code: "msg_rejected".to_owned() });
    assert_eq!(say(&demo, "rejected", "failed").await["lastError"], "msg_rejected");
    meet(Fault::HelixLost);
    let doubtful = say(&demo, "lost", "unknown").await;
    assert!(
        doubtful["lastError"].as_str().unwrap().contains("no word")
            || !doubtful["lastError"].as_str().unwrap().is_empty(),
        "{doubtful}"
    );
    meet(Fault::HelixExpired);
    say(&demo, "with a new token", "sent").await;

    let later = async |fault: Fault, text: &str, wait: u64| {
        meet(fault);
        let body = demo.post("/streamer/bot/say", &json!({ "message": text })).await.expect(200);
        let path = format!("/streamer/bot/outbox/twitch/{}", body["outbox"]["id"].as_str().unwrap());
        wait_until("it is put off", async || {
            let body = demo.get(&path).await.expect(200);
            (body["status"] == "pending" && body.get("lastError").is_some()).then_some(())
        })
        .await;
        app.advance(Duration::from_secs(wait)).await;
        wait_until("it is said after all", async || {
            (demo.get(&path).await.expect(200)["status"] == "sent").then_some(())
        })
        .await;
        // The clock has gone on, so that streams are asked for, too: that must not meet the next fault.
        app.drain().await;
    };
    later(Fault::HelixLimited { reset: Some(20) }, "after the limit", 25).await;
    later(Fault::HelixLimited { reset: None }, "after a wait", 70).await;
    later(Fault::HelixStatus { status: 503 }, "when it is back", 70).await;
    let texts: Vec<String> = platforms.said().into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["first", "lost", "with a new token", "after the limit", "after a wait", "when it is back"]);
}

#[tokio::test]
async fn an_account_that_was_taken_back_is_passed_over_and_asked_for_no_more() {
    let (platforms, app) = stage(|builder| builder).await;
    let (boss, admin) = browser(&app, "boss", "admin").await;
    let (streamer, demo) = demo(&app).await;
    entitle(&admin, &demo).await;
    link_default(&boss, "house_bot").await;
    link_own(&streamer, "demo_bot").await;
    say(&demo, "one", "sent").await;
    let renewals = || platforms.requests().iter().filter(|seen| seen.grant == "refresh_token").count();
    platforms.revoke(Provider::Twitch, "demo_bot");
    let body = demo.post("/streamer/bot/say", &json!({ "message": "two" })).await.expect(200);
    let path = format!("/streamer/bot/outbox/twitch/{}", body["outbox"]["id"].as_str().unwrap());
    wait_until("the own account is out", async || {
        (demo.get("/streamer/bots/twitch/bot").await.expect(200)["needsRelink"] == true).then_some(())
    })
    .await;
    app.advance(Duration::from_secs(30)).await;
    wait_until("the other one says it", async || (demo.get(&path).await.expect(200)["status"] == "sent").then_some(()))
        .await;
    let tried = renewals();
    assert_eq!(tried, 1);
    for number in 0..5 {
        say(&demo, &format!("more {number}"), "sent").await;
    }
    assert_eq!(renewals(), tried, "nobody asks again");
    platforms.revoke(Provider::Twitch, "house_bot");
    demo.post("/streamer/bot/say", &json!({ "message": "three" })).await.expect(200);
    wait_until("the house's account is out, too", async || {
        (admin.get("/owner/bots/twitch/default/status").await.expect(200)["needsRelink"] == true).then_some(())
    })
    .await;
    assert_eq!(renewals(), tried + 1);
    // Linked again, it speaks again.
    link_own(&streamer, "demo_bot").await;
    say(&demo, "five", "sent").await;
    assert_eq!(said(&platforms).last().unwrap().0, "demo_bot");
}

#[tokio::test]
async fn whatever_is_said_through_the_api_is_one_message_and_no_order() {
    let (platforms, app) = stage(|builder| builder).await;
    let (boss, _) = browser(&app, "boss", "admin").await;
    let (_, demo) = demo(&app).await;
    link_default(&boss, "house_bot").await;
    for text in ["a\r\nPRIVMSG #other :b\0", "...and so", &"я".repeat(256), &"a".repeat(500), "\u{1f600} /ban anna"] {
        say(&demo, text, "sent").await;
    }
    for said in platforms.said() {
        assert!(!said.text.chars().any(char::is_control), "{said:?}");
        assert!(!said.text.starts_with(['/', '.']), "{said:?}");
        assert!(said.text.chars().count() <= 500, "{said:?}");
    }
    assert_eq!(platforms.said().len(), 5);
    for order in ["/ban anna", ".ban anna", "\u{200b}/me waves"] {
        demo.post("/streamer/bot/say", &json!({ "message": order })).await.expect(400);
    }
}

#[tokio::test]
async fn what_a_linked_account_may_have_said_is_settled_by_reading_it_in_the_chat() {
    let twitch = Arc::new(crate::twitch::simulator().await);
    let platforms = identities::simulator().await;
    let builder = identities::knowing(&platforms, TestApp::builder());
    let app = crate::twitch::knowing(&twitch, builder).start().await;
    let (boss, _) = browser(&app, "boss", "admin").await;
    let (_, demo) = demo(&app).await;
    link_default(&boss, "house_bot").await;
    crate::twitch::joined(&twitch, "demo", 1).await;
    let chat = twitch.clone();
    platforms.listen(move |said| chat.say(&said.channel, &said.sender, &said.text));
    say(&demo, "one", "sent").await;
    platforms.fault(Provider::Twitch, Fault::HelixLost);
    say(&demo, "two", "sent").await;
    // Both came from us, and neither is a viewer's.
    crate::twitch::recorded(&app, 2).await;
    let read_back = "select count(*) from outbox_messages where read_back_at is not null and account = 'house_bot'";
    wait_until("both are read back", async || {
        let count: i64 = sqlx::query_scalar(read_back).fetch_one(app.pool()).await.unwrap();
        (count == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_login_that_asks_for_little_does_not_take_away_what_a_bot_was_granted() {
    let (platforms, app) = stage(|builder| builder).await;
    let (_, admin) = browser(&app, "boss", "admin").await;
    let (streamer, demo) = demo(&app).await;
    entitle(&admin, &demo).await;
    link_own(&streamer, "demo_bot").await;
    say(&demo, "one", "sent").await;
    let visitor = Visitor::new(&app);
    visitor.log_in(Provider::Twitch, "demo_bot").await;
    say(&demo, "two", "sent").await;
    assert_eq!(pairs(&said(&platforms)), [("demo_bot", "one"), ("demo_bot", "two")]);
    let scopes = "select 'user:write:chat' = any(scopes) from external_accounts where login = 'demo_bot'";
    assert!(sqlx::query_scalar::<_, bool>(scopes).fetch_one(app.pool()).await.unwrap());
}

#[tokio::test]
async fn nobody_is_an_admin_by_the_account_that_speaks_for_all() {
    let (_platforms, app) = stage(|builder| builder).await;
    let (boss, admin) = browser(&app, "boss", "admin").await;
    link_default(&boss, "house_bot").await;
    let stranger = Visitor::new(&app);
    let refused = stranger.travel("/auth/twitch", "house_bot").await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (403, "FORBIDDEN"), "{}", refused.text);
    assert_eq!(stranger.get("/me").await.status, 401);
    // Once it is a person's account like others, it is a way in like others.
    admin.delete("/owner/bots/twitch/default").await.expect(200);
    let back = Visitor::new(&app);
    assert_eq!(back.log_in(Provider::Twitch, "house_bot").await["login"], "boss");
}

#[tokio::test]
async fn nobody_gives_away_their_only_way_in() {
    let (_platforms, app) = stage(|builder| builder).await;
    let chief = Visitor::new(&app);
    let id = chief.log_in(Provider::Twitch, "chief").await["id"].clone();
    sqlx::query("update users set role = 'admin' where id::text = $1")
        .bind(id.as_str().unwrap())
        .execute(app.pool())
        .await
        .unwrap();
    let seat = "/owner/bots/twitch/default/link?redirect_to=/done";
    let refused = chief.travel(seat, "chief").await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "LAST_ACCOUNT"), "{}", refused.text);
    assert_eq!(chief.get("/owner/bots/twitch/default/status").await.expect(200)["enabled"], false);

    // With another way in it may speak; then that one is the last.
    chief.link(Provider::Kick, "chief").await;
    link_default(&chief, "chief").await;
    let kick = chief.accounts().await.into_iter().find(|account| account["provider"] == "kick").unwrap();
    let path = format!("/auth/accounts/{}", kick["id"].as_str().unwrap());
    let refused = chief.send(Method::DELETE, &path).await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "LAST_ACCOUNT"), "{}", refused.text);
    assert_eq!(Visitor::new(&app).log_in(Provider::Kick, "chief").await["id"], id);
}

#[tokio::test]
async fn the_log_says_who_spoke_before_and_how_switches_were() {
    let (_platforms, app) = stage(|builder| builder).await;
    let (boss, admin) = browser(&app, "boss", "admin").await;
    let (_, demo) = demo(&app).await;
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    demo.post("/streamer/bot/disable", &json!({})).await.expect(200);
    demo.post("/streamer/bot/follow-greetings/enable", &json!({})).await.expect(200);
    link_default(&boss, "house_bot").await;
    link_default(&boss, "new_bot").await;
    admin.delete("/owner/bots/twitch/default").await.expect(200);
    let wish = json!({ "kind": "overlay", "name": "OBS", "expiresAt": "2099-01-01T00:00:00Z" });
    demo.post("/streamer/tokens", &wish).await.expect(201);
    let log = async |act: &str| -> Vec<(Value, Value)> {
        let page = admin.get(&format!("/owner/audit?act={act}")).await.expect(200);
        let acts = page["acts"].as_array().unwrap().iter().rev();
        acts.map(|act| (act["before"].clone(), act["after"].clone())).collect()
    };
    let (on, off) = (json!({ "twitch": true }), json!({ "twitch": false }));
    assert_eq!(log("switch_bot").await, [(off.clone(), on.clone()), (on, off)], "the same again is no act");
    let (on, off) = (json!({ "followGreetingsEnabled": true }), json!({ "followGreetingsEnabled": false }));
    let greetings = log("change_follow_greetings").await;
    assert_eq!(greetings.len(), 1, "{greetings:?}");
    for (said, expected) in [(&greetings[0].0, off), (&greetings[0].1, on)] {
        assert_eq!(said["followGreetingsEnabled"], expected["followGreetingsEnabled"], "{said}");
    }
    let (house, new) = (json!({ "twitch": "house_bot" }), json!({ "twitch": "new_bot" }));
    assert_eq!(log("link_default_bot").await, [(Value::Null, house.clone()), (house, new.clone())]);
    assert_eq!(log("remove_default_bot").await, [(new, Value::Null)]);
    assert_eq!(log("create_token").await[0].1["expiresAt"], "2099-01-01T00:00:00Z");
}
