//! Mails: links that prove an address, and news about an account.

mod delivery;
mod links;
mod news;
mod office;
mod pages;

use harness::{Answer, Pool, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use office::Mood;
pub(crate) use office::{Mail, PostOffice};

const PASSWORD: &str = "correct horse battery";

async fn system() -> (PostOffice, TestApp) {
    let office = PostOffice::open();
    let app = office.known_to(TestApp::builder().pools(&[Pool::Outbox])).start().await;
    (office, app)
}

/// Registers somebody, who gets a mail.
async fn register(app: &TestApp, name: &str) -> Session {
    let wish = json!({ "username": name, "email": format!("{name}@example.org"), "password": PASSWORD });
    let made = app.anonymous().post("/auth/register", &wish).await.expect(201);
    app.anonymous().with_token(made["access_token"].as_str().unwrap())
}

/// The same with a verified address; the mail that did it is the one with this number.
async fn verified(office: &PostOffice, app: &TestApp, name: &str, number: usize) -> Session {
    let session = register(app, name).await;
    verify(app, &token(&office.mail(number).await)).await.expect(204);
    session
}

pub(crate) async fn verify(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/auth/verify-email", &json!({ "token": token })).await
}

async fn forget(app: &TestApp, email: &str) -> Answer {
    app.anonymous().post("/auth/password/forgot", &json!({ "email": email })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/password/reset", &json!({ "token": token, "password": password })).await
}

async fn log_in(app: &TestApp, name: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/login", &json!({ "username": name, "password": password })).await
}

/// What stands behind the `#` of the link, which is the same in both forms of the mail.
pub(crate) fn token(mail: &Mail) -> String {
    let of = |words: &str| words.split("#token=").nth(1).expect("a link").chars().take(43).collect::<String>();
    assert_eq!(of(&mail.text), of(&mail.html));
    of(&mail.text)
}

async fn me(session: &Session) -> Value {
    session.get("/me").await.expect(200)
}

#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (status, code), "{}", answer.text);
}

/// A request in another language than English.
async fn in_russian(session: &Session, method: Method, path: &str, body: &Value) -> Answer {
    Session::send(session.request(method, path).header("accept-language", "ru-RU,ru;q=0.9,en;q=0.5").json(body)).await
}
