//! The switch of a channel's bot, and where a bot that is silent stops.

use std::time::Duration;

use chat::simulator::twitch::Fault;
use harness::{Session, wait_until};
use serde_json::json;

use crate::{
    bots::{becomes, say},
    twitch::{joined, knowing, recorded, said, simulator, system},
};

#[tokio::test]
async fn a_bot_is_switched_per_platform_and_says_only_what_it_may() {
    let twitch = simulator().await;
    let app = system(&twitch).start().await;
    let demo = app.login("demo", "streamer").await;
    let bots = demo.get("/streamer/bots").await.expect(200);
    let providers: Vec<_> = bots.as_array().unwrap().iter().map(|bot| bot["provider"].as_str().unwrap()).collect();
    assert_eq!(providers, ["twitch", "vkvideo", "youtube", "trovo", "kick"]);
    assert!(bots.as_array().unwrap().iter().all(|bot| bot["enabled"] == false && bot["updatedAt"].is_null()));

    let off = demo.post("/streamer/bot/say", &json!({ "message": "hi" })).await;
    assert_eq!((off.status.as_u16(), off.error_code()), (400, "BOT_DISABLED"));
    for path in ["/streamer/bots/myspace/diagnostics", "/streamer/bots/myspace/bot"] {
        let unknown = demo.get(path).await;
        assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "FEATURE_NOT_AVAILABLE"), "{path}");
    }
    let absent = demo.patch("/streamer/bots/kick", &json!({ "enabled": true })).await;
    assert_eq!((absent.status.as_u16(), absent.error_code()), (404, "FEATURE_NOT_AVAILABLE"));
    sqlx::query("delete from channel_accounts").execute(app.pool()).await.unwrap();
    let unlinked = demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await;
    assert_eq!((unlinked.status.as_u16(), unlinked.error_code()), (400, "TWITCH_CHANNEL_NOT_LINKED"));
    sqlx::query("insert into channel_accounts (channel_id, platform, login) select id, 'twitch', slug from channels")
        .execute(app.pool())
        .await
        .unwrap();

    let on = demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    assert_eq!((&on["provider"], &on["enabled"]), (&json!("twitch"), &json!(true)));
    joined(&twitch, "demo", 1).await;
    for (message, status) in
        [("a".repeat(500), 200), ("a".repeat(501), 400), (" ".to_owned(), 400), ("я".repeat(501), 400)]
    {
        demo.post("/streamer/bot/say", &json!({ "message": message })).await.expect(status);
    }
    for order in ["/ban ann", " .timeout ann", "\u{200b}/me waves"] {
        let refused = demo.post("/streamer/bot/say", &json!({ "message": order })).await.expect(400);
        let detail =
            "message: the message begins like an order to the platform (/ban, .ban), which a bot does not give";
        assert_eq!(refused["detail"], detail, "{order:?}");
    }
    recorded(&app, 1).await;
    assert_eq!(said(&twitch, "demo"), ["a".repeat(500)]);
    let kick = demo.post("/streamer/bot/say", &json!({ "message": "hi", "provider": "kick" })).await;
    assert_eq!((kick.status.as_u16(), kick.error_code()), (400, "BOT_DISABLED"));
    // As a later release would: two bots are on.
    sqlx::query("insert into bot_integrations (channel_id, provider, enabled) select id, 'kick', true from channels")
        .execute(app.pool())
        .await
        .unwrap();
    let several = demo.post("/streamer/bot/say", &json!({ "message": "hi" })).await.expect(400);
    assert_eq!(several["enabledProviders"], json!(["twitch", "kick"]));

    demo.patch("/streamer/bots/twitch", &json!({ "enabled": false })).await.expect(200);
    joined(&twitch, "demo", 0).await;
    assert_eq!(twitch.received("PART", "demo").len(), 1);
    let viewer = app.login("anna", "viewer").await;
    viewer.get("/streamer/bots").await.expect(403);
    app.anonymous().get("/streamer/bots").await.expect(401);
}

/// Names of the checks that are not well.
pub(crate) async fn ill(streamer: &Session, provider: &str) -> Vec<String> {
    let found = streamer.get(&format!("/streamer/bots/{provider}/diagnostics")).await.expect(200);
    let checks = found["checks"].as_array().unwrap();
    let ill: Vec<String> =
        checks.iter().filter(|it| it["ok"] == false).map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found["ok"], ill.is_empty(), "{found}");
    ill
}

#[tokio::test]
async fn a_streamer_whose_bot_is_silent_sees_where_it_stops() {
    let twitch = simulator().await;
    let mut quiet = system(&twitch).pools(&[]).start().await;
    quiet.leaves_jobs_behind();
    let demo = quiet.login("demo", "streamer").await;
    assert_eq!(ill(&demo, "twitch").await, ["enabled", "reader", "session", "sender"]);
    assert_eq!(ill(&demo, "kick").await, ["available"]);
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    say(&demo, "is anybody there?").await;
    quiet.advance(Duration::from_secs(121)).await;
    assert_eq!(ill(&demo, "twitch").await, ["reader", "session", "sender", "outbox"]);
    let found = demo.get("/streamer/bots/twitch/diagnostics").await.expect(200);
    assert_eq!((&found["waiting"], &found["customBot"]), (&json!(1), &json!(false)));

    let busy = knowing(&twitch, quiet.beside()).start().await;
    let demo = busy.login("demo", "streamer").await;
    joined(&twitch, "demo", 1).await;
    wait_until("all is well", async || ill(&demo, "twitch").await.is_empty().then_some(())).await;
    let found = demo.get("/streamer/bots/twitch/diagnostics").await.expect(200);
    assert_eq!((&found["account"], &found["channelLogin"]), (&json!("memalerts_bot"), &json!("demo")));
    twitch.fault(Fault::Refuse { code: "msg_banned".to_owned() });
    let banned = say(&demo, "banned").await;
    becomes(&demo, &banned, "failed").await;
    let found = demo.get("/streamer/bots/twitch/diagnostics").await.expect(200);
    assert_eq!(found["lastFailure"]["lastError"], "msg_banned");
    assert_eq!(found["lastFailure"]["status"], "failed");
    assert_eq!(ill(&demo, "twitch").await, ["said"]);
    assert!(found["checks"].to_string().contains("/unban"), "{found}");
    // Somebody has let it in again.
    busy.advance(Duration::from_secs(1)).await;
    let heard = say(&demo, "thank you").await;
    becomes(&demo, &heard, "sent").await;
    assert!(ill(&demo, "twitch").await.is_empty());

    let boss = busy.login("boss", "admin").await;
    boss.post("/admin/queues/outbox/pause", &json!({ "reason": "the night" })).await.expect(200);
    let found = demo.get("/streamer/bots/twitch/diagnostics").await.expect(200);
    assert_eq!(ill(&demo, "twitch").await, ["sender"]);
    assert!(found["checks"].to_string().contains("the night"), "{found}");
    boss.post("/admin/queues/outbox/resume", &json!({})).await.expect(200);
    // The first message may have been said before the chat was read; this one comes after all of them.
    wait_until("the last message is recorded", async || {
        let texts = "select count(*) from chat_messages where text = 'thank you'";
        let recorded: i64 = sqlx::query_scalar(texts).fetch_one(busy.pool()).await.unwrap();
        (recorded == 1).then_some(())
    })
    .await;
    busy.drain().await;
}
