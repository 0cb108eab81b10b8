//! What happens to an account is mailed to its verified address, and to no other.

use serde_json::json;

use super::{PASSWORD, register, system, verified};

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
