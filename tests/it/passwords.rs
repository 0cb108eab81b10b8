//! Accounts with a password, and the codes beside it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use domain::factors;
use futures_util::future::join_all;
use harness::{Answer, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sizes::size;

pub(crate) const PASSWORD: &str = "correct horse battery";

async fn api() -> TestApp {
    TestApp::builder().pools(&[]).start().await
}

/// Registers somebody.
pub(crate) async fn register(app: &TestApp, name: &str) -> Session {
    let wish = json!({ "username": name, "email": format!("{name}@example.org"), "password": PASSWORD });
    let made = app.anonymous().post("/auth/register", &wish).await.expect(201);
    app.anonymous().with_token(made["access_token"].as_str().unwrap())
}

pub(crate) async fn log_in(app: &TestApp, name: &str, password: &str, code: Option<&str>) -> Answer {
    let mut wish = json!({ "username": name, "password": password });
    if let Some(code) = code {
        wish["code"] = json!(code);
    }
    app.anonymous().post("/auth/login", &wish).await
}

/// The session of a login that must be good.
pub(crate) async fn logged_in(app: &TestApp, name: &str, code: Option<&str>) -> Session {
    let tokens = log_in(app, name, PASSWORD, code).await.expect(200);
    app.anonymous().with_token(tokens["access_token"].as_str().unwrap())
}

#[track_caller]
pub(crate) fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (status, code), "{}", answer.text);
}

/// Seconds since 1970 by the system's clock.
async fn now(app: &TestApp) -> i64 {
    sqlx::query_scalar("select extract(epoch from app_now())::bigint").fetch_one(app.pool()).await.unwrap()
}

async fn hash_of(app: &TestApp, login: &str) -> String {
    let select = "select password_hash from users where login = $1";
    sqlx::query_scalar(select).bind(login).fetch_one(app.pool()).await.unwrap()
}

#[tokio::test]
async fn somebody_registers_and_logs_in_by_either_name_with_what_a_program_needs() {
    let app = api().await;
    let wish = json!({ "username": "Anna_1", "email": " Anna@Example.org ", "password": PASSWORD });
    let made = app.anonymous().post("/auth/register", &wish).await;
    assert_eq!(made.headers.get_all("set-cookie").iter().count(), 2);
    let made = made.expect(201);
    assert_eq!(
        (&made["username"], &made["email"], &made["is_verified"]),
        (&json!("anna_1"), &json!("anna@example.org"), &json!(false))
    );
    for wish in [
        json!({ "username": "anna_1", "password": PASSWORD }),
        json!({ "username": "ANNA_1", "password": PASSWORD }),
        json!({ "username": "Anna@example.org", "password": PASSWORD }),
        json!({ "email": "anna@example.org", "password": PASSWORD }),
    ] {
        let tokens = app.anonymous().post("/auth/login", &wish).await.expect(200);
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
        let me = app.anonymous().with_token(tokens["access_token"].as_str().unwrap()).get("/me").await.expect(200);
        assert_eq!(
            (&me["id"], &me["displayName"], &me["email"]),
            (&made["user_id"], &json!("Anna_1"), &json!("anna@example.org"))
        );
        let next = json!({ "refresh_token": tokens["refresh_token"] });
        app.anonymous().post("/auth/refresh", &next).await.expect(200);
    }
    let stored = hash_of(&app, "anna_1").await;
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
}

#[tokio::test]
async fn a_name_or_an_address_is_given_once_and_nonsense_never() {
    let app = api().await;
    register(&app, "anna").await;
    let wish = |username: &str, email: &str, password: &str| json!({ "username": username, "email": email, "password": password });
    let refused = async |wish: Value| app.anonymous().post("/auth/register", &wish).await;
    is(&refused(wish("ANNA", "other@example.org", PASSWORD)).await, 409, "USERNAME_TAKEN");
    is(&refused(wish("other", "Anna@example.org", PASSWORD)).await, 409, "EMAIL_TAKEN");
    for wrong in [
        wish("a b", "x@example.org", PASSWORD),
        wish("bert", "x@example", PASSWORD),
        wish("bert", "x@example.org\r\nbcc: y@example.org", PASSWORD),
        wish("bert", "x@example.org", "short77"),
        wish("bert", "x@example.org", &"x".repeat(129)),
        wish("bert_the_great", "x@example.org", "Bert_the_great"),
        wish("bert", "bert_the_great@example.org", "Bert_the_great@example.org"),
        wish("bert", "x@example.org", "Password1"),
        wish("bert", "x@example.org", "qwertyuiop"),
        wish("bert", "x@example.org", "MemAlerts2026!"),
        wish("bert_the_great", "x@example.org", "1Bert_the_great!"),
        wish("bert", "x@example.org", "        "),
        json!({ "username": "bert", "email": "x@example.org" }),
    ] {
        is(&refused(wrong).await, 400, "VALIDATION_ERROR");
    }
    let all = refused(wish("a b", "x@example", "x@example")).await;
    let fields: Vec<&str> =
        all.json["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["username", "email", "password"], "{}", all.text);
    let anybody = app.anonymous();
    let race = wish("carla", "carla@example.org", PASSWORD);
    let answers = join_all((0..8).map(|_| anybody.post("/auth/register", &race))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    assert_eq!(answers.iter().filter(|answer| answer.error_code() == "USERNAME_TAKEN").count(), 7);
    // Columns of old clients of the database.
    let columns: Vec<String> = sqlx::query_scalar(
        "select column_name::text from information_schema.columns where table_name = 'users'
         and column_name in ('id', 'login', 'email', 'password_hash', 'created_at', 'is_verified')",
    )
    .fetch_all(app.pool())
    .await
    .unwrap();
    assert_eq!(columns.len(), 6);
}

#[tokio::test]
async fn whoever_guesses_is_told_the_same_of_everybody_and_locked_out_after_ten_times() {
    let app = api().await;
    let anna = register(&app, "anna").await;
    register(&app, "bert").await;
    app.login("by_twitch", "viewer").await;
    let mut answers = BTreeSet::new();
    for name in ["anna", "nobody", "anna@example.org", "nobody@example.org", "by_twitch", "", "x y"] {
        let answer = log_in(&app, name, "wrong horse battery", None).await;
        is(&answer, 401, "CREDENTIALS_INVALID");
        answers.insert(answer.json["detail"].as_str().unwrap().to_owned());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    // All at once: a guess counts before it is looked at. Anna has had two by both of her names.
    let guesses = (0..30).map(|_| log_in(&app, "anna", "wrong horse battery", None));
    let (tried, locked): (Vec<_>, Vec<_>) =
        join_all(guesses).await.into_iter().partition(|answer| answer.status == 401);
    assert_eq!((tried.len(), locked.len()), (8, 22));
    for answer in &locked {
        is(answer, 429, "RATE_LIMITED");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
    }
    is(&log_in(&app, "anna", PASSWORD, None).await, 429, "RATE_LIMITED");
    is(&log_in(&app, "anna@example.org", PASSWORD, None).await, 429, "RATE_LIMITED");
    // Nobody else is, nor is who is in already; and it passes.
    logged_in(&app, "bert", None).await;
    anna.get("/me").await.expect(200);
    app.advance(Duration::from_mins(15)).await;
    logged_in(&app, "anna", None).await;
    // A right one gives the budget back.
    for _ in 0..3 {
        for _ in 0..9 {
            is(&log_in(&app, "anna", "wrong horse battery", None).await, 401, "CREDENTIALS_INVALID");
        }
        logged_in(&app, "anna", None).await;
    }
    // Names that nobody has are locked like those of somebody.
    for _ in 0..9 {
        is(&log_in(&app, "nobody", PASSWORD, None).await, 401, "CREDENTIALS_INVALID");
    }
    app.advance(Duration::from_mins(1)).await;
    is(&log_in(&app, "nobody", PASSWORD, None).await, 401, "CREDENTIALS_INVALID");
    is(&log_in(&app, "nobody", PASSWORD, None).await, 429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_hash_of_bcrypt_opens_once_more_and_is_made_anew() {
    let app = api().await;
    register(&app, "anna").await;
    // As other languages write the same.
    for prefix in ["$2b$", "$2a$", "$2y$"] {
        let old = bcrypt::hash(PASSWORD, 4).unwrap().replacen("$2b$", prefix, 1);
        sqlx::query("update users set password_hash = $1").bind(&old).execute(app.pool()).await.unwrap();
        is(&log_in(&app, "anna", "wrong horse battery", None).await, 401, "CREDENTIALS_INVALID");
        assert_eq!(hash_of(&app, "anna").await, old);
        logged_in(&app, "anna", None).await;
        assert!(hash_of(&app, "anna").await.starts_with("$argon2id$"));
        logged_in(&app, "anna", None).await;
    }
}

#[tokio::test]
async fn a_password_that_is_changed_ends_all_other_sessions() {
    let app = api().await;
    let here = register(&app, "anna").await;
    let there = logged_in(&app, "anna", None).await;
    let change = async |session: &Session, current: &str, new: &str| {
        session.put("/auth/password", &json!({ "current_password": current, "password": new })).await
    };
    is(&change(&here, "wrong horse battery", "another horse").await, 401, "CREDENTIALS_INVALID");
    for bad in ["short77", "iloveyou", "anna@example.org", "memalerts"] {
        is(&change(&here, PASSWORD, bad).await, 400, "VALIDATION_ERROR");
    }
    there.get("/me").await.expect(200);
    change(&here, PASSWORD, "another horse").await.expect(204);
    is(&there.get("/me").await, 401, "UNAUTHORIZED");
    here.get("/me").await.expect(200);
    is(&log_in(&app, "anna", PASSWORD, None).await, 401, "CREDENTIALS_INVALID");
    log_in(&app, "anna", "another horse", None).await.expect(200);
    let dev = app.login("demo", "viewer").await;
    is(&change(&dev, PASSWORD, "another horse").await, 409, "CONFLICT");
}

#[tokio::test]
async fn a_banned_person_has_the_right_password_in_vain() {
    let app = api().await;
    let anna = register(&app, "anna").await;
    let id = anna.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let boss = app.login("boss", "admin").await;
    boss.post(&format!("/owner/users/{id}/ban"), &json!({})).await.expect(200);
    is(&anna.get("/me").await, 401, "UNAUTHORIZED");
    is(&log_in(&app, "anna", "wrong horse battery", None).await, 401, "CREDENTIALS_INVALID");
    is(&log_in(&app, "anna", PASSWORD, None).await, 403, "ACCOUNT_BANNED");
}

#[tokio::test]
async fn dangerous_acts_ask_who_was_not_proven_lately() {
    let app = api().await;
    let boss = register(&app, "boss").await;
    sqlx::query("update users set role = 'admin' where login = 'boss'").execute(app.pool()).await.unwrap();
    let anna = app.login("anna", "viewer").await;
    let ban = async || boss.post(&format!("/owner/users/{}/ban", anna.user_id), &json!({})).await;
    let step_up = async |password: &str| boss.post("/auth/step-up", &json!({ "password": password })).await;
    app.advance(Duration::from_mins(10)).await;
    is(&ban().await, 403, "STEP_UP_REQUIRED");
    let role = boss.put(&format!("/owner/users/{}/role", anna.user_id), &json!({ "role": "admin" })).await;
    is(&role, 403, "STEP_UP_REQUIRED");
    let path = format!("/owner/wallets/{}/{}/adjust", anna.user_id, uuid::Uuid::now_v7());
    let coins = boss.post(&path, &json!({ "delta": 50, "reason": "a gift" })).await;
    is(&coins, 403, "STEP_UP_REQUIRED");
    boss.get("/owner/users").await.expect(200);
    is(&step_up("wrong horse battery").await, 401, "CREDENTIALS_INVALID");
    is(&ban().await, 403, "STEP_UP_REQUIRED");
    step_up(PASSWORD).await.expect(204);
    ban().await.expect(200);
    // A refresh is no proof.
    let tokens = log_in(&app, "boss", PASSWORD, None).await.expect(200);
    app.advance(Duration::from_mins(11)).await;
    let renewed = app.anonymous().post("/auth/refresh", &json!({ "refresh_token": tokens["refresh_token"] })).await;
    let renewed = app.anonymous().with_token(renewed.expect(200)["access_token"].as_str().unwrap());
    is(&renewed.post(&format!("/owner/users/{}/unban", anna.user_id), &json!({})).await, 403, "STEP_UP_REQUIRED");
    is(&anna.post("/auth/step-up", &json!({ "password": PASSWORD })).await, 401, "UNAUTHORIZED");
    let dev = app.login("demo", "viewer").await;
    is(&dev.post("/auth/step-up", &json!({ "password": PASSWORD })).await, 409, "CONFLICT");
}

/// An app with the seed that somebody was shown.
pub(crate) struct Authenticator {
    seed: Vec<u8>,
}

impl Authenticator {
    pub(crate) fn reading(secret: &str) -> Self {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut seed, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
        for letter in secret.chars() {
            buffer = (buffer << 5) | u32::try_from(alphabet.find(letter).unwrap()).unwrap();
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                seed.push(u8::try_from((buffer >> bits) & 0xff).unwrap());
            }
        }
        Self { seed }
    }

    /// What it shows so many steps from now.
    pub(crate) async fn code(&self, app: &TestApp, steps: i64) -> String {
        factors::code_at(&self.seed, now(app).await + 30 * steps)
    }
}

/// Somebody who is asked for codes: the session, the app and the recovery codes.
pub(crate) async fn with_codes(app: &TestApp, name: &str) -> (Session, Authenticator, Vec<String>) {
    let session = register(app, name).await;
    let seed = session.post("/auth/totp", &json!({})).await.expect(200);
    let secret = seed["secret"].as_str().unwrap();
    assert!(
        seed["uri"].as_str().unwrap().starts_with(&format!("otpauth://totp/MemAlerts-dev:{name}?secret={secret}&"))
    );
    let authenticator = Authenticator::reading(secret);
    // Nothing is asked for until a code was shown.
    logged_in(app, name, None).await;
    let code = authenticator.code(app, 0).await;
    let confirmed = session.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    let codes = confirmed["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    (session, authenticator, codes.collect())
}

#[tokio::test]
async fn whoever_has_an_app_is_asked_for_its_code_and_no_code_is_taken_twice() {
    let app = api().await;
    let (anna, authenticator, _) = with_codes(&app, "anna").await;
    is(&log_in(&app, "anna", PASSWORD, None).await, 401, "CODE_REQUIRED");
    is(&log_in(&app, "anna", "wrong horse battery", None).await, 401, "CREDENTIALS_INVALID");
    // The one that confirmed is used up.
    let used = authenticator.code(&app, 0).await;
    is(&log_in(&app, "anna", PASSWORD, Some(&used)).await, 401, "CODE_INVALID");
    app.advance(Duration::from_secs(300)).await;
    // Of the codes near now the one before, its own and the next are good, in this order, each once.
    for steps in [-2, 2] {
        let code = authenticator.code(&app, steps).await;
        is(&log_in(&app, "anna", PASSWORD, Some(&code)).await, 401, "CODE_INVALID");
    }
    for steps in [-1, 0, 1] {
        let code = authenticator.code(&app, steps).await;
        let session = logged_in(&app, "anna", Some(&code)).await;
        let list = session.get("/auth/sessions").await.expect(200);
        let current = list.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
        assert_eq!(current["methods"], json!(["password", "totp"]));
        is(&log_in(&app, "anna", PASSWORD, Some(&code)).await, 401, "CODE_INVALID");
    }
    let before = authenticator.code(&app, 0).await;
    is(&log_in(&app, "anna", PASSWORD, Some(&before)).await, 401, "CODE_INVALID");
    // Of many who show the same code at once, one gets in.
    app.advance(Duration::from_secs(300)).await;
    let code = authenticator.code(&app, 0).await;
    let logins = join_all((0..4).map(|_| log_in(&app, "anna", PASSWORD, Some(&code)))).await;
    assert_eq!(logins.iter().filter(|answer| answer.status == 200).count(), 1);
    // So is whoever proves to be still there, and whoever wants to do without.
    app.advance(Duration::from_mins(11)).await;
    is(&anna.delete("/auth/totp").await, 403, "STEP_UP_REQUIRED");
    is(&anna.post("/auth/step-up", &json!({ "password": PASSWORD })).await, 401, "CODE_REQUIRED");
    let code = authenticator.code(&app, 0).await;
    anna.post("/auth/step-up", &json!({ "password": PASSWORD, "code": code })).await.expect(204);
    is(&anna.post("/auth/totp", &json!({})).await, 409, "CONFLICT");
    anna.delete("/auth/totp").await.expect(204);
    is(&anna.delete("/auth/totp").await, 404, "NOT_FOUND");
    logged_in(&app, "anna", None).await;
}

#[tokio::test]
async fn five_wrong_codes_lock_a_login_whose_password_is_right() {
    let app = api().await;
    let (_, authenticator, recovery) = with_codes(&app, "anna").await;
    app.advance(Duration::from_secs(60)).await;
    let right = authenticator.code(&app, 0).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let mut answers = Vec::new();
    for round in 0..8 {
        // The budget of the password is another, and each right one gives it back.
        let answer = log_in(&app, "anna", PASSWORD, Some(wrong)).await;
        answers.push(answer.status.as_u16());
        is(&answer, if round < 5 { 401 } else { 429 }, if round < 5 { "CODE_INVALID" } else { "RATE_LIMITED" });
    }
    is(&log_in(&app, "anna", PASSWORD, Some(&right)).await, 429, "RATE_LIMITED");
    is(&log_in(&app, "anna", PASSWORD, Some(&recovery[0])).await, 429, "RATE_LIMITED");
    app.advance(Duration::from_mins(16)).await;
    let begun = Instant::now();
    // A hundred at once are five, too.
    let mut looked_at = 0;
    for _ in 0..size(1, 5_000) {
        let guesses = (0..20).map(|_| log_in(&app, "anna", PASSWORD, Some(wrong)));
        looked_at += join_all(guesses).await.iter().filter(|answer| answer.error_code() == "CODE_INVALID").count();
    }
    // Time goes by meanwhile: five in each quarter of an hour.
    let quarters = usize::try_from(begun.elapsed().as_secs() / 900).unwrap();
    assert!(looked_at <= 5 * (quarters + 1), "{looked_at}");
    app.advance(Duration::from_mins(16)).await;
    let right = authenticator.code(&app, 0).await;
    logged_in(&app, "anna", Some(&right)).await;
}

#[tokio::test]
async fn a_recovery_code_opens_once_however_it_is_written() {
    let app = api().await;
    let (_, _, recovery) = with_codes(&app, "anna").await;
    assert_eq!(recovery.iter().collect::<BTreeSet<_>>().len(), 10);
    let session = logged_in(&app, "anna", Some(&recovery[0])).await;
    let list = session.get("/auth/sessions").await.expect(200);
    let current = list.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(current["methods"], json!(["password", "recovery"]));
    is(&log_in(&app, "anna", PASSWORD, Some(&recovery[0])).await, 401, "CODE_INVALID");
    logged_in(&app, "anna", Some(&recovery[1].replace('-', " ").to_uppercase())).await;
    is(&log_in(&app, "anna", PASSWORD, Some(&recovery[1])).await, 401, "CODE_INVALID");
    // Nobody else's.
    let (_, _, others) = with_codes(&app, "bert").await;
    is(&log_in(&app, "anna", PASSWORD, Some(&others[0])).await, 401, "CODE_INVALID");
    logged_in(&app, "bert", Some(&others[0])).await;
    // What is stored is no code, and no seed.
    let seeds: Vec<Vec<u8>> =
        sqlx::query_scalar("select secret from second_factors").fetch_all(app.pool()).await.unwrap();
    assert!(seeds.iter().all(|seed| seed.len() > 20 + 16));
}

#[tokio::test]
async fn a_code_is_confirmed_before_it_is_asked_for_and_ends_sessions_that_had_none() {
    let app = api().await;
    let anna = register(&app, "anna").await;
    is(&anna.post("/auth/totp/confirm", &json!({ "code": "123456" })).await, 409, "CONFLICT");
    let first = anna.post("/auth/totp", &json!({})).await.expect(200);
    let second = anna.post("/auth/totp", &json!({})).await.expect(200);
    let old = Authenticator::reading(first["secret"].as_str().unwrap()).code(&app, 0).await;
    is(&anna.post("/auth/totp/confirm", &json!({ "code": old })).await, 401, "CODE_INVALID");
    let elsewhere = logged_in(&app, "anna", None).await;
    let code = Authenticator::reading(second["secret"].as_str().unwrap()).code(&app, 0).await;
    anna.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    is(&elsewhere.get("/me").await, 401, "UNAUTHORIZED");
    anna.get("/me").await.expect(200);
    let dev = app.login("demo", "viewer").await;
    is(&dev.post("/auth/totp", &json!({})).await, 409, "CONFLICT");
}

#[tokio::test]
async fn in_production_every_cookie_of_a_session_is_a_host_cookie_and_beta_has_others() {
    for (environment, suffix) in [("prod", ""), ("beta", "_beta")] {
        let app = TestApp::builder().pools(&[]).outside_of_dev(environment).start().await;
        register(&app, "anna").await;
        let login = log_in(&app, "anna", PASSWORD, None).await;
        let cookies = |answer: &Answer| -> Vec<String> {
            answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
        };
        let names = [format!("__Host-token{suffix}="), format!("__Host-refresh{suffix}=")];
        let mut jar = Vec::new();
        for (cookie, name) in cookies(&login).iter().zip(&names) {
            assert!(cookie.starts_with(name), "{cookie}");
            let parts: BTreeSet<&str> = cookie.split("; ").skip(1).collect();
            for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
                assert!(parts.contains(part), "{cookie}");
            }
            assert!(!cookie.to_lowercase().contains("domain"), "{cookie}");
            jar.push(cookie.split(';').next().unwrap().to_owned());
        }
        assert_eq!(jar.len(), 2);
        let from_page = |method: Method, path: &str| {
            let request = app.anonymous().request(method, path).header("sec-fetch-site", "same-origin");
            request.header("cookie", jar.join("; "))
        };
        assert_eq!(Session::send(from_page(Method::GET, "/me")).await.expect(200)["login"], "anna");
        let renewed = Session::send(from_page(Method::POST, "/auth/refresh").json(&json!({}))).await;
        assert_eq!((renewed.status.as_u16(), cookies(&renewed).len()), (204, 2));
        // The other environment's names open nothing, though the tokens are the same.
        let swapped = jar
            .join("; ")
            .replace(&format!("token{suffix}="), if suffix.is_empty() { "token_beta=" } else { "token=" });
        let other = app.anonymous().request(Method::GET, "/me").header("cookie", swapped);
        is(&Session::send(other).await, 401, "UNAUTHORIZED");
        let login = app.anonymous().post("/auth/dev/login", &json!({ "login": "anna", "role": "admin" })).await;
        assert_eq!(login.status.as_u16(), 404);
    }
}

#[tokio::test]
async fn whoever_is_forgotten_is_unknown_from_then_on() {
    let mut app = api().await;
    app.leaves_jobs_behind();
    let anna = register(&app, "anna").await;
    assert_eq!(anna.delete("/users/me").await.status, 202);
    let known = log_in(&app, "anna", PASSWORD, None).await;
    is(&known, 401, "CREDENTIALS_INVALID");
    assert_eq!(known.json["detail"], log_in(&app, "nobody", PASSWORD, None).await.json["detail"]);
}
