//! Looking after the codes beside a password.

use std::time::Duration;

use harness::{Session, TestApp};
use serde_json::json;

use crate::passwords::{PASSWORD, is, log_in, register, with_codes};

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
    step_up(&anna, &authenticator.code(&app, 0).await).await;
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
