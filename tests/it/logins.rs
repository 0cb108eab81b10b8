//! Sessions: how they go on, and that their end counts at once and everywhere.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use harness::{Answer, Events, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sizes::size;

/// API without pools: nothing here is work for one.
async fn api() -> TestApp {
    TestApp::builder().pools(&[]).start().await
}

/// Somebody on a device, with the refresh token.
async fn device(app: &TestApp, login: &str, role: &str) -> (Session, String) {
    let answer = app.anonymous().post("/auth/dev/login", &json!({ "login": login, "role": role })).await.expect(200);
    let mut session = app.anonymous();
    session.token = answer["token"].as_str().map(str::to_owned);
    session.login = login.to_owned();
    session.user_id = answer["userId"].as_str().unwrap().to_owned();
    (session, answer["refreshToken"].as_str().unwrap().to_owned())
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/auth/refresh", &json!({ "refresh_token": token })).await
}

/// The next refresh token.
async fn next(app: &TestApp, token: &str) -> String {
    refresh(app, token).await.expect(200)["refresh_token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.error_code()), (status, code), "{}", answer.text);
}

async fn is_out(session: &Session) {
    is(&session.get("/me").await, 401, "UNAUTHORIZED");
}

/// Its last event says that the stream may not be read any more, and then it ends.
async fn is_cut(mut events: Events) {
    let closed = events.wait_for("closed").await;
    assert_eq!(closed.data["reason"], "revoked");
    assert_eq!(events.pull().await, None);
}

/// What `Set-Cookie` says of a cookie: its value.
fn set_cookie(answer: &Answer, name: &str) -> String {
    let all = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let mut found = all.filter_map(|cookie| cookie.strip_prefix(&format!("{name}="))?.split(';').next());
    let value = found.next().unwrap_or_else(|| panic!("no cookie {name} in {:?}", answer.headers));
    assert_eq!(found.next(), None, "it is set twice");
    value.to_owned()
}

#[tokio::test]
async fn a_login_lives_for_minutes_and_is_refreshed_over_restarts() {
    let mut app = api().await;
    let (anna, first) = device(&app, "anna", "viewer").await;
    app.stop();
    let app = app.beside().pools(&[]).start().await;
    anna.at(&app.base).get("/me").await.expect(200);
    let answer = refresh(&app, &first).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.expect(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    let renewed = anna.at(&app.base).with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(renewed.get("/me").await.expect(200)["login"], "anna");
    assert_ne!(tokens["refresh_token"], json!(first));
    // The access token of before lives until its minutes are over.
    anna.at(&app.base).get("/me").await.expect(200);
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_wins_and_the_others_hear_that_they_were_overtaken() {
    let app = api().await;
    let beside = app.beside().pools(&[]).start().await;
    let (anna, first) = device(&app, "anna", "viewer").await;
    for _ in 0..size(3, 200) {
        let token = device(&app, "anna", "viewer").await.1;
        let tries = (0..64).map(|n| refresh(if n % 2 == 0 { &app } else { &beside }, &token));
        let (good, late): (Vec<_>, Vec<_>) =
            join_all(tries).await.into_iter().partition(|answer| answer.status.is_success());
        assert_eq!((good.len(), late.len()), (1, 63));
        late.iter().for_each(|answer| is(answer, 409, "CONFLICT"));
        // The one branch lives.
        next(&app, good[0].json["refresh_token"].as_str().unwrap()).await;
    }
    next(&app, &first).await;
    anna.get("/me").await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_up_ends_the_session_whichever_ancestor_it_is() {
    let app = api().await;
    let families = size(4, 10_000);
    for ancestor in (0..families).map(|family| family % 4) {
        let (thief, first) = device(&app, "anna", "viewer").await;
        let mut line = vec![first];
        for _ in 0..4 {
            line.push(next(&app, line.last().unwrap()).await);
        }
        app.advance(Duration::from_secs(11)).await;
        is(&refresh(&app, &line[ancestor]).await, 401, "SESSION_EXPIRED");
        is(&refresh(&app, &line[4]).await, 401, "SESSION_EXPIRED");
        is_out(&thief).await;
    }
    let reasons: Vec<String> = sqlx::query_scalar("select end_reason from sessions where ended_at is not null")
        .fetch_all(app.pool())
        .await
        .unwrap();
    assert_eq!(reasons, vec!["reuse"; families]);
}

#[tokio::test]
async fn an_older_ancestor_ends_the_session_even_within_the_seconds_in_which_the_last_is_forgiven() {
    let app = api().await;
    let (_, first) = device(&app, "anna", "viewer").await;
    let second = next(&app, &first).await;
    let third = next(&app, &second).await;
    is(&refresh(&app, &second).await, 409, "CONFLICT");
    is(&refresh(&app, &first).await, 401, "SESSION_EXPIRED");
    is(&refresh(&app, &third).await, 401, "SESSION_EXPIRED");
}

#[tokio::test]
async fn whoever_makes_refresh_tokens_up_gets_nothing_and_ends_nobody() {
    let app = api().await;
    let (anna, token) = device(&app, "anna", "viewer").await;
    let (head, secret) = token.rsplit_once('_').unwrap();
    let id = &anna.get("/auth/sessions").await.expect(200)[0]["id"];
    assert_eq!(head, format!("mr_{}", id.as_str().unwrap().replace('-', "")));
    let flipped = |at: usize| {
        let mut bytes = secret.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        format!("{head}_{}", String::from_utf8(bytes).unwrap())
    };
    let mut forged: Vec<String> = (0..secret.len()).step_by(5).map(flipped).collect();
    forged.extend([
        String::new(),
        head.to_owned(),
        format!("{head}_"),
        format!("{head}_{}", "0".repeat(secret.len())),
        format!("{head}_{}", secret.to_uppercase()),
        format!("{token}0"),
        token[..token.len() - 2].to_owned(),
        anna.token.clone().unwrap(),
    ]);
    for wrong in forged.iter().filter(|wrong| **wrong != token) {
        is(&refresh(&app, wrong).await, 401, "SESSION_EXPIRED");
    }
    is(&app.anonymous().post("/auth/refresh", &json!({})).await, 401, "UNAUTHORIZED");
    is(&refresh(&app, &"x".repeat(513)).await, 400, "VALIDATION_ERROR");
    anna.get("/me").await.expect(200);
    next(&app, &token).await;
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_after_a_month_and_any_after_ninety_days() {
    let app = api().await;
    let day = Duration::from_hours(24);
    let (_, idle) = device(&app, "anna", "viewer").await;
    let (_, mut busy) = device(&app, "bert", "viewer").await;
    for _ in 0..3 {
        app.advance(day * 29).await;
        busy = next(&app, &busy).await;
    }
    is(&refresh(&app, &idle).await, 401, "SESSION_EXPIRED");
    app.advance(day * 4).await;
    is(&refresh(&app, &busy).await, 401, "SESSION_EXPIRED");
}

#[tokio::test]
async fn sessions_are_forgotten_a_month_after_their_end() {
    let app = TestApp::start().await;
    let (anna, _) = device(&app, "anna", "viewer").await;
    anna.post("/auth/logout", &json!({})).await.expect(204);
    device(&app, "bert", "viewer").await;
    let count = async || {
        let count: i64 = sqlx::query_scalar("select count(*) from sessions").fetch_one(app.pool()).await.unwrap();
        count
    };
    app.advance(Duration::from_hours(24 * 29)).await;
    app.drain().await;
    assert_eq!(count().await, 2);
    app.advance(Duration::from_hours(24 * 2)).await;
    wait_until("the one that ended is forgotten", async || (count().await == 1).then_some(())).await;
    app.advance(Duration::from_hours(24 * 30)).await;
    wait_until("the one that was over by itself, too", async || (count().await == 0).then_some(())).await;
}

#[tokio::test]
async fn after_a_logout_no_token_of_the_session_opens_anything_anywhere() {
    let app = api().await;
    let beside = app.beside().pools(&[]).start().await;
    let (anna, token) = device(&app, "anna", "viewer").await;
    let (other, _) = device(&app, "anna", "viewer").await;
    let elsewhere = anna.at(&beside.base);
    let (mine, theirs) = (anna.events("/me/events").await, elsewhere.events("/me/events").await);
    let out = anna.post("/auth/logout", &json!({})).await;
    assert_eq!((set_cookie(&out, "token_dev"), set_cookie(&out, "refresh_dev")), (String::new(), String::new()));
    out.expect(204);
    // At once where it was said, and as soon as it is heard where it was not; after a restart, too.
    is_out(&anna).await;
    is_cut(mine).await;
    wait_until("the other process knows", async || (elsewhere.get("/me").await.status == 401).then_some(())).await;
    is_cut(theirs).await;
    is(&refresh(&app, &token).await, 401, "SESSION_EXPIRED");
    let third = app.beside().pools(&[]).start().await;
    is_out(&anna.at(&third.base)).await;
    other.get("/me").await.expect(200);
    // Nobody in particular may say it, too.
    anna.post("/auth/logout", &json!({})).await.expect(204);
    app.anonymous().post("/auth/logout", &json!({})).await.expect(204);
}

#[tokio::test]
async fn nothing_opens_with_a_session_whose_end_was_not_heard_of_yet_or_that_is_not_there() {
    let app = api().await;
    let (anna, _) = device(&app, "anna", "viewer").await;
    // As another process ends it, before its word is here.
    let ended = "update sessions set ended_at = app_now(), end_reason = 'revoked' where user_id = $1";
    sqlx::query(ended).bind(uuid::Uuid::parse_str(&anna.user_id).unwrap()).execute(app.pool()).await.unwrap();
    let wish = json!({ "theme": "dark" });
    is(&anna.patch("/me/preferences", &wish).await, 401, "UNAUTHORIZED");
    is(&anna.post("/users/me/export", &json!({})).await, 401, "UNAUTHORIZED");
    is(&anna.get("/me").await, 401, "UNAUTHORIZED");
    // A token that is ours, of a session that never was, or that is somebody else's.
    let ((bert, _), (carl, _)) = (device(&app, "bert", "viewer").await, device(&app, "carl", "viewer").await);
    let [of_bert, of_carl] = [&bert, &carl].map(|who| uuid::Uuid::parse_str(&who.user_id).unwrap());
    let moved = sqlx::query("update sessions set user_id = $2 where user_id = $1");
    moved.bind(of_bert).bind(of_carl).execute(app.pool()).await.unwrap();
    for path in ["/me", "/auth/sessions"] {
        is(&bert.get(path).await, 401, "UNAUTHORIZED");
    }
    is(&bert.patch("/me/preferences", &wish).await, 401, "UNAUTHORIZED");
    sqlx::query("delete from sessions where user_id = $1").bind(of_carl).execute(app.pool()).await.unwrap();
    is(&carl.get("/me").await, 401, "UNAUTHORIZED");
    let (anna, _) = device(&app, "anna", "viewer").await;
    assert_ne!(anna.get("/me/preferences").await.expect(200)["theme"], "dark");
    anna.patch("/me/preferences", &wish).await.expect(200);
}

#[tokio::test]
async fn everybody_sees_and_ends_their_own_sessions_and_nobody_elses() {
    let app = api().await;
    let ((phone, _), (desk, desk_token), (bert, _)) = (
        device(&app, "anna", "viewer").await,
        device(&app, "anna", "viewer").await,
        device(&app, "bert", "viewer").await,
    );
    let list = phone.get("/auth/sessions").await.expect(200);
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    let current: Vec<&Value> = list.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!((&current[0]["methods"], &current[0]["address"]), (&json!(["dev"]), &json!("127.0.0.1")));
    let of_desk = list.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/auth/sessions/{of_desk}");
    is(&bert.delete(&path).await, 404, "NOT_FOUND");
    desk.get("/me").await.expect(200);
    phone.delete(&path).await.expect(204);
    is_out(&desk).await;
    is(&refresh(&app, &desk_token).await, 401, "SESSION_EXPIRED");
    is(&phone.delete(&path).await, 404, "NOT_FOUND");
    for _ in 0..3 {
        device(&app, "anna", "viewer").await;
    }
    assert_eq!(phone.post("/auth/sessions/end-others", &json!({})).await.expect(200), json!({ "ended": 3 }));
    assert_eq!(phone.get("/auth/sessions").await.expect(200).as_array().unwrap().len(), 1);
    bert.get("/me").await.expect(200);
}

#[tokio::test]
async fn a_role_that_is_changed_and_a_ban_count_at_once_and_are_written_down() {
    let app = api().await;
    let (boss, _) = device(&app, "boss", "admin").await;
    let (demo, token) = device(&app, "demo", "streamer").await;
    let path = format!("/owner/users/{}", demo.user_id);
    let stream = demo.events("/streamer/events").await;
    // The role that somebody has is no change.
    let same = boss.put(&format!("{path}/role"), &json!({ "role": "streamer" })).await.expect(200);
    assert_eq!((&same["role"], same.get("bannedAt")), (&json!("streamer"), None));
    demo.get("/streamer/queue").await.expect(200);
    boss.put(&format!("{path}/role"), &json!({ "role": "viewer" })).await.expect(200);
    is_out(&demo).await;
    is_cut(stream).await;
    is(&refresh(&app, &token).await, 401, "SESSION_EXPIRED");
    let (again, _) = device(&app, "demo", "viewer").await;
    is(&again.get("/streamer/queue").await, 403, "FORBIDDEN");

    let banned = boss.post(&format!("{path}/ban"), &json!({ "reason": "spam" })).await.expect(200);
    assert!(banned["bannedAt"].is_string(), "{banned}");
    is_out(&again).await;
    let login = json!({ "login": "demo", "role": "viewer" });
    is(&app.anonymous().post("/auth/dev/login", &login).await, 403, "ACCOUNT_BANNED");
    // What was said of why stays, until something else is said.
    for nothing in [json!({}), json!({ "reason": " \r\n " })] {
        let still = boss.post(&format!("{path}/ban"), &nothing).await.expect(200);
        assert_eq!((&still["bannedAt"], &still["banReason"]), (&banned["bannedAt"], &json!("spam")));
    }
    let reworded = boss.post(&format!("{path}/ban"), &json!({ "reason": "spam \r\nand worse" })).await.expect(200);
    assert_eq!((&reworded["bannedAt"], &reworded["banReason"]), (&banned["bannedAt"], &json!("spam and worse")));
    let listed = boss.get("/owner/users?login=demo").await.expect(200);
    assert_eq!(listed["users"][0]["banReason"], "spam and worse", "{listed}");
    let free = boss.post(&format!("{path}/unban"), &json!({})).await.expect(200);
    assert_eq!(free.get("bannedAt"), None);
    device(&app, "demo", "viewer").await.0.get("/me").await.expect(200);

    let log = boss.get(&format!("/owner/audit?user={}", demo.user_id)).await.expect(200);
    let acts: Vec<_> =
        log["acts"].as_array().unwrap().iter().map(|act| json!([act["act"], act["before"], act["after"]])).collect();
    let banned = |banned: bool| json!({ "banned": banned });
    let expected = [
        json!(["unban", banned(true), banned(false)]),
        json!(["ban", { "reason": "spam" }, { "reason": "spam and worse" }]),
        json!(["ban", banned(false), banned(true)]),
        json!(["change_role", { "role": "streamer" }, { "role": "viewer" }]),
    ];
    assert_eq!(acts, expected);
    assert_eq!(log["acts"][2]["reason"], "spam");
    assert!(
        log["acts"].as_array().unwrap().iter().all(|act| act["actor"] == "user:boss" && act["requestId"].is_string())
    );
}

#[tokio::test]
async fn whoever_logs_in_while_being_banned_is_refused_or_thrown_out() {
    let app = api().await;
    let (boss, _) = device(&app, "boss", "admin").await;
    for round in 0..5 {
        let login = format!("late_{round}");
        let (first, _) = device(&app, &login, "viewer").await;
        let (path, nothing) = (format!("/owner/users/{}/ban", first.user_id), json!({}));
        let body = json!({ "login": login, "role": "viewer" });
        let somebody = app.anonymous();
        let logins = join_all((0..16).map(|_| somebody.post("/auth/dev/login", &body)));
        let (banned, logins) = tokio::join!(boss.post(&path, &nothing), logins);
        banned.expect(200);
        for answer in logins {
            match answer.json["token"].as_str() {
                Some(token) => is_out(&app.anonymous().with_token(token)).await,
                None => is(&answer, 403, "ACCOUNT_BANNED"),
            }
        }
    }
}

#[tokio::test]
async fn admins_find_people_and_cannot_shut_themselves_out() {
    let app = api().await;
    let (boss, _) = device(&app, "boss", "admin").await;
    for n in 0..5 {
        device(&app, &format!("anna_{n}"), "viewer").await;
    }
    let (anna, _) = device(&app, "annax", "viewer").await;
    let mut seen = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page = boss.get(&format!("/owner/users?login=Anna_&limit=2&after={after}")).await.expect(200);
        let users = page["users"].as_array().unwrap();
        assert!(users.len() <= 2);
        seen.extend(users.iter().map(|user| user["login"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (0..5).map(|n| format!("anna_{n}")).collect());
    is(&boss.get("/owner/users?limit=0").await, 400, "VALIDATION_ERROR");
    let own = format!("/owner/users/{}", boss.user_id);
    is(&boss.put(&format!("{own}/role"), &json!({ "role": "viewer" })).await, 409, "CONFLICT");
    is(&boss.post(&format!("{own}/ban"), &json!({})).await, 409, "CONFLICT");
    let nobody = format!("/owner/users/{}", uuid::Uuid::now_v7());
    is(&boss.post(&format!("{nobody}/ban"), &json!({})).await, 404, "NOT_FOUND");
    is(&anna.get("/owner/users").await, 403, "FORBIDDEN");
    is(&anna.put(&format!("{own}/role"), &json!({ "role": "viewer" })).await, 403, "FORBIDDEN");
}

#[tokio::test]
async fn a_program_with_a_jar_for_cookies_refreshes_by_what_it_gives_and_not_by_what_is_in_the_jar() {
    let app = api().await;
    let (_, first) = device(&app, "anna", "viewer").await;
    let asks = async |body: Value, token: &str| {
        let request =
            app.anonymous().request(Method::POST, "/auth/refresh").header("cookie", format!("refresh_dev={token}"));
        Session::send(request.json(&body)).await
    };
    is(&asks(json!({}), &first).await, 403, "CSRF_INVALID");
    let renewed = asks(json!({ "refresh_token": first }), &first).await.expect(200);
    let second = renewed["refresh_token"].as_str().unwrap();
    is(&asks(json!({}), second).await, 403, "CSRF_INVALID");
    asks(json!({ "refresh_token": second }), &first).await.expect(200);
}

#[tokio::test]
async fn a_browser_gets_its_tokens_as_cookies_and_its_next_login_ends_the_one_before() {
    let app = api().await;
    let login = json!({ "login": "anna", "role": "viewer" });
    let from_page = |path: &str, cookies: &str| {
        let request = app.anonymous().request(Method::POST, path).header("sec-fetch-site", "same-origin");
        request.header("cookie", cookies.to_owned())
    };
    let cookies = |answer: &Answer| {
        format!("token_dev={}; refresh_dev={}", set_cookie(answer, "token_dev"), set_cookie(answer, "refresh_dev"))
    };
    let first = app.anonymous().post("/auth/dev/login", &login).await;
    let browser = app.anonymous().with_token(&set_cookie(&first, "token_dev"));
    let renewed = Session::send(from_page("/auth/refresh", &cookies(&first)).json(&json!({}))).await;
    assert_eq!((renewed.status.as_u16(), renewed.text.as_str()), (204, ""), "no token for scripts to read");
    // An attacker's site cannot even rotate it.
    let request = app.anonymous().request(Method::POST, "/auth/refresh").header("sec-fetch-site", "cross-site");
    let foreign = request.header("cookie", format!("refresh_dev={}", set_cookie(&renewed, "refresh_dev")));
    is(&Session::send(foreign.json(&json!({}))).await, 403, "CSRF_INVALID");
    let second = Session::send(from_page("/auth/dev/login", &cookies(&renewed)).json(&login)).await;
    let (former, present) = (browser, app.anonymous().with_token(&set_cookie(&second, "token_dev")));
    is_out(&former).await;
    let list = present.get("/auth/sessions").await.expect(200);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["current"]), (1, &json!(true)));
    // A browser that was away for an hour has but the refresh token to log out with.
    let refresh_only = format!("refresh_dev={}", set_cookie(&second, "refresh_dev"));
    Session::send(from_page("/auth/logout", &refresh_only).json(&json!({}))).await.expect(204);
    is_out(&present).await;
}
