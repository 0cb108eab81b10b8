//! Guesses at somebody's password: they find an end, and shut nobody else out.

use std::time::Duration;

use harness::{Answer, Pool, Session, TestApp};
use reqwest::Method;
use serde_json::json;

use crate::{
    mails::{PostOffice, token, verify},
    passwords::{PASSWORD, is, register},
};

const WRONG: &str = "wrong horse battery";

/// Where requests may say from where they come.
async fn behind_a_proxy() -> TestApp {
    TestApp::builder().env("TRUSTED_PROXIES", "127.0.0.1").pools(&[]).start().await
}

async fn log_in_from(app: &TestApp, address: &str, name: &str, password: &str) -> Answer {
    let login = app.anonymous().request(Method::POST, "/auth/login").header("x-forwarded-for", address);
    Session::send(login.json(&json!({ "username": name, "password": password }))).await
}

async fn step_up(session: &Session, password: &str) -> Answer {
    session.post("/auth/step-up", &json!({ "password": password })).await
}

fn locked(answer: &Answer) -> &str {
    is(answer, 429, "RATE_LIMITED");
    answer.json["locked"].as_str().unwrap()
}

#[tokio::test]
async fn a_stranger_who_guesses_shuts_out_their_own_network_only() {
    let app = behind_a_proxy().await;
    let anna = register(&app, "anna").await;
    for number in 0..10 {
        let guess = log_in_from(&app, &format!("203.0.113.{number}"), "anna", WRONG).await;
        is(&guess, 401, "CREDENTIALS_INVALID");
    }
    let neighbour = log_in_from(&app, "203.0.113.200", "anna", PASSWORD).await;
    assert_eq!(locked(&neighbour), "network");
    log_in_from(&app, "198.51.100.1", "anna", PASSWORD).await.expect(200);
    // A household of IPv6 is one, too.
    for number in 0..10 {
        is(&log_in_from(&app, &format!("2001:db8:0:1::{number}"), "anna", WRONG).await, 401, "CREDENTIALS_INVALID");
    }
    assert_eq!(locked(&log_in_from(&app, "2001:db8:0:1:ffff::", "anna", PASSWORD).await), "network");
    log_in_from(&app, "2001:db8:0:2::1", "anna", PASSWORD).await.expect(200);

    // The right one elsewhere gives the guesser nothing back; proofs in a session count apart.
    assert_eq!(locked(&log_in_from(&app, "203.0.113.7", "anna", PASSWORD).await), "network");
    step_up(&anna, PASSWORD).await.expect(204);
    for _ in 0..10 {
        is(&step_up(&anna, WRONG).await, 401, "CREDENTIALS_INVALID");
    }
    assert_eq!(locked(&step_up(&anna, PASSWORD).await), "own_sessions");
    log_in_from(&app, "198.51.100.1", "anna", PASSWORD).await.expect(200);
    app.advance(Duration::from_mins(15)).await;
    step_up(&anna, PASSWORD).await.expect(204);
}

#[tokio::test]
async fn guesses_from_many_networks_find_an_end_and_the_person_still_logs_in_from_where_they_did_before() {
    let app = behind_a_proxy().await;
    register(&app, "anna").await;
    log_in_from(&app, "198.51.100.1", "anna", PASSWORD).await.expect(200);
    for name in ["anna", "nobody"] {
        for number in 0..100 {
            let guess = log_in_from(&app, &format!("203.0.{number}.1"), name, WRONG).await;
            is(&guess, 401, "CREDENTIALS_INVALID");
        }
        // Whether somebody has the name is not told by this either.
        assert_eq!(locked(&log_in_from(&app, "203.0.100.1", name, PASSWORD).await), "account");
    }
    is(&log_in_from(&app, "198.51.100.2", "anna", WRONG).await, 401, "CREDENTIALS_INVALID");
    log_in_from(&app, "198.51.100.2", "anna", PASSWORD).await.expect(200);
    // That one gave the account's budget back, and none but its own network's.
    log_in_from(&app, "203.0.101.1", "anna", PASSWORD).await.expect(200);
    assert_eq!(locked(&log_in_from(&app, "203.0.101.1", "nobody", PASSWORD).await), "account");
    app.advance(Duration::from_mins(60)).await;
    is(&log_in_from(&app, "203.0.101.1", "nobody", PASSWORD).await, 401, "CREDENTIALS_INVALID");
}

#[tokio::test]
async fn whoever_is_guessed_at_from_many_networks_hears_of_it_once_a_day() {
    let office = PostOffice::open();
    let builder = TestApp::builder().env("TRUSTED_PROXIES", "127.0.0.1").pools(&[Pool::Outbox]);
    let app = office.known_to(builder).start().await;
    register(&app, "anna").await;
    verify(&app, &token(&office.mail(0).await)).await.expect(204);
    let guess = async |number: u32| {
        let guess = log_in_from(&app, &format!("203.0.{number}.1"), "anna", WRONG).await;
        is(&guess, 401, "CREDENTIALS_INVALID");
    };
    for number in 0..99 {
        guess(number).await;
    }
    app.drain().await;
    assert_eq!(office.taken().len(), 1);
    guess(99).await;
    let told = office.mail(1).await;
    assert_eq!(told.subject, "Somebody guesses at your password");
    assert!(told.text.contains("codes of an app keep out"), "{}", told.text);
    let refused = log_in_from(&app, "203.0.100.1", "anna", PASSWORD).await;
    assert_eq!(locked(&refused), "account");
    assert!(refused.json["detail"].as_str().unwrap().contains("logged in from lately"), "{}", refused.text);
    app.advance(Duration::from_mins(61)).await;
    for number in 0..100 {
        guess(number).await;
    }
    app.drain().await;
    assert_eq!(office.taken().len(), 2);
}
