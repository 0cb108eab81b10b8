//! What Twitch is asked to tell us, and what is asked for where it does not.

use std::time::Duration;

use domain::identities::Provider;
use harness::{Session, TestApp, wait_until};
use identity::simulator::{Fault, Simulator};
use serde_json::{Value, json};

use crate::identities;

const KINDS: usize = 10;

async fn stage() -> (Simulator, TestApp) {
    let platforms = identities::simulator().await;
    let builder = TestApp::builder().pools(&[harness::Pool::Outbox, harness::Pool::Chat]);
    let builder = identities::knowing(&platforms, builder).env("TWITCH_IRC_URL", "ws://127.0.0.1:9");
    (platforms, builder.start().await)
}

async fn switch(streamer: &Session, enabled: bool) {
    streamer.patch("/streamer/bots/twitch", &json!({ "enabled": enabled })).await.expect(200);
}

fn enabled(platforms: &Simulator) -> usize {
    platforms.subscriptions().iter().filter(|subscription| subscription["status"] == "enabled").count()
}

async fn subscribed(platforms: &Simulator, count: usize) {
    wait_until(&format!("{count} subscriptions are enabled"), async || (enabled(platforms) == count).then_some(()))
        .await;
}

/// Both clocks go on: what a platform says of another time is not believed.
async fn later(platforms: &Simulator, app: &TestApp, by: Duration) {
    platforms.advance(by);
    app.advance(by).await;
}

fn account(login: &str) -> String {
    Simulator::subject(Provider::Twitch, login)
}

async fn live(app: &TestApp) -> bool {
    sqlx::query_scalar("select live_since is not null from channels where slug = 'demo'")
        .fetch_one(app.pool())
        .await
        .unwrap()
}

async fn is_live(app: &TestApp, expected: bool) {
    wait_until(&format!("live: {expected}"), async || (live(app).await == expected).then_some(())).await;
}

#[tokio::test]
async fn what_a_bot_needs_is_subscribed_while_it_is_on_and_repaired_when_it_ends() {
    let (platforms, app) = stage().await;
    let demo = app.login("demo", "streamer").await;
    switch(&demo, true).await;
    // Twitch has asked our callback for its challenge.
    subscribed(&platforms, KINDS).await;
    let all: Vec<Value> = platforms.subscriptions();
    assert!(all.iter().all(|one| one["condition"].to_string().contains(&account("demo"))), "{all:?}");

    platforms.lose_subscriptions();
    later(&platforms, &app, Duration::from_mins(11)).await;
    subscribed(&platforms, KINDS).await;
    platforms.revoke_subscriptions("channel.cheer", "notification_failures_exceeded").await;
    subscribed(&platforms, KINDS).await;

    let other = app.login("other", "streamer").await;
    switch(&other, true).await;
    subscribed(&platforms, 2 * KINDS).await;
    switch(&demo, false).await;
    subscribed(&platforms, KINDS).await;
    assert!(platforms.subscriptions().iter().all(|one| one["condition"].to_string().contains(&account("other"))));
}

#[tokio::test]
async fn what_the_streamer_has_not_granted_is_not_asked_for_again_and_again() {
    let (platforms, app) = stage().await;
    platforms.forbid("channel.follow", true);
    let demo = app.login("demo", "streamer").await;
    switch(&demo, true).await;
    subscribed(&platforms, KINDS - 1).await;
    app.drain().await;
    let asked = || {
        let is_it =
            |call: &&identity::simulator::ApiCall| call.method == "POST" && call.body["type"] == "channel.follow";
        platforms.calls().iter().filter(is_it).count()
    };
    assert_eq!(asked(), 1);
    later(&platforms, &app, Duration::from_mins(11)).await;
    app.drain().await;
    assert_eq!(asked(), 1, "not within the hour");
    platforms.forbid("channel.follow", false);
    // Who switches the bot again asks for all of it.
    switch(&demo, true).await;
    subscribed(&platforms, KINDS).await;
}

#[tokio::test]
async fn what_the_platform_does_not_tell_is_named_where_the_streamer_looks_for_it() {
    let (platforms, app) = stage().await;
    platforms.forbid("channel.follow", true);
    let demo = app.login("demo", "streamer").await;
    let other = app.login("other", "streamer").await;
    switch(&demo, true).await;
    subscribed(&platforms, KINDS - 1).await;
    app.drain().await;
    let events = async |who: &Session| crate::bot_switches::ill(who, "twitch").await.contains(&"events".to_owned());
    assert!(events(&demo).await);
    let told = async || demo.get("/streamer/bots/twitch/diagnostics").await.expect(200)["checks"].to_string();
    let found = told().await;
    assert!(found.contains("does not tell us of channel.follow (forbidden): "), "{found}");
    assert!(!events(&other).await, "another channel's");
    // What was granted once is taken back.
    platforms.forbid("channel.cheer", true);
    platforms.revoke_subscriptions("channel.cheer", "authorization_revoked").await;
    wait_until("both are named", async || {
        let found = told().await;
        (found.contains("channel.cheer (") && found.contains("channel.follow (forbidden)")).then_some(())
    })
    .await;
    app.drain().await;
    for kind in ["channel.follow", "channel.cheer"] {
        platforms.forbid(kind, false);
    }
    switch(&demo, true).await;
    subscribed(&platforms, KINDS).await;
    app.drain().await;
    assert!(!events(&demo).await);
}

#[tokio::test]
async fn streams_are_told_and_what_was_not_heard_is_asked_for() {
    let (platforms, app) = stage().await;
    let demo = app.login("demo", "streamer").await;
    switch(&demo, true).await;
    subscribed(&platforms, KINDS).await;
    let event = json!({
        "id": "1", "broadcaster_user_id": account("demo"), "type": "live", "started_at": "2026-11-20T10:00:00Z"
    });
    assert_eq!(platforms.tell("stream.online", &event, None).await, [204]);
    is_live(&app, true).await;
    platforms.set_live("demo", Some("2026-11-20T10:00:00Z"));
    let over = json!({ "broadcaster_user_id": account("demo") });
    assert_eq!(platforms.tell("stream.offline", &over, None).await, [204]);
    is_live(&app, false).await;
    // The platform's list is late: for a while it still has a stream of which it has told the end.
    later(&platforms, &app, Duration::from_mins(2)).await;
    app.drain().await;
    assert!(!live(&app).await);
    // A stream of which nobody told.
    later(&platforms, &app, Duration::from_mins(10)).await;
    is_live(&app, true).await;
    platforms.set_live("demo", None);
    later(&platforms, &app, Duration::from_mins(2)).await;
    is_live(&app, false).await;
}

#[tokio::test]
async fn a_platform_that_is_out_of_sorts_is_asked_again_later() {
    let (platforms, app) = stage().await;
    for fault in [
        Fault::HelixStatus { status: 500 },
        Fault::HelixLimited { reset: Some(5) },
        Fault::HelixJunk,
        Fault::HelixHangUp,
    ] {
        platforms.fault(Provider::Twitch, fault);
    }
    let demo = app.login("demo", "streamer").await;
    switch(&demo, true).await;
    wait_until("all is well in the end", async || {
        later(&platforms, &app, Duration::from_mins(2)).await;
        (enabled(&platforms) == KINDS).then_some(())
    })
    .await;
    assert!(platforms.faults().is_empty());
    // What failed meanwhile comes to its end, too.
    later(&platforms, &app, Duration::from_mins(2)).await;
    app.drain().await;
}
