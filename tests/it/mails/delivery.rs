//! Mail servers are away, busy, strict or silent.

use std::time::Duration;

use harness::{Pool, TestApp, wait_until};
use reqwest::Method;
use serde_json::json;

use super::{Mood, PASSWORD, PostOffice, in_russian, log_in, register, system, token, verify};

/// Waits until the one mail's job has failed so many times; its state and what was said of the last time.
async fn failed(app: &TestApp, times: i64) -> (String, String) {
    wait_until("it failed", async || {
        sqlx::query_as(
            "select j.state, a.error from jobs j join job_attempts a on a.job_id = j.id
             where j.kind = 'send-mail' and j.state <> 'running'
               and (select count(*) from job_attempts a where a.job_id = j.id) = $1
             order by a.attempt desc limit 1",
        )
        .bind(times)
        .fetch_optional(app.pool())
        .await
        .unwrap()
    })
    .await
}

#[tokio::test]
async fn a_server_in_trouble_is_tried_again_until_it_takes_the_mail() {
    let (office, app) = system().await;
    for mood in [Mood::Busy, Mood::NotNow, Mood::HangUp] {
        office.mood(mood);
    }
    register(&app, "anna").await;
    for failures in 1..=3 {
        assert_eq!(failed(&app, failures).await.0, "ready");
        assert_eq!(office.taken().len(), 0);
        app.advance(Duration::from_secs(15 << failures)).await;
    }
    verify(&app, &token(&office.mail(0).await)).await.expect(204);
    app.drain().await;
    assert_eq!(office.taken().len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_dead_at_once_and_goes_out_when_somebody_says_so() {
    let (office, mut app) = system().await;
    app.leaves_jobs_behind();
    office.mood(Mood::Never);
    register(&app, "anna").await;
    let (state, words) = failed(&app, 1).await;
    assert_eq!(state, "dead");
    assert!(words.contains("550"), "{words}");
    let outcome: String = sqlx::query_scalar("select outcome from mails").fetch_one(app.pool()).await.unwrap();
    assert_eq!(outcome, "failed");
    let boss = app.login("boss", "admin").await;
    let id: i64 =
        sqlx::query_scalar("select id from jobs where kind = 'send-mail'").fetch_one(app.pool()).await.unwrap();
    boss.post(&format!("/admin/jobs/{id}/retry"), &json!({})).await.expect(200);
    verify(&app, &token(&office.mail(0).await)).await.expect(204);
}

#[tokio::test]
async fn a_mail_of_which_nobody_knows_whether_it_arrived_comes_again_and_both_links_are_good() {
    let (office, app) = system().await;
    office.mood(Mood::Lost);
    register(&app, "anna").await;
    let first = office.mail(0).await;
    assert_eq!(failed(&app, 1).await.0, "ready");
    app.advance(Duration::from_secs(15)).await;
    let second = office.mail(1).await;
    app.drain().await;
    let name = |mail: &super::Mail| {
        mail.headers.lines().find(|line| line.starts_with("Message-ID")).expect("a name").to_owned()
    };
    assert_eq!(name(&first), name(&second), "mailboxes know the repetition");
    assert_ne!(token(&first), token(&second));
    verify(&app, &token(&first)).await.expect(204);
}

#[tokio::test]
async fn a_server_that_does_not_know_us_any_more_costs_no_mail() {
    let office = PostOffice::open();
    let url = office.url().replace("smtp://", "smtp://us:geheim@");
    let builder = office.known_to(TestApp::builder().pools(&[Pool::Outbox])).env("SMTP_URL", &url);
    let app = builder.start().await;
    office.mood(Mood::Stranger);
    register(&app, "anna").await;
    let (_, words) = failed(&app, 1).await;
    assert!(words.contains("535") && !words.contains("geheim"), "{words}");
    app.advance(Duration::from_secs(15)).await;
    office.mail(0).await;
}

#[tokio::test]
async fn where_tls_is_demanded_nothing_is_said_in_clear() {
    let office = PostOffice::open();
    let url = format!("{}?tls=required", office.url());
    let builder = office.known_to(TestApp::builder().pools(&[Pool::Outbox])).env("SMTP_URL", &url);
    let mut app = builder.start().await;
    app.leaves_jobs_behind();
    register(&app, "anna").await;
    assert_eq!(failed(&app, 1).await.0, "ready");
    assert!(office.heard("EHLO") > 0);
    assert_eq!((office.heard("MAIL"), office.taken().len()), (0, 0));
}

#[tokio::test]
async fn who_reads_russian_is_written_to_in_russian() {
    let (office, app) = system().await;
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": PASSWORD });
    in_russian(&app.anonymous(), Method::POST, "/auth/register", &wish).await.expect(201);
    let mail = office.mail(0).await;
    assert_eq!(mail.subject, "Подтвердите адрес почты");
    assert!(mail.text.starts_with("Здравствуйте, anna!") && mail.html.contains("Здравствуйте, anna!"));
    verify(&app, &token(&mail)).await.expect(204);
}

#[tokio::test]
async fn a_dev_machine_needs_no_mail_server() {
    let app = TestApp::builder().pools(&[Pool::Outbox]).start().await;
    register(&app, "anna").await;
    app.drain().await;
    let outcome: String = sqlx::query_scalar("select outcome from mails").fetch_one(app.pool()).await.unwrap();
    assert_eq!(outcome, "sent");
    log_in(&app, "anna", PASSWORD).await.expect(200);
    // What was mailed a month ago is forgotten, with its link.
    app.advance(Duration::from_hours(24 * 31)).await;
    app.drain().await;
    let left: (i64, i64) = sqlx::query_as("select (select count(*) from mails), (select count(*) from mail_links)")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(left, (0, 0));
}

#[tokio::test]
async fn the_pages_behind_links_load_nothing_from_elsewhere_and_wait_for_a_click() {
    let (office, app) = system().await;
    register(&app, "anna").await;
    let token = token(&office.mail(0).await);
    for page in ["/verify-email", "/reset-password"] {
        let answer = app.anonymous().get(page).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-security-policy").contains("default-src 'none'; script-src 'self'"));
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        for part in answer.text.split('"').filter(|part| part.starts_with('/')) {
            app.anonymous().get(part).await;
            assert_eq!(app.anonymous().get(part).await.status, 200, "{part}");
        }
    }
    // Whoever only looks uses nothing up.
    verify(&app, &token).await.expect(204);
}
