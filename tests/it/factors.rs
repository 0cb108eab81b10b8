//! Looking after the codes beside a password.

use std::time::Duration;

use harness::{MemalertsProcess, Pool, Session, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    mails::{PostOffice, token, verify},
    passwords::{Authenticator, PASSWORD, is, log_in, register, with_codes},
};

async fn step_up(session: &Session, code: &str) {
    session.post("/auth/step-up", &json!({ "password": PASSWORD, "code": code })).await.expect(204);
}

#[tokio::test]
async fn a_person_sees_whether_codes_are_on_and_makes_new_recovery_codes() {
    let app = TestApp::builder().pools(&[]).start().await;
    let bert = register(&app, "bert").await;
    let off = bert.get("/auth/totp").await.expect(200);
    assert_eq!(off, json!({ "enabled": false, "recoveryCodesLeft": 0 }));
    is(&bert.post("/auth/totp/recovery-codes", &json!({})).await, 404, "NOT_FOUND");

    let (anna, authenticator, old) = with_codes(&app, "anna").await;
    let on = anna.get("/auth/totp").await.expect(200);
    assert_eq!((&on["enabled"], &on["recoveryCodesLeft"]), (&json!(true), &json!(10)));
    assert!(on["since"].is_string(), "{on}");
    log_in(&app, "anna", PASSWORD, Some(&old[0])).await.expect(200);
    assert_eq!(anna.get("/auth/totp").await.expect(200)["recoveryCodesLeft"], 9);

    // The password was proven just now, and no code with it.
    is(&anna.post("/auth/totp/recovery-codes", &json!({})).await, 403, "STEP_UP_REQUIRED");
    app.advance(Duration::from_secs(60)).await;
    // As the app shows it.
    let code = authenticator.code(&app, 0).await;
    step_up(&anna, &format!(" {} {}\u{a0}", &code[..3], &code[3..])).await;
    let made = anna.post("/auth/totp/recovery-codes", &json!({})).await.expect(200);
    let new: Vec<&str> = made["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(new.len(), 10);
    assert_eq!(anna.get("/auth/totp").await.expect(200)["recoveryCodesLeft"], 10);
    is(&log_in(&app, "anna", PASSWORD, Some(&old[1])).await, 401, "CODE_INVALID");
    log_in(&app, "anna", PASSWORD, Some(new[0])).await.expect(200);
    let noted: i64 = sqlx::query_scalar("select count(*) from people_acts where act = 'replace_recovery_codes'")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(noted, 1);
}

#[tokio::test]
async fn who_came_in_without_a_code_shows_one_before_codes_are_switched_off() {
    let app = TestApp::builder().pools(&[]).start().await;
    let (_, authenticator, recovery) = with_codes(&app, "anna").await;
    // As a platform's login does: it asks for no code.
    let anna = app.login("anna", "viewer").await;
    is(&anna.delete("/auth/totp").await, 403, "STEP_UP_REQUIRED");
    is(&anna.post("/auth/step-up", &json!({ "password": PASSWORD })).await, 401, "CODE_REQUIRED");
    is(&anna.delete("/auth/totp").await, 403, "STEP_UP_REQUIRED");
    app.advance(Duration::from_secs(60)).await;
    step_up(&anna, &authenticator.code(&app, 0).await).await;
    // It is of the last ten minutes, as every proof.
    app.advance(Duration::from_mins(11)).await;
    is(&anna.delete("/auth/totp").await, 403, "STEP_UP_REQUIRED");
    step_up(&anna, &recovery[0]).await;
    anna.delete("/auth/totp").await.expect(204);
}

/// Somebody with codes and an address that is verified by the mail with this number.
async fn with_codes_and_address(office: &PostOffice, app: &TestApp, name: &str, mail: usize) {
    with_codes(app, name).await;
    verify(app, &token(&office.mail(mail).await)).await.expect(204);
}

async fn id_of(admin: &Session, login: &str) -> String {
    let found = admin.get(&format!("/owner/users?login={login}")).await.expect(200);
    found["users"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whose_seed_cannot_be_read_is_told_so_and_comes_in_with_a_recovery_code() {
    let mut app = TestApp::builder().pools(&[]).env("MEMALERTS_DATA_KEY", &"01".repeat(32)).start().await;
    let (_, authenticator, recovery) = with_codes(&app, "anna").await;
    let lost = app.process.vault.present().to_string();
    app.stop();
    let after = app.beside().pools(&[]).env("MEMALERTS_DATA_KEY", &"02".repeat(32));
    let after = after.env("MEMALERTS_LOST_DATA_KEYS", &lost).start().await;
    after.advance(Duration::from_secs(60)).await;
    for code in [authenticator.code(&after, 0).await, "no-such-code".to_owned()] {
        let closed = log_in(&after, "anna", PASSWORD, Some(&code)).await;
        is(&closed, 409, "CODES_UNREADABLE");
        assert!(closed.text.contains("use a recovery code"), "{}", closed.text);
    }
    is(&log_in(&after, "anna", "another", Some(&recovery[0])).await, 401, "CREDENTIALS_INVALID");
    let tokens = log_in(&after, "anna", PASSWORD, Some(&recovery[0])).await.expect(200);
    let anna = after.anonymous().with_token(tokens["access_token"].as_str().unwrap());
    is(&log_in(&after, "anna", PASSWORD, Some(&recovery[0])).await, 409, "CODES_UNREADABLE");

    // From there codes are set up anew, under the present key.
    anna.delete("/auth/totp").await.expect(204);
    let seed = anna.post("/auth/totp", &json!({})).await.expect(200);
    let authenticator = Authenticator::reading(seed["secret"].as_str().unwrap());
    let code = authenticator.code(&after, 0).await;
    anna.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    after.advance(Duration::from_secs(60)).await;
    log_in(&after, "anna", PASSWORD, Some(&authenticator.code(&after, 0).await)).await.expect(200);
}

#[tokio::test]
async fn an_admin_or_an_operator_switches_somebodys_codes_off_and_the_person_hears_of_it() {
    let office = PostOffice::open();
    let app = office.known_to(TestApp::builder().pools(&[Pool::Outbox])).start().await;
    with_codes_and_address(&office, &app, "anna", 0).await;
    with_codes_and_address(&office, &app, "bert", 1).await;
    let admin = app.login("boss", "admin").await;
    let (anna, boss) = (id_of(&admin, "anna").await, id_of(&admin, "boss").await);
    let of = |id: &str| format!("/owner/users/{id}/totp");
    is(&admin.delete(&of(&boss)).await, 409, "CONFLICT");
    is(&admin.delete(&of(&Uuid::now_v7().to_string())).await, 404, "NOT_FOUND");
    is(&log_in(&app, "anna", PASSWORD, None).await, 401, "CODE_REQUIRED");
    assert_eq!(admin.delete(&of(&anna)).await.expect(200)["login"], "anna");
    log_in(&app, "anna", PASSWORD, None).await.expect(200);
    is(&admin.delete(&of(&anna)).await, 404, "NOT_FOUND");
    let told = office.mail(2).await;
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("anna@example.org", "Logins ask for no code any more"));

    let off = |login: &'static str| MemalertsProcess::spawn(&["admin", "codes-off", login], &app.process_env());
    assert_eq!(off("Bert").output().await, "bert logs in with the password alone from now on");
    assert!(off("bert").failure().await.join("\n").contains("bert is asked for no codes"));
    assert!(off("nobody").failure().await.join("\n").contains("nobody with the login nobody"));
    log_in(&app, "bert", PASSWORD, None).await.expect(200);
    let told = office.mail(3).await;
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("bert@example.org", "Logins ask for no code any more"));

    let log = admin.get("/owner/audit?act=switch_totp_off").await.expect(200);
    let acts: Vec<(&Value, &Value)> =
        log["acts"].as_array().unwrap().iter().map(|act| (&act["actor"], &act["login"])).collect();
    assert_eq!(acts.len(), 2, "{log}");
    assert!(acts[0].0.as_str().unwrap().starts_with("os:") && acts[0].1 == "bert", "{log}");
    assert_eq!(acts[1], (&json!("user:boss"), &json!("anna")));
    // It is a dangerous act.
    app.advance(Duration::from_mins(11)).await;
    is(&admin.delete(&of(&anna)).await, 403, "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn whom_an_operator_makes_an_admin_hears_of_it() {
    let office = PostOffice::open();
    let app = office.known_to(TestApp::builder().pools(&[Pool::Outbox])).start().await;
    with_codes_and_address(&office, &app, "anna", 0).await;
    MemalertsProcess::spawn(&["admin", "grant", "anna"], &app.process_env()).output().await;
    let told = office.mail(1).await;
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("anna@example.org", "Your role was changed"));
    assert!(told.text.contains("it is admin now"), "{}", told.text);
    MemalertsProcess::spawn(&["admin", "grant", "anna"], &app.process_env()).output().await;
    app.drain().await;
    assert_eq!(office.taken().len(), 2, "the second time it is no news");
}
