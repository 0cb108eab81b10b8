//! Links prove an address, once and for a time.

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Pool, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::json;

use super::{PASSWORD, PostOffice, forget, is, log_in, me, register, reset, system, token, verified, verify};
use crate::passwords::Authenticator;

#[tokio::test]
async fn a_new_account_is_not_verified_until_its_link_is_used_which_works_once() {
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    let mail = office.mail(0).await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("anna@example.org", "Confirm your e-mail address"));
    assert!(mail.text.contains(&format!("http://localhost:{}/verify-email#token=", app.process.config.http.port)));
    assert!(mail.headers.contains("Auto-Submitted: auto-generated"), "{}", mail.headers);
    assert_eq!(me(&anna).await["isVerified"], false);
    for wrong in ["", "x", &"A".repeat(43), &"x".repeat(64)] {
        is(&verify(&app, wrong).await, 400, "LINK_INVALID");
    }
    is(&reset(&app, &token(&mail), "another horse").await, 400, "LINK_INVALID");
    verify(&app, &token(&mail)).await.expect(204);
    assert_eq!(me(&anna).await["isVerified"], true);
    is(&verify(&app, &token(&mail)).await, 400, "LINK_INVALID");
    is(&anna.post("/auth/verify-email/send", &json!({})).await, 409, "CONFLICT");
    let dev = app.login("demo", "viewer").await;
    is(&dev.post("/auth/verify-email/send", &json!({})).await, 409, "CONFLICT");
    app.drain().await;
    assert_eq!(office.taken().len(), 1);
}

#[tokio::test]
async fn what_opens_a_link_is_in_its_mail_and_nowhere_else() {
    let (office, app) = system().await;
    register(&app, "anna").await;
    let token = token(&office.mail(0).await);
    forget(&app, "anna@example.org").await.expect(202);
    office.mail(1).await;
    app.drain().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    .fetch_all(app.pool())
    .await
    .unwrap();
    assert!(tables.iter().any(|table| table == "mail_links") && tables.iter().any(|table| table == "jobs_done"));
    for table in tables {
        let search = format!("select count(*) from {table} t where position($1 in t::text) > 0");
        let found: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(search)).bind(&token).fetch_one(app.pool()).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
}

#[tokio::test]
async fn a_mail_that_is_asked_for_again_under_the_same_key_is_sent_once() {
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    office.mail(0).await;
    let ask = async |key: &str| {
        Session::send(anna.request(Method::POST, "/auth/verify-email/send").header("idempotency-key", key)).await
    };
    for _ in 0..5 {
        ask("one").await.expect(202);
    }
    app.drain().await;
    assert_eq!(office.taken().len(), 2);
    verify(&app, &token(&office.taken()[1])).await.expect(204);
    // What was refused is no answer to keep.
    is(&ask("two").await, 409, "CONFLICT");
    ask("one").await.expect(202);
}

#[tokio::test]
async fn a_newer_link_ends_the_older_and_each_ends_after_its_time() {
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    office.mail(0).await;
    anna.post("/auth/verify-email/send", &json!({})).await.expect(202);
    office.mail(1).await;
    is(&verify(&app, &token(&office.taken()[0])).await, 400, "LINK_INVALID");
    app.advance(Duration::from_hours(24)).await;
    is(&verify(&app, &token(&office.taken()[1])).await, 400, "LINK_INVALID");
    anna.post("/auth/verify-email/send", &json!({})).await.expect(202);
    let third = token(&office.mail(2).await);
    app.advance(Duration::from_hours(23)).await;
    verify(&app, &third).await.expect(204);
    forget(&app, "anna@example.org").await.expect(202);
    let late = token(&office.mail(3).await);
    app.advance(Duration::from_mins(30)).await;
    is(&reset(&app, &late, "another horse").await, 400, "LINK_INVALID");
}

#[tokio::test]
async fn of_many_who_show_a_link_at_once_one_is_first() {
    let (office, app) = system().await;
    register(&app, "anna").await;
    let first = token(&office.mail(0).await);
    let answers = join_all((0..8).map(|_| verify(&app, &first))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    forget(&app, "anna@example.org").await.expect(202);
    let second = token(&office.mail(1).await);
    let passwords: Vec<String> = (0..6).map(|number| format!("another horse {number}")).collect();
    let answers = join_all(passwords.iter().map(|password| reset(&app, &second, password))).await;
    let right: Vec<usize> = (0..6).filter(|number| answers[*number].status == 204).collect();
    assert_eq!(right.len(), 1, "{answers:?}");
    log_in(&app, "anna", &passwords[right[0]]).await.expect(200);
}

#[tokio::test]
async fn a_link_to_another_address_does_not_outlive_the_password_it_was_asked_for_with() {
    let (office, app) = system().await;
    let anna = verified(&office, &app, "anna", 0).await;
    // Somebody has got hold of the session.
    anna.put("/auth/email", &json!({ "email": "mallory@example.org" })).await.expect(202);
    let prepared = token(&office.mail(1).await);
    forget(&app, "anna@example.org").await.expect(202);
    reset(&app, &token(&office.mail(2).await), "another horse").await.expect(204);
    is(&verify(&app, &prepared).await, 400, "LINK_INVALID");
    // Neither does any link outlive a ban.
    forget(&app, "anna@example.org").await.expect(202);
    let last = token(&office.mail(4).await);
    let boss = app.login("boss", "admin").await;
    let users = boss.get("/owner/users?login=anna").await.expect(200);
    let id = users["users"][0]["id"].as_str().unwrap();
    boss.post(&format!("/owner/users/{id}/ban"), &json!({ "reason": "spam" })).await.expect(200);
    is(&reset(&app, &last, "a third horse").await, 400, "LINK_INVALID");
}

#[tokio::test]
async fn what_somebody_prepared_under_an_address_that_is_not_theirs_is_gone_when_its_owner_comes() {
    let (office, app) = system().await;
    let mallory = register(&app, "anna").await;
    office.mail(0).await;
    let seed = mallory.post("/auth/totp", &json!({})).await.expect(200);
    let code = Authenticator::reading(seed["secret"].as_str().unwrap()).code(&app, 0).await;
    mallory.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    mallory.post("/channels", &json!({ "slug": "anna" })).await.expect(201);
    let wish = json!({ "kind": "api", "name": "later", "scopes": ["channel:read"] });
    let made = mallory.post("/streamer/tokens", &wish).await.expect(201);
    let program = app.anonymous().with_token(made["secret"].as_str().unwrap());
    program.get("/streamer/channel/settings").await.expect(200);
    let eve = app.login("eve", "viewer").await;
    mallory.put("/streamer/team/eve", &json!({ "role": "editor" })).await.expect(200);
    eve.get("/streamer/queue?channel=anna").await.expect(200);
    let mut doors = Vec::new();
    for (link, door) in [("overlay", "/overlay/t"), ("credits", "/overlay/credits/t")] {
        let link = mallory.get(&format!("/streamer/{link}/token")).await.expect(200);
        let door = format!("{door}/{}/poll", link["token"].as_str().unwrap());
        app.anonymous().get(&door).await.expect(200);
        doors.push(door);
    }

    forget(&app, "anna@example.org").await.expect(202);
    let mail = office.mail(1).await;
    reset(&app, &token(&mail), "another horse").await.expect(204);
    is(&mallory.get("/me").await, 401, "UNAUTHORIZED");
    let anna = log_in(&app, "anna", "another horse").await.expect(200);
    app.anonymous().with_token(anna["access_token"].as_str().unwrap()).get("/me").await.expect(200);
    wait_until("the program is out", async || {
        (program.get("/streamer/channel/settings").await.status == 401).then_some(())
    })
    .await;
    is(&eve.get("/streamer/queue?channel=anna").await, 404, "CHANNEL_NOT_FOUND");
    for door in doors {
        is(&app.anonymous().get(&door).await, 401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn who_has_forgotten_a_password_sets_another_and_all_sessions_end() {
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    office.mail(0).await;
    let there = log_in(&app, "anna", PASSWORD).await.expect(200);
    let there = app.anonymous().with_token(there["access_token"].as_str().unwrap());
    // Locked out by who guesses.
    for _ in 0..12 {
        log_in(&app, "anna", "wrong horse battery").await;
    }
    is(&log_in(&app, "anna", PASSWORD).await, 429, "RATE_LIMITED");
    forget(&app, " Anna@Example.org ").await.expect(202);
    let mail = office.mail(1).await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("anna@example.org", "Set another password"));
    let token = token(&mail);
    for bad in ["short77", "password123", "anna@example.org", &"x".repeat(200)] {
        is(&reset(&app, &token, bad).await, 400, "VALIDATION_ERROR");
    }
    is(&verify(&app, &token).await, 400, "LINK_INVALID");
    reset(&app, &token, "another horse").await.expect(204);
    for session in [&anna, &there] {
        is(&session.get("/me").await, 401, "UNAUTHORIZED");
    }
    is(&log_in(&app, "anna", PASSWORD).await, 401, "CREDENTIALS_INVALID");
    let tokens = log_in(&app, "anna", "another horse").await.expect(200);
    is(&reset(&app, &token, "a third horse").await, 400, "LINK_INVALID");
    // Who reads the mails of an address has proven it, and is told.
    let anna = app.anonymous().with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(me(&anna).await["isVerified"], true);
    assert_eq!(office.mail(2).await.subject, "Your password was changed");
    // A password that is changed ends links that are on their way.
    forget(&app, "anna@example.org").await.expect(202);
    let mail = office.mail(3).await;
    let change = json!({ "current_password": "another horse", "password": "a third horse" });
    anna.put("/auth/password", &change).await.expect(204);
    is(&reset(&app, &super::token(&mail), "a fourth horse").await, 400, "LINK_INVALID");
}

#[tokio::test]
async fn whether_somebody_has_an_address_is_not_told() {
    let (office, app) = system().await;
    register(&app, "anna").await;
    office.mail(0).await;
    let [known, unknown] = [forget(&app, "anna@example.org").await, forget(&app, "nobody@example.org").await];
    assert_eq!((known.status.as_u16(), known.text.as_str()), (202, ""));
    let names = |answer: &harness::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((known.status, &known.text, names(&known)), (unknown.status, &unknown.text, names(&unknown)));
    is(&forget(&app, "nobody").await, 400, "VALIDATION_ERROR");
    office.mail(1).await;
    app.drain().await;
    assert_eq!(office.taken().len(), 2);
    let kept: i64 = sqlx::query_scalar("select count(*) from mails where recipient = 'nobody@example.org'")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(kept, 0, "who asked for nobody leaves nothing behind");
    // The fourth within the hour is answered alike and mails nothing; a banned person gets none.
    for _ in 0..3 {
        forget(&app, "anna@example.org").await.expect(202);
        app.drain().await;
    }
    assert_eq!(office.taken().len(), 4);
    app.advance(Duration::from_hours(1)).await;
    sqlx::query("update users set banned_at = app_now()").execute(app.pool()).await.unwrap();
    forget(&app, "anna@example.org").await.expect(202);
    app.drain().await;
    assert_eq!(office.taken().len(), 4);
}

#[tokio::test]
async fn a_new_address_counts_once_it_is_proven_and_the_former_one_is_told() {
    let (office, app) = system().await;
    let anna = verified(&office, &app, "anna", 0).await;
    register(&app, "bert").await;
    office.mail(1).await;
    let change = async |email: &str| anna.put("/auth/email", &json!({ "email": email })).await;
    is(&change("bert@example.org").await, 409, "EMAIL_TAKEN");
    is(&change("anna@example.org").await, 409, "CONFLICT");
    is(&change("anna").await, 400, "VALIDATION_ERROR");
    forget(&app, "anna@example.org").await.expect(202);
    let before = token(&office.mail(2).await);
    change("first@example.org").await.expect(202);
    let first = token(&office.mail(3).await);
    change("New@example.org").await.expect(202);
    let mail = office.mail(4).await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("new@example.org", "Confirm your new e-mail address"));
    assert_eq!(me(&anna).await["email"], "anna@example.org");
    is(&verify(&app, &first).await, 400, "LINK_INVALID");
    verify(&app, &token(&mail)).await.expect(204);
    let now = me(&anna).await;
    assert_eq!((&now["email"], &now["isVerified"]), (&json!("new@example.org"), &json!(true)));
    let told = office.mail(5).await;
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("anna@example.org", "Your e-mail address was changed"));
    is(&reset(&app, &before, "another horse").await, 400, "LINK_INVALID");
    log_in(&app, "new@example.org", PASSWORD).await.expect(200);
    // Somebody else was faster.
    change("carla@example.org").await.expect(202);
    let late = token(&office.mail(6).await);
    register(&app, "carla").await;
    is(&verify(&app, &late).await, 409, "EMAIL_TAKEN");
    app.advance(Duration::from_mins(11)).await;
    is(&change("other@example.org").await, 403, "STEP_UP_REQUIRED");
    app.drain().await;
}

#[tokio::test]
async fn who_asks_for_the_address_that_they_have_keeps_the_link_to_another() {
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    office.mail(0).await;
    let change = async |email: &str| anna.put("/auth/email", &json!({ "email": email })).await;
    change("new@example.org").await.expect(202);
    let link = token(&office.mail(1).await);
    is(&change("anna@example.org").await, 409, "CONFLICT");
    verify(&app, &link).await.expect(204);
    assert_eq!(me(&anna).await["email"], "new@example.org");
    app.drain().await;
}

#[tokio::test]
async fn nobody_is_mailed_more_than_three_times_an_hour() {
    let (office, app) = system().await;
    let anna = register(&app, "anna").await;
    // The first came with the account.
    for _ in 0..2 {
        anna.post("/auth/verify-email/send", &json!({})).await.expect(202);
    }
    let answer = anna.post("/auth/verify-email/send", &json!({})).await;
    is(&answer, 429, "RATE_LIMITED");
    assert!((3500..=3600).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    // Nor does it keep who needs a mail of another kind from getting one.
    forget(&app, "anna@example.org").await.expect(202);
    app.drain().await;
    let sent = office.taken();
    let last = |subject: &str| sent.iter().rfind(|mail| mail.subject == subject).expect(subject);
    last("Set another password");
    verify(&app, &token(last("Confirm your e-mail address"))).await.expect(204);
}

#[tokio::test]
async fn strangers_do_not_use_up_the_mails_of_whoever_needs_one() {
    let office = PostOffice::open();
    let app =
        office.known_to(TestApp::builder().pools(&[Pool::Outbox]).env("TRUSTED_PROXIES", "127.0.0.1")).start().await;
    let from = async |address: String, path: &str, body: serde_json::Value| {
        let request = app.anonymous().request(Method::POST, path).header("x-forwarded-for", address);
        Session::send(request.json(&body)).await
    };
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": PASSWORD });
    from("203.0.113.7".to_owned(), "/auth/register", wish).await.expect(201);
    let email = json!({ "email": "anna@example.org" });
    for number in 0..12 {
        from(format!("198.51.{}.9", number / 2), "/auth/password/forgot", email.clone()).await.expect(202);
        // One that is not sent yet would give way to the next.
        app.drain().await;
    }
    let asked = || office.taken().into_iter().filter(|mail| mail.subject == "Set another password").count();
    assert_eq!(asked(), 10, "of strangers, from everywhere");
    // From where she has logged in.
    from("203.0.113.99".to_owned(), "/auth/password/forgot", email.clone()).await.expect(202);
    app.drain().await;
    assert_eq!(asked(), 11);
}

#[tokio::test]
async fn nobody_is_mailed_more_by_accounts_that_come_and_go() {
    let office = PostOffice::open();
    // With the pool that erases.
    let app = office.known_to(TestApp::builder()).start().await;
    let wish = |name: &str| json!({ "username": name, "email": "victim@example.org", "password": PASSWORD });
    for name in ["first", "second", "third", "fourth", "fifth"] {
        let made = app.anonymous().post("/auth/register", &wish(name)).await.expect(201);
        let account = app.anonymous().with_token(made["access_token"].as_str().unwrap());
        account.delete("/users/me").await.expect(202);
        app.drain().await;
    }
    let asked = office.taken().into_iter().filter(|mail| mail.subject == "Confirm your e-mail address").count();
    assert!((1..=3).contains(&asked), "{asked}");
}

#[tokio::test]
async fn without_a_mail_server_production_says_which_setting_is_missing() {
    let app = TestApp::builder().pools(&[]).outside_of_dev("prod").start().await;
    let anna = register(&app, "anna").await;
    for answer in [
        forget(&app, "anna@example.org").await,
        anna.post("/auth/verify-email/send", &json!({})).await,
        anna.put("/auth/email", &json!({ "email": "new@example.org" })).await,
    ] {
        is(&answer, 503, "MAIL_NOT_CONFIGURED");
        assert_eq!(answer.json["setting"], "SMTP_URL");
    }
    let ordered: i64 = sqlx::query_scalar("select count(*) from mails").fetch_one(app.pool()).await.unwrap();
    assert_eq!(ordered, 0);
}
