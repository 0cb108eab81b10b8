//! What happens to an account is mailed to its verified address, and to no other.

use std::time::Duration;

use harness::{Pool, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, PostOffice, in_russian, is, log_in, register, reset, system, token, verified, verify};
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
    let authenticator = Authenticator::reading(seed["secret"].as_str().unwrap());
    let code = authenticator.code(&app, 0).await;
    let confirmed = anna.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    assert_eq!(office.mail(1).await.subject, "Logins ask for a code now");
    let code = &confirmed["recoveryCodes"][0];
    let login = json!({ "username": "anna", "password": PASSWORD, "code": code });
    app.anonymous().post("/auth/login", &login).await.expect(200);
    assert_eq!(office.mail(2).await.subject, "A recovery code was used");
    // One that was used up is no news.
    app.anonymous().post("/auth/login", &login).await.expect(401);
    app.advance(Duration::from_secs(60)).await;
    let code = authenticator.code(&app, 0).await;
    anna.post("/auth/step-up", &json!({ "password": PASSWORD, "code": code })).await.expect(204);
    anna.post("/auth/totp/recovery-codes", &json!({})).await.expect(200);
    assert_eq!(office.mail(3).await.subject, "New recovery codes were made");
    anna.delete("/auth/totp").await.expect(204);
    assert_eq!(office.mail(4).await.subject, "Logins ask for no code any more");
    anna.delete("/auth/totp").await.expect(404);
    app.drain().await;
    assert_eq!(office.taken().len(), 5);
}

#[tokio::test]
async fn whose_password_somebody_else_has_hears_of_it_when_the_guesses_at_codes_are_used_up() {
    let (office, app) = system().await;
    let anna = verified(&office, &app, "anna", 0).await;
    let seed = anna.post("/auth/totp", &json!({})).await.expect(200);
    let authenticator = Authenticator::reading(seed["secret"].as_str().unwrap());
    let code = authenticator.code(&app, 0).await;
    anna.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    assert_eq!(office.mail(1).await.subject, "Logins ask for a code now");
    let guess = async |password: &str, code: &str| {
        let login = json!({ "username": "anna", "password": password, "code": code });
        app.anonymous().post("/auth/login", &login).await.status.as_u16()
    };
    // Whoever has not even the password is no news, and who mistypes once or twice is none either.
    assert_eq!(guess("not the password", "000000").await, 401);
    for _ in 0..4 {
        assert_eq!(guess(PASSWORD, "no code").await, 401);
    }
    app.drain().await;
    assert_eq!(office.taken().len(), 2);
    assert_eq!(guess(PASSWORD, "no code").await, 401);
    let told = office.mail(2).await;
    assert_eq!(told.subject, "Somebody knows your password");
    assert!(told.text.contains("set another password at once"), "{}", told.text);
    // The next ones are refused unseen. A quarter of an hour later five more are wrong: that is told once an hour.
    assert_eq!(guess(PASSWORD, "no code").await, 429);
    app.advance(Duration::from_mins(16)).await;
    for _ in 0..5 {
        assert_eq!(guess(PASSWORD, "no code").await, 401);
    }
    app.drain().await;
    assert_eq!(office.taken().len(), 3);
}

/// Whoever has just logged in anew.
async fn again(app: &TestApp, name: &str) -> Session {
    let tokens = log_in(app, name, PASSWORD).await.expect(200);
    app.anonymous().with_token(tokens["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_verified_address_is_told_what_others_do_to_the_account() {
    let (office, app) = system().await;
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": PASSWORD });
    in_russian(&app.anonymous(), Method::POST, "/auth/register", &wish).await.expect(201);
    verify(&app, &token(&office.mail(0).await)).await.expect(204);
    let admin = app.login("boss", "admin").await;
    let demo = app.login("demo", "streamer").await;
    let channel = demo.get("/me").await.expect(200)["channelId"].as_str().unwrap().to_owned();
    let id = again(&app, "anna").await.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let person = format!("/owner/users/{id}");
    let mut told = 1;
    let mut next = async |subject: &str| {
        let mail = office.mail(told).await;
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("anna@example.org", subject));
        told += 1;
        mail.text
    };
    for _ in 0..2 {
        // The second time it is no news.
        admin.put(&format!("{person}/role"), &json!({ "role": "streamer" })).await.expect(200);
    }
    assert!(next("Ваша роль изменена").await.contains("streamer"));
    admin.post(&format!("{person}/ban"), &json!({ "reason": "one coin too many" })).await.expect(200);
    assert!(next("Учётная запись заблокирована").await.contains("Причина: one coin too many"));
    let refused = log_in(&app, "anna", PASSWORD).await;
    is(&refused, 403, "ACCOUNT_BANNED");
    assert_eq!(refused.json["detail"], "the account is banned: one coin too many");
    // Once more is no news, and another reason is.
    admin.post(&format!("{person}/ban"), &json!({ "reason": "one coin too many" })).await.expect(200);
    admin.post(&format!("{person}/ban"), &json!({ "reason": "two of them" })).await.expect(200);
    assert!(next("Учётная запись заблокирована").await.contains("Причина: two of them"));
    admin.post(&format!("{person}/unban"), &json!({})).await.expect(200);
    next("Учётная запись разблокирована").await;
    let adjust = async || {
        let path = format!("/owner/wallets/{id}/{channel}/adjust");
        admin.post(&path, &json!({ "delta": 5, "reason": "a secret of ours" })).await.expect(200);
    };
    for _ in 0..3 {
        adjust().await;
    }
    assert!(!next("Изменено количество монет").await.contains("secret"));
    app.advance(Duration::from_mins(61)).await;
    let admin = app.login("boss", "admin").await;
    let path = format!("/owner/wallets/{id}/{channel}/adjust");
    admin.post(&path, &json!({ "delta": -5, "reason": "taken back" })).await.expect(200);
    next("Изменено количество монет").await;
    // What she does herself is told in the language of her request.
    let anna = again(&app, "anna").await;
    anna.post("/channels", &json!({ "slug": "anna", "name": "Anna" })).await.expect(201);
    anna.post("/streamer/tokens", &json!({ "kind": "overlay", "name": "OBS" })).await.expect(201);
    anna.post("/streamer/tokens", &json!({ "kind": "dock", "name": "My deck" })).await.expect(201);
    assert!(next("A token was made").await.contains("My deck"));
    app.drain().await;
    assert_eq!(office.taken().len(), told);
}

#[tokio::test]
async fn whoever_has_a_copy_of_a_session_or_of_a_token_is_told_of() {
    let office = PostOffice::open();
    let builder = TestApp::builder().pools(&[Pool::Outbox]).env("TRUSTED_PROXIES", "127.0.0.1");
    let app = office.known_to(builder).start().await;
    verified(&office, &app, "anna", 0).await;
    let tokens = log_in(&app, "anna", PASSWORD).await.expect(200);
    let refresh =
        async || app.anonymous().post("/auth/refresh", &json!({ "refresh_token": tokens["refresh_token"] })).await;
    let renewed = refresh().await.expect(200);
    let again = json!({ "refresh_token": renewed["refresh_token"] });
    app.anonymous().post("/auth/refresh", &again).await.expect(200);
    for _ in 0..2 {
        // The second time there is nothing left to end.
        is(&refresh().await, 401, "SESSION_EXPIRED");
    }
    assert_eq!(office.mail(1).await.subject, "A session of yours was ended");

    let anna = log_in(&app, "anna", PASSWORD).await.expect(200);
    let anna = app.anonymous().with_token(anna["access_token"].as_str().unwrap());
    anna.post("/channels", &json!({ "slug": "anna", "name": "Anna" })).await.expect(201);
    let source = anna.post("/streamer/tokens", &json!({ "kind": "overlay", "name": "Laptop" })).await.expect(201);
    for address in ["203.0.113.7", "198.51.100.1"] {
        let path = format!("/overlay/t/{}/poll", source["secret"].as_str().unwrap());
        Session::send(anna.request(Method::GET, &path).header("x-forwarded-for", address)).await.expect(200);
    }
    let told = office.mail(2).await;
    assert_eq!(told.subject, "A token of your channel is used from two places");
    for words in ["Laptop (", "198.51.100.0/24", "203.0.113.0/24"] {
        assert!(told.text.contains(words), "{}", told.text);
    }
    app.drain().await;
    assert_eq!(office.taken().len(), 3);
}

#[tokio::test]
async fn the_last_mail_comes_before_the_address_is_forgotten() {
    let office = PostOffice::open();
    let app = office.known_to(TestApp::builder()).start().await;
    let anna = verified(&office, &app, "anna", 0).await;
    anna.delete("/users/me").await.expect(202);
    let last = office.mail(1).await;
    assert_eq!((last.to.as_str(), last.subject.as_str()), ("anna@example.org", "Your account is being deleted"));
    app.drain().await;
    app.advance(Duration::from_secs(11)).await;
    app.drain().await;
    let left: i64 = sqlx::query_scalar("select count(*) from users where email is not null or login = 'anna'")
        .fetch_one(app.pool())
        .await
        .unwrap();
    let mails: i64 = sqlx::query_scalar("select count(*) from mails").fetch_one(app.pool()).await.unwrap();
    assert_eq!((left, mails), (0, 0));
}

#[tokio::test]
async fn whatever_becomes_of_a_login_is_written_down_without_an_address() {
    let (office, app) = system().await;
    let anna = verified(&office, &app, "anna", 0).await;
    let another = json!({ "current_password": PASSWORD, "password": "another horse" });
    anna.put("/auth/password", &another).await.expect(204);
    office.mail(1).await;
    anna.put("/auth/email", &json!({ "email": "new@example.org" })).await.expect(202);
    verify(&app, &token(&office.mail(2).await)).await.expect(204);
    office.mail(3).await;
    super::forget(&app, "new@example.org").await.expect(202);
    reset(&app, &token(&office.mail(4).await), PASSWORD).await.expect(204);
    app.drain().await;
    let admin = app.login("boss", "admin").await;
    let log = admin.get("/owner/audit?user=anna").await.expect(200);
    let acts = log["acts"].as_array().unwrap();
    let names: Vec<&Value> = acts.iter().map(|act| &act["act"]).collect();
    assert_eq!(names, ["reset_password", "change_email", "ask_to_change_email", "change_password", "verify_email"]);
    assert!(acts.iter().all(|act| act["actor"] == "user:anna"), "{log}");
    assert!(!log.to_string().contains('@'), "{log}");
}

#[tokio::test]
async fn who_comes_into_a_team_or_out_of_it_hears_so_and_of_the_role() {
    let (office, app) = system().await;
    verified(&office, &app, "anna", 0).await;
    let demo = app.login("demo", "streamer").await;
    let put = async |role: &str| demo.put("/streamer/team/anna", &json!({ "role": role })).await.expect(200);
    put("moderator").await;
    // The second time it is no news.
    put("moderator").await;
    put("editor").await;
    demo.delete("/streamer/team/anna").await.expect(204);
    app.drain().await;
    let mut told: Vec<(String, bool, bool)> = Vec::new();
    for number in 1..4 {
        let mail = office.mail(number).await;
        assert_eq!(mail.to, "anna@example.org");
        assert!(mail.text.contains("demo"), "{}", mail.text);
        told.push((mail.subject, mail.text.contains("moderator"), mail.text.contains("editor")));
    }
    // Mails may overtake each other.
    told.sort();
    let given = "You are in a channel's team";
    let taken = "You are in a channel's team no more";
    assert_eq!(told, [(given.into(), false, true), (given.into(), true, false), (taken.into(), false, false)]);
    assert_eq!(office.taken().len(), 4);
}
