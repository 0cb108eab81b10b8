//! A state is good once, for ten minutes, in the browser, at the platform and in the session that it was made for.

use std::time::Duration;

use domain::identities::Provider;
use reqwest::Method;

use super::{Visitor, counts, system};

/// No session was opened, and nothing was linked.
#[track_caller]
fn refused(answer: &harness::Answer) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "OAUTH_STATE_MISMATCH"), "{}", answer.text);
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_state_is_good_once() {
    let (platforms, app) = system().await;
    for provider in [Provider::Twitch, Provider::Oidc, Provider::Kick] {
        let visitor = Visitor::new(&app);
        let address = visitor.depart(&format!("/auth/{provider}")).await;
        let back = visitor.consent(address, "anna").await;
        assert_eq!(visitor.get(&back).await.status, 302);
        let asked = platforms.requests().len();
        refused(&visitor.get(&back).await);
        assert_eq!(platforms.requests().len(), asked, "the platform was asked with a used code");
    }
}

#[tokio::test]
async fn of_many_who_come_back_with_one_state_one_gets_in() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    let address = visitor.depart("/auth/twitch").await;
    let back = visitor.consent(address, "anna").await;
    let answers = futures_util::future::join_all((0..16).map(|_| visitor.get(&back))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 302).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.error_code() == "OAUTH_STATE_MISMATCH").count(), 15);
    assert_eq!(counts(&app).await, (1, 1, 1));
}

#[tokio::test]
async fn a_state_is_good_in_the_browser_that_it_was_made_for_and_another_one_does_not_spoil_it() {
    let (_platforms, app) = system().await;
    let attacker = Visitor::new(&app);
    let address = attacker.depart("/auth/github").await;
    let back = attacker.consent(address, "mallory").await;
    // Neither a victim without a login of its own nor one with one is logged in as the attacker.
    let idle = Visitor::new(&app);
    refused(&idle.get(&back).await);
    let busy = Visitor::new(&app);
    busy.depart("/auth/github").await;
    refused(&busy.get(&back).await);
    busy.set_cookie("login_dev", "x");
    refused(&busy.get(&back).await);
    assert_eq!(counts(&app).await, (0, 0, 0));
    assert_eq!(attacker.get(&back).await.status, 302);
}

#[tokio::test]
async fn a_code_of_another_browser_does_not_pass_where_the_platform_checks_who_began() {
    let (_platforms, app) = system().await;
    for provider in
        [Provider::Google, Provider::GitHub, Provider::Vk, Provider::Kick, Provider::Discord, Provider::Oidc]
    {
        let thief = Visitor::new(&app);
        let own = thief.depart(&format!("/auth/{provider}")).await;
        let own = thief.consent(own, "mallory").await;
        let victim = Visitor::new(&app);
        let theirs = victim.depart(&format!("/auth/{provider}")).await;
        let theirs = victim.consent(theirs, "anna").await;
        let part = |back: &str, name: &str| {
            let query = back.split_once('?').unwrap().1.to_owned();
            query.split('&').find(|part| part.starts_with(&format!("{name}="))).unwrap_or_default().to_owned()
        };
        let mixed = own.replace(&part(&own, "code"), &part(&theirs, "code"));
        let answer = thief.get(&mixed).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "OAUTH_FAILED"), "{provider}");
    }
    assert_eq!(counts(&app).await, (0, 0, 0));
}

#[tokio::test]
async fn a_state_is_good_at_its_own_platform_and_for_its_own_purpose() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    let address = visitor.depart("/auth/twitch").await;
    let back = visitor.consent(address, "anna").await;
    let (_, query) = back.split_once('?').unwrap();
    for other in ["/auth/kick/callback", "/auth/oidc/callback", "/auth/twitch/link/callback"] {
        refused(&visitor.get(&format!("{other}?{query}")).await);
    }
    assert_eq!(visitor.get(&back).await.status, 302);
    let address = visitor.depart("/auth/kick/link").await;
    let back = visitor.consent(address, "mallory").await;
    refused(&visitor.get(&back.replace("/link/callback", "/callback")).await);
    assert_eq!(visitor.get(&back).await.status, 302);
}

#[tokio::test]
async fn who_takes_longer_than_ten_minutes_begins_anew() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    let slow = visitor.depart("/auth/twitch").await;
    let slow = visitor.consent(slow, "anna").await;
    app.advance(Duration::from_secs(599)).await;
    let quick = visitor.depart("/auth/twitch").await;
    let quick = visitor.consent(quick, "anna").await;
    app.advance(Duration::from_secs(2)).await;
    refused(&visitor.get(&slow).await);
    assert_eq!(visitor.get(&quick).await.status, 302);
    // Those that nobody came back with are not kept.
    visitor.depart("/auth/twitch").await;
    let kept: i64 = sqlx::query_scalar("select count(*) from oauth_states").fetch_one(app.pool()).await.unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn made_up_and_missing_states_are_refused() {
    let (_platforms, app) = system().await;
    let visitor = Visitor::new(&app);
    visitor.depart("/auth/twitch").await;
    let long = "x".repeat(5000);
    for state in ["", "x", "%00", "'%20or%201=1--", &long] {
        let answer = visitor.get(&format!("/auth/twitch/callback?code=x&state={state}")).await;
        assert!(["OAUTH_STATE_MISMATCH", "VALIDATION_ERROR"].contains(&answer.error_code()), "{}", answer.text);
        answer.expect(400);
    }
    for path in ["/auth/twitch/callback", "/auth/twitch/callback?code=x", "/auth/twitch/callback?error=access_denied"] {
        refused(&visitor.get(path).await);
    }
}

#[tokio::test]
async fn a_link_ends_in_the_session_that_began_it() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    let address = anna.depart("/auth/kick/link").await;
    let back = anna.consent(address, "kicker").await;
    // Somebody else logs in at the same browser meanwhile.
    anna.log_in(Provider::Twitch, "bert").await;
    refused(&anna.get(&back).await);
    assert_eq!(anna.accounts().await.len(), 1);
}

#[tokio::test]
async fn a_link_of_a_session_that_has_ended_is_refused() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    let address = anna.depart("/auth/kick/link").await;
    let back = anna.consent(address, "kicker").await;
    assert_eq!(anna.send(Method::POST, "/auth/logout").await.status, 204);
    let answer = anna.get(&back).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (401, "UNAUTHORIZED"));
    assert_eq!(counts(&app).await, (1, 1, 0));
}

#[tokio::test]
async fn a_link_survives_the_minutes_of_an_access_token() {
    let (_platforms, app) = system().await;
    let anna = Visitor::new(&app);
    anna.log_in(Provider::Twitch, "anna").await;
    let address = anna.depart("/auth/kick/link?redirect_to=/linked").await;
    let back = anna.consent(address, "kicker").await;
    // As when it ended while the person was at the platform: browsers drop it then.
    let token = anna.cookie("token_dev").unwrap();
    anna.forget_cookie("token_dev");
    assert_eq!(anna.get(&back).await.header("location"), "/linked");
    anna.set_cookie("token_dev", &token);
    assert_eq!(anna.accounts().await.len(), 2);
}

#[tokio::test]
async fn nobody_links_without_a_session() {
    let (_platforms, app) = system().await;
    let nobody = Visitor::new(&app);
    nobody.get("/auth/kick/link").await.expect(401);
    nobody.get("/auth/youtube/link/force-ssl").await.expect(401);
    nobody.get("/auth/accounts").await.expect(401);
    refused(&nobody.get("/auth/kick/link/callback?code=x&state=y").await);
}
