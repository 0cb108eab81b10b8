//! What a whole system tells and keeps: who was let in and refused is written down, and no secret ever is.

use harness::{MemalertsProcess, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::passwords::Authenticator;

/// The lines of the log that concern security.
fn events(process: &MemalertsProcess) -> Vec<Value> {
    process.log().into_iter().filter(|line| line["target"] == "security").collect()
}

#[tokio::test]
async fn who_is_let_in_and_who_is_refused_is_written_down() {
    let app = TestApp::builder().pools(&[]).start().await;
    let mut api = MemalertsProcess::spawn(&["api"], &app.process_env());
    let base = api.base_url().await;
    let anybody = app.anonymous().at(&base);
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": "correct horse battery" });
    let anna = anybody.post("/auth/register", &wish).await.expect(201);
    let anna = anybody.with_token(anna["access_token"].as_str().unwrap());
    let id = anna.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    anybody.post("/auth/login", &json!({ "username": "anna", "password": "guessed wrong" })).await.expect(401);
    anna.get("/owner/users").await.expect(403);
    anybody.get("/me").await.expect(401);
    let boss = app.login("boss", "admin").await.at(&base);
    boss.put(&format!("/owner/users/{id}/observer"), &json!({})).await;
    let foreign = anybody.request(Method::POST, "/auth/login").header("sec-fetch-site", "cross-site").json(&wish);
    Session::send(foreign).await.expect(403);

    let told = wait_until("all is written down", async || {
        let told = events(&api);
        (told.len() >= 6).then_some(told)
    })
    .await;
    let seen: Vec<(&str, &str, u64, &str)> = told
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap();
            assert!(
                !text("requestId").is_empty() && !text("ts").is_empty() && text("address") == "127.0.0.1",
                "{line}"
            );
            (text("event"), text("path"), line["status"].as_u64().unwrap(), text("errorCode"))
        })
        .collect();
    for expected in [
        ("authentication", "/auth/register", 201, ""),
        ("authentication_refused", "/auth/login", 401, "CREDENTIALS_INVALID"),
        ("authorization_refused", "/owner/users", 403, "FORBIDDEN"),
        ("authentication_refused", "/me", 401, "UNAUTHORIZED"),
        ("foreign_site_refused", "/auth/login", 403, "CSRF_INVALID"),
    ] {
        assert!(seen.contains(&expected), "no {expected:?} in {seen:?}");
    }
    let of = |event: &str, path: &str| told.iter().find(|line| line["event"] == event && line["path"] == path).unwrap();
    assert_eq!(of("authorization_refused", "/owner/users")["user"], id);
    assert_eq!(of("authentication", "/auth/register")["user"], id);
    let act = told.iter().find(|line| line["event"] == "privileged_act").expect("an act of an admin");
    assert_eq!(act["user"], boss.user_id);
}

/// Everything in the database, as text.
async fn dump(pool: &PgPool) -> String {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select table_schema::text, table_name::text from information_schema.tables \
         where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 20, "the whole system has more tables than {}", tables.len());
    let mut text = String::new();
    for (schema, table) in tables {
        let rows = format!("select coalesce(string_agg(t::text, E'\\n'), '') from \"{schema}\".\"{table}\" t");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(pool).await.unwrap();
        text.push_str(&rows);
    }
    text
}

#[tokio::test]
async fn no_secret_is_in_a_log_an_error_a_metric_an_event_or_the_database() {
    let secret = |name: &str| format!("canary-{name}-{}", uuid::Uuid::new_v4().simple());
    let (signing, internal, client) = (secret("signing"), secret("internal"), secret("client"));
    let data_key = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let mut app = TestApp::builder().pools(&[]).start().await;
    // It has another data key than the process, which starts beside none that could not open what it seals.
    app.stop();
    let mut env = app.process_env().to_vec();
    env.extend([
        ("MEMALERTS_SECRET", signing.clone()),
        ("MEMALERTS_INTERNAL_SECRET", internal.clone()),
        ("MEMALERTS_DATA_KEY", data_key.clone()),
        ("TWITCH_CLIENT_ID", "memalerts".to_owned()),
        ("TWITCH_CLIENT_SECRET", client.clone()),
        ("LOG_LEVEL", "debug".to_owned()),
    ]);
    let mut api = MemalertsProcess::spawn(&["api"], &env);
    let base = api.base_url().await;
    let metrics = api.logged("metrics are served").await["address"].as_str().unwrap().to_owned();
    let anybody = app.anonymous().at(&base);
    let mut secrets = vec![signing, internal, client, data_key];
    let mut told = String::new();

    // Whatever proves a person.
    let (password, other, wrong) = (secret("password"), secret("other"), secret("wrong"));
    let wish = json!({ "username": "anna", "email": "anna@example.org", "password": password });
    let mut tokens = anybody.post("/auth/register", &wish).await.expect(201);
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    secrets.extend([text(&tokens, "access_token"), text(&tokens, "refresh_token")]);
    tokens =
        anybody.post("/auth/refresh", &json!({ "refresh_token": text(&tokens, "refresh_token") })).await.expect(200);
    let anna = anybody.with_token(&text(&tokens, "access_token"));
    secrets.extend([text(&tokens, "access_token"), text(&tokens, "refresh_token")]);
    told += &anybody.post("/auth/login", &json!({ "username": "anna", "password": wrong })).await.text;
    let seed = text(&anna.post("/auth/totp", &json!({})).await.expect(200), "secret");
    let code = Authenticator::reading(&seed).code(&app, 0).await;
    let confirmed = anna.post("/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    let recovery = confirmed["recoveryCodes"].as_array().expect("recovery codes");
    secrets.extend(recovery.iter().map(|code| code.as_str().unwrap().to_owned()));
    secrets.push(seed);
    let change = json!({ "current_password": password, "password": other });
    told += &anna.put("/auth/password", &change).await.text;
    secrets.extend([password, other, wrong]);

    // Whatever opens a channel's screens.
    let demo = anybody.post("/auth/dev/login", &json!({ "login": "demo", "role": "streamer" })).await.expect(200);
    let demo = anybody.with_token(&text(&demo, "token"));
    let overlay = text(&demo.get("/streamer/overlay/token").await.expect(200), "token");
    let credits = text(&demo.get("/streamer/credits/token").await.expect(200), "token");
    for path in [
        format!("/overlay/t/{overlay}/poll?wait=99"),
        format!("/overlay/t/{overlay}/nothing"),
        format!("/overlay/t/{overlay}x/poll"),
        format!("/overlay/credits/t/{credits}/poll?wait=-1"),
    ] {
        told += &anybody.get(&path).await.text;
    }
    secrets.extend([overlay, credits]);

    // A bearer of nothing.
    let forged = secret("bearer");
    told += &anybody.with_token(&forged).get("/me").await.text;
    let odd = anybody.request(Method::GET, "/auth/twitch/callback?state=canary-state-1&code=canary-code-1");
    told += &Session::send(odd.header("cookie", "login_dev=canary-login-cookie-1")).await.text;
    secrets.extend([
        forged,
        "canary-state-1".to_owned(),
        "canary-code-1".to_owned(),
        "canary-login-cookie-1".to_owned(),
    ]);

    told += &reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    let kept = dump(app.pool()).await;
    assert!(api.stop().await.success());
    let (log, said) = (api.raw_log().join("\n"), api.stdout().join("\n"));
    assert!(log.contains("/auth/login") && kept.contains("anna@example.org"), "nothing was looked at");
    for secret in secrets {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for (place, text) in
            [("an answer", &told), ("the log", &log), ("standard output", &said), ("the database", &kept)]
        {
            assert!(!text.contains(&secret) && !text.contains(&hex), "{secret} is in {place}");
        }
    }
}
