//! What people did while nobody heard what the platform told.

use std::time::Duration;

use domain::identities::Provider;
use harness::{TestApp, wait_until};
use identity::simulator::Simulator;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    identities::{self, Visitor},
    platform_rewards::balance,
    webhooks::{notice, tell},
};

fn account(login: &str) -> String {
    Simulator::subject(Provider::Twitch, login)
}

/// So many seconds after now.
fn at(seconds: i64) -> String {
    (OffsetDateTime::now_utc() + time::Duration::seconds(seconds)).format(&Rfc3339).unwrap()
}

#[tokio::test]
async fn follows_and_redemptions_that_were_missed_are_found_and_paid_once() {
    let platforms = identities::simulator().await;
    let builder = identities::knowing(&platforms, TestApp::builder());
    let builder = builder
        .env("TWITCH_SCOPES", "chat:read moderator:read:followers channel:read:redemptions")
        .env("TWITCH_EVENTSUB_SECRET", crate::webhooks::SECRET)
        .env("TWITCH_IRC_URL", "ws://127.0.0.1:9");
    let app = builder.start().await;
    let (visitor, demo) = crate::bot_accounts::browser(&app, "demo", "streamer").await;
    let linked = visitor.travel("/auth/twitch/link?redirect_to=/done", "demo").await;
    assert_eq!(linked.status.as_u16(), 302, "{}", linked.text);
    demo.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
    for (trigger, coins) in [("twitch_follow", 7), ("twitch_channel_points_redemption", 10)] {
        demo.post("/streamer/rewards", &json!({ "trigger": trigger, "coins": coins })).await.expect(200);
    }
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    // Of before we first look.
    platforms.follow("demo", "oldest", &at(-100_000));
    let looked = async |times: i64| {
        wait_until(&format!("the lists were read {times} times"), async || {
            let runs = "select count(*) from jobs_done where kind = 'find-missed'";
            let runs: i64 = sqlx::query_scalar(runs).fetch_one(app.pool()).await.unwrap();
            if runs < times {
                app.advance(Duration::from_secs(60)).await;
            }
            (runs >= times).then_some(())
        })
        .await;
        app.drain().await;
    };
    looked(1).await;
    wait_until("both lists are known", async || {
        let known: i64 = sqlx::query_scalar("select count(*) from channel_polls").fetch_one(app.pool()).await.unwrap();
        if known < 2 {
            app.advance(Duration::from_secs(660)).await;
        }
        (known == 2).then_some(())
    })
    .await;

    // Nobody is told of these; more than a page.
    let later = 100_000;
    for (number, who) in ["bert", "carl", "dora", "anna"].iter().enumerate() {
        platforms.follow("demo", who, &at(later + i64::try_from(number).unwrap()));
    }
    for id in ["r1", "r2", "r3", "r4"] {
        platforms.redeem("demo", "anna", &at(later), id, "reward");
    }
    platforms.redeem("demo", "dora", &at(later), "r5", "reward");
    // The streamer has looked after two of them meanwhile: one is done, and one was given back.
    platforms.end_redemption("r2", false);
    platforms.end_redemption("r4", true);
    // One that was told is on the list, too.
    let follow = json!({
        "user_id": account("bert"), "user_login": "bert", "user_name": "Bert", "broadcaster_user_id": account("demo")
    });
    let mut told = notice("channel.follow", &follow);
    let now: OffsetDateTime = sqlx::query_scalar("select app_now()").fetch_one(app.pool()).await.unwrap();
    told.timestamp = now.format(&Rfc3339).unwrap();
    assert_eq!(tell(&app, &told).await.status, 204);
    app.drain().await;
    let earned = async || -> Vec<(String, i64)> {
        let events = "select login, sum(coins)::bigint from external_reward_events group by login order by login";
        sqlx::query_as(events).fetch_all(app.pool()).await.unwrap()
    };
    let all: Vec<(String, i64)> =
        [("anna", 37), ("bert", 7), ("carl", 7), ("dora", 17)].map(|(who, coins)| (who.to_owned(), coins)).into();
    app.advance(Duration::from_secs(660)).await;
    wait_until("what was missed is found", async || {
        if earned().await != all {
            app.advance(Duration::from_secs(30)).await;
        }
        (earned().await == all).then_some(())
    })
    .await;
    let before: i64 = sqlx::query_scalar("select count(*) from jobs_done where kind = 'find-missed'")
        .fetch_one(app.pool())
        .await
        .unwrap();
    // The same lists again, and a late webhook of what was found.
    app.advance(Duration::from_secs(660)).await;
    looked(before + 1).await;
    let follow: Value = json!({
        "user_id": account("carl"), "user_login": "carl", "user_name": "Carl", "broadcaster_user_id": account("demo")
    });
    let mut late = notice("channel.follow", &follow);
    let now: OffsetDateTime = sqlx::query_scalar("select app_now()").fetch_one(app.pool()).await.unwrap();
    late.timestamp = now.format(&Rfc3339).unwrap();
    assert_eq!(tell(&app, &late).await.status, 204);
    app.drain().await;
    assert_eq!(earned().await, all);

    // Dora comes and is paid, and what was promised to her is forgotten with time. Then the streamer gives two back, unheard.
    let dora = Visitor::new(&app);
    dora.log_in(Provider::Twitch, "dora").await;
    assert_eq!((balance(&anna).await, balance(&dora).await), (37, 17));
    sqlx::query("delete from pending_grants").execute(app.pool()).await.unwrap();
    for id in ["r1", "r5"] {
        platforms.end_redemption(id, true);
    }
    app.advance(Duration::from_secs(660)).await;
    wait_until("what was given back is taken back", async || {
        let balances = (balance(&anna).await, balance(&dora).await);
        if balances != (27, 7) {
            app.advance(Duration::from_secs(60)).await;
        }
        (balances == (27, 7)).then_some(())
    })
    .await;
    app.drain().await;
    assert_eq!((balance(&anna).await, balance(&dora).await), (27, 7), "once");
}
