//! What happens to an account is mailed to its verified address, and to no other.

use serde_json::json;

use super::{PASSWORD, register, system, verified};
use crate::passwords::Authenticator;

#[tokio::test]
async fn a_verified_address_is_told_of_another_password_and_one_that_is_not_is_told_nothing() {
    let (office, app) = system().await;
    let anna = verified(&office, &app, "anna", 0).await;
    let change = |new: &str| json!({ "current_password": PASSWORD, "password": new });
    anna.put("/auth/password", &change("another horse")).await.expect(204);
    let told = office.mail(1).await;
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("anna@example.org", "Your password was changed"));
    assert!(!told.text.contains("#token="));
    let bert = register(&app, "bert").await;
    office.mail(2).await;
    bert.put("/auth/password", &change("another horse")).await.expect(204);
    app.drain().await;
    assert_eq!(office.taken().len(), 3);
}

#[tokio::test]
async fn a_verified_address_is_told_when_codes_come_and_go_and_when_a_recovery_code_was_used() {
    let (office, app) = system().await;
    let anna = verified(&office, &app, "anna", 0).await;
    let seed = anna.post("/auth/totp", &json!({})).await.expect(200);
    let code = Authenticator::reading(seed["secret"].as_str().unwrap()).code(&app, 0).await;
    let confirmed = anna.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    assert_eq!(office.mail(1).await.subject, "Logins ask for a code now");
    let code = &confirmed["recoveryCodes"][0];
    let login = json!({ "username": "anna", "password": PASSWORD, "code": code });
    app.anonymous().post("/auth/login", &login).await.expect(200);
    assert_eq!(office.mail(2).await.subject, "A recovery code was used");
    // One that was used up is no news.
    app.anonymous().post("/auth/login", &login).await.expect(401);
    anna.delete("/auth/totp").await.expect(204);
    assert_eq!(office.mail(3).await.subject, "Logins ask for no code any more");
    anna.delete("/auth/totp").await.expect(404);
    app.drain().await;
    assert_eq!(office.taken().len(), 4);
}
