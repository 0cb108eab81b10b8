//! Production and beta are strangers to each other, also when somebody gave them the same secrets.

use domain::{
    accounts::{self, Role},
    sessions::{self, Origin},
};
use harness::{Answer, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const PANEL: &str = "https://panel.example";

async fn instance(environment: &str, panel: &str) -> TestApp {
    TestApp::builder().outside_of_dev(environment).env("CORS_ORIGINS", panel).pools(&[]).start().await
}

/// Somebody's `access_token` and `refresh_token` there.
async fn tokens(app: &TestApp) -> [String; 2] {
    let mut tx = app.db.begin().await.unwrap();
    let login = accounts::parse_login("anna").unwrap();
    let user = accounts::upsert_by_login(&mut tx, &login, "Anna", Role::Viewer).await.unwrap();
    let opened = sessions::open(&mut tx, &app.process.keys, user.id, &["test"], &Origin::new("", "")).await.unwrap();
    tx.commit().await.unwrap();
    let refresh = json!({ "refresh_token": opened.token.expose() });
    let tokens: Value = app.anonymous().post("/auth/refresh", &refresh).await.expect(200);
    ["access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap().to_owned())
}

/// Asks for something that the token alone decides about: 404 for whom it names, 401 for a stranger.
async fn ask(app: &TestApp, header: &'static str, value: String) -> u16 {
    let path = format!("/me/activations/{}", uuid::Uuid::nil());
    Session::send(app.anonymous().request(Method::GET, &path).header(header, value)).await.status.as_u16()
}

async fn refresh(app: &TestApp, cookie: &str, token: &str) -> Answer {
    let own = app.base.replace("127.0.0.1", "localhost");
    let request = app.anonymous().request(Method::POST, "/auth/refresh").header("origin", own);
    Session::send(request.header("cookie", format!("{cookie}={token}")).json(&json!({}))).await
}

#[tokio::test]
async fn a_session_of_production_means_nothing_to_beta_and_the_other_way_round() {
    let prod = instance("prod", PANEL).await;
    let beta = instance("beta", "https://beta-panel.example").await;
    let here = [("__Host-token", "__Host-refresh"), ("__Host-token_beta", "__Host-refresh_beta")];
    for (app, stranger, (own, own_refresh), (foreign, foreign_refresh)) in
        [(&prod, &beta, here[0], here[1]), (&beta, &prod, here[1], here[0])]
    {
        let [access, refresh_token] = tokens(app).await;
        assert_eq!(ask(app, "authorization", format!("Bearer {access}")).await, 404);
        assert_eq!(ask(app, "cookie", format!("{own}={access}")).await, 404);
        assert_eq!(ask(app, "cookie", format!("{foreign}={access}")).await, 401, "the other's cookie is none here");
        assert_eq!(ask(stranger, "authorization", format!("Bearer {access}")).await, 401);
        for cookie in [own, foreign, "token_dev"] {
            assert_eq!(ask(stranger, "cookie", format!("{cookie}={access}")).await, 401, "{cookie}");
        }
        for cookie in [own_refresh, foreign_refresh] {
            assert_eq!(refresh(stranger, cookie, &refresh_token).await.status.as_u16(), 401, "{cookie}");
        }
        assert_eq!(refresh(app, foreign_refresh, &refresh_token).await.status.as_u16(), 401);

        let refreshed = refresh(app, own_refresh, &refresh_token).await;
        assert_eq!(refreshed.status.as_u16(), 204, "{}", refreshed.text);
        let cookies: Vec<&str> =
            refreshed.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!(cookies.len(), 2);
        for (cookie, name) in cookies.iter().zip([own, own_refresh]) {
            assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
            for word in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(cookie.split("; ").any(|part| part == word), "{cookie} without {word}");
            }
            assert!(!cookie.to_lowercase().contains("domain="), "{cookie}");
        }
    }
}

#[tokio::test]
async fn the_pages_of_one_may_not_use_the_other() {
    let prod = instance("prod", PANEL).await;
    let beta = instance("beta", "https://beta-panel.example").await;
    let shared = async |app: &TestApp| {
        let answer = Session::send(app.anonymous().request(Method::GET, "/health").header("origin", PANEL)).await;
        answer.header("access-control-allow-origin").to_owned()
    };
    assert_eq!((shared(&prod).await.as_str(), shared(&beta).await.as_str()), (PANEL, ""));
    let [access, _] = tokens(&beta).await;
    let request = beta.anonymous().request(Method::POST, "/auth/logout").header("origin", PANEL);
    let answer = Session::send(request.header("cookie", format!("__Host-token_beta={access}"))).await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (403, "CSRF_INVALID"));
    assert_eq!(ask(&beta, "authorization", format!("Bearer {access}")).await, 404, "the session goes on");
}
