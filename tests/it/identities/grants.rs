//! What platforms gave us: given back when it is not needed any more, and asked about where they demand it.

use std::time::Duration;

use domain::identities::Provider;
use harness::{Pool, TestApp, wait_until};
use identity::simulator::{Fault, Simulator};
use reqwest::Method;
use serde_json::Value;

use super::{Visitor, knowing, simulator};

/// The API and the pool that speaks with platforms.
async fn system() -> (Simulator, TestApp) {
    let simulator = simulator().await;
    let app = knowing(&simulator, TestApp::builder().pools(&[Pool::Outbox])).start().await;
    (simulator, app)
}

/// How clients were answered at this door of the platform.
fn answers(platforms: &Simulator, provider: Provider, door: &str) -> Vec<u16> {
    let seen = platforms.requests().into_iter().filter(|seen| seen.provider == provider.as_str() && seen.door == door);
    seen.map(|seen| seen.status).collect()
}

async fn unlink(visitor: &Visitor, account: &Value) -> u16 {
    let path = format!("/auth/accounts/{}", account["id"].as_str().unwrap());
    visitor.send(Method::DELETE, &path).await.status.as_u16()
}

#[tokio::test]
async fn tokens_of_an_account_that_is_unlinked_are_given_back_where_the_platform_takes_them() {
    let (platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::GitHub, "anna").await;
    let taking =
        [Provider::Twitch, Provider::Google, Provider::YouTube, Provider::VkVideo, Provider::Kick, Provider::Trovo];
    for provider in taking {
        anna.link(provider, "anna_there").await;
        let account = anna.accounts().await.pop().unwrap();
        assert_eq!(account["provider"], provider.as_str());
        assert_eq!(unlink(&anna, &account).await, 204);
        app.drain().await;
        let told = answers(&platforms, provider, "revoke");
        assert_eq!(told.first(), Some(&200), "{provider}: {told:?}");
    }
    // Who takes nothing back is not asked.
    anna.link(Provider::Discord, "anna_there").await;
    let account = anna.accounts().await.pop().unwrap();
    assert_eq!(unlink(&anna, &account).await, 204);
    app.drain().await;
    assert_eq!(answers(&platforms, Provider::Discord, "revoke"), Vec::<u16>::new());
    let kept: i64 = sqlx::query_scalar("select count(*) from revoked_grants").fetch_one(app.pool()).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn tokens_of_who_is_forgotten_are_given_back() {
    let (platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    anna.link(Provider::Kick, "anna_there").await;
    assert_eq!(anna.send(Method::DELETE, "/users/me").await.status, 202);
    app.drain().await;
    for provider in [Provider::Twitch, Provider::Kick] {
        assert_eq!(answers(&platforms, provider, "revoke").first(), Some(&200), "{provider}");
    }
}

#[tokio::test]
async fn a_platform_in_trouble_is_told_again_later() {
    let (platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    anna.link(Provider::Kick, "kicker").await;
    platforms.fault(Provider::Kick, Fault::RevokeStatus { status: 503 });
    let account = anna.accounts().await.pop().unwrap();
    assert_eq!(unlink(&anna, &account).await, 204);
    wait_until("it was told", async || (!answers(&platforms, Provider::Kick, "revoke").is_empty()).then_some(())).await;
    app.drain().await;
    let kept: (i64, bool) =
        sqlx::query_as("select count(*), bool_and(octet_length(access_token) > 40) from revoked_grants")
            .fetch_one(app.pool())
            .await
            .unwrap();
    assert_eq!(kept, (1, true), "sealed, until the platform has heard");
    app.advance(Duration::from_secs(15)).await;
    app.drain().await;
    // The access token ends the grant; the refresh token is none by then.
    assert_eq!(answers(&platforms, Provider::Kick, "revoke"), [503, 200, 200]);
}

#[tokio::test]
async fn twitch_is_asked_every_hour_and_who_took_the_grant_back_is_asked_to_link_again() {
    let (platforms, app) = system().await;
    app.drain().await;
    let (anna, bert) = (Visitor::new(&app), Visitor::new(&app));
    anna.log_in(Provider::Twitch, "anna").await;
    bert.log_in(Provider::Twitch, "bert").await;
    bert.link(Provider::Kick, "kicker").await;
    let hour = async || {
        app.advance(Duration::from_hours(1)).await;
        app.drain().await;
    };
    hour().await;
    assert_eq!(answers(&platforms, Provider::Twitch, "validate"), [200, 200]);
    platforms.revoke(Provider::Twitch, "anna");
    hour().await;
    let mut asked = answers(&platforms, Provider::Twitch, "validate").split_off(2);
    asked.sort_unstable();
    assert_eq!(asked, [200, 401]);
    let needs = |accounts: Vec<Value>| accounts[0]["needsRelink"] == true;
    let relinked: Vec<String> =
        sqlx::query_scalar("select login from external_accounts where relink_reason is not null")
            .fetch_all(app.pool())
            .await
            .unwrap();
    assert_eq!(relinked, ["anna"]);
    // From then on there is nothing to be asked about.
    hour().await;
    assert_eq!(answers(&platforms, Provider::Twitch, "validate").len(), 5);
    assert_eq!(answers(&platforms, Provider::Kick, "validate"), Vec::<u16>::new());
    anna.log_in(Provider::Twitch, "anna").await;
    assert!(!needs(anna.accounts().await));
}

#[tokio::test]
async fn a_platform_that_does_not_answer_about_a_token_costs_nobody_a_grant() {
    let (platforms, app) = system().await;
    app.drain().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    platforms.fault(Provider::Twitch, Fault::ValidateStatus { status: 503 });
    platforms.fault(Provider::Twitch, Fault::ValidateStatus { status: 403 });
    app.advance(Duration::from_hours(1)).await;
    for _ in 0..3 {
        app.drain().await;
        app.advance(Duration::from_secs(90)).await;
    }
    app.drain().await;
    assert_eq!(answers(&platforms, Provider::Twitch, "validate"), [503, 403, 200]);
    let left: i64 = sqlx::query_scalar("select count(*) from external_accounts where access_token is not null")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(left, 1);
}
