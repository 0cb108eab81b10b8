//! Tokens that a streamer gives to sources, docks and programs: what each opens, and how it is taken back.

use std::time::{Duration, Instant};

use harness::{MemalertsProcess, ServerEvent, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{realtime::api, sizes::size, stage::Stage};

/// A token and its id.
pub(crate) struct Given {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Makes a token of this kind, with these scopes.
pub(crate) async fn give(streamer: &Session, kind: &str, name: &str, scopes: &[&str]) -> Given {
    let mut wish = json!({ "kind": kind, "name": name });
    if !scopes.is_empty() {
        wish["scopes"] = json!(scopes);
    }
    let made = streamer.post("/streamer/tokens", &wish).await.expect(201);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let secret = text(&made["secret"]);
    assert!(secret.starts_with(&format!("ma_{kind}_")), "programs that look for lost secrets know it: {secret}");
    match kind {
        "overlay" => assert!(text(&made["url"]).ends_with(&format!("/overlay/t/{secret}"))),
        _ => assert!(made["url"].is_null()),
    }
    Given { id: text(&made["token"]["id"]), secret }
}

#[tokio::test]
async fn each_source_has_a_token_of_its_own_and_one_is_revoked_without_the_others() {
    let mut stage = Stage::on(api().await).await;
    stage.app.leaves_jobs_behind();
    let other = stage.app.beside().pools(&[]).start().await;
    let (lost, kept) =
        (give(&stage.streamer, "overlay", "Laptop", &[]).await, give(&stage.streamer, "overlay", "Studio", &[]).await);
    let nobody = stage.app.anonymous();
    let door = |secret: &str, rest: &str| format!("/overlay/t/{secret}{rest}");
    let mut here = nobody.events(&door(&lost.secret, "/events?screen=obs")).await;
    let mut there = other.anonymous().events(&door(&lost.secret, "/events")).await;
    let mut studio = nobody.events(&door(&kept.secret, "/events")).await;
    let mut own = nobody.events(&door(&stage.token, "/events")).await;
    for events in [&mut here, &mut there, &mut studio, &mut own] {
        events.wait_for("overlay:state").await;
    }
    let poll = nobody.get(&door(&lost.secret, "/poll")).await.expect(200);
    let waiting = tokio::spawn({
        let (nobody, path) = (nobody.clone(), poll["cursor"].as_str().unwrap().to_owned());
        let path = door(&lost.secret, &format!("/poll?wait=25&cursor={path}"));
        async move { nobody.get(&path).await.status.as_u16() }
    });
    // It acknowledges, as the channel's own link does: an item that is not there is 404, not 401.
    let ack = door(&lost.secret, &format!("/activations/{}/ack", Uuid::now_v7()));
    let word = json!({ "state": "started", "playEpoch": 1, "screenId": Uuid::now_v7() });
    assert_eq!(nobody.post(&ack, &word).await.status.as_u16(), 404);
    nobody.get(&door(&lost.secret, "")).await.expect(200);

    stage.streamer.delete(&format!("/streamer/tokens/{}", lost.id)).await.expect(204);
    let revoked = Instant::now();
    for events in [&mut here, &mut there] {
        assert_eq!(events.wait_for("closed").await.data["reason"], "revoked");
        assert_eq!(events.pull().await, None);
    }
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    assert_eq!(waiting.await.unwrap(), 401, "who was waiting hears of it");
    assert_eq!(nobody.post(&ack, &word).await.status.as_u16(), 401);
    for rest in ["", "/events", "/poll"] {
        assert_eq!(nobody.get(&door(&lost.secret, rest)).await.status.as_u16(), 401, "{rest}");
    }
    assert_eq!(stage.streamer.delete(&format!("/streamer/tokens/{}", lost.id)).await.error_code(), "NOT_FOUND");
    // The others go on; so does a source when the channel's own link is rotated.
    stage.streamer.post("/streamer/overlay/token/rotate", &json!({})).await.expect(200);
    assert_eq!(own.wait_for("closed").await.data["reason"], "revoked");
    stage.streamer.post("/streamer/queue/intake/pause", &json!({})).await.expect(200);
    studio.wait_where("the pause", |event| event.data["intakePaused"] == true).await;

    let all = stage.streamer.get("/streamer/tokens").await.expect(200);
    let names: Vec<&Value> = all.as_array().unwrap().iter().map(|token| &token["name"]).collect();
    assert_eq!(names, ["Overlay", "Credits", "Studio"]);
    let link = format!("/streamer/tokens/{}", all[0]["id"].as_str().unwrap());
    assert_eq!(stage.streamer.delete(&link).await.error_code(), "CONFLICT", "it is rotated instead");
    let renamed = stage.streamer.patch(&link, &json!({ "name": "Main" })).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["own"]), (&json!("Main"), &json!(true)));
}

#[tokio::test]
async fn a_program_does_what_its_scopes_name_on_its_own_channel_and_nothing_else() {
    let stage = Stage::on(api().await).await;
    let rival = stage.app.login("rival", "streamer").await;
    rival.put("/streamer/team/demo", &json!({ "role": "editor" })).await.expect(200);
    let reader = give(&stage.streamer, "api", "Statistics", &["queue:read", "memes:read"]).await;
    let reader = stage.app.anonymous().with_token(&reader.secret);
    reader.get("/streamer/queue").await.expect(200);
    reader.get("/streamer/queue?channel=demo").await.expect(200);
    reader.get("/streamer/memes").await.expect(200);
    for (path, detail) in [
        ("/streamer/channel/settings", "this needs a token with the scope channel:read"),
        ("/streamer/tokens", "no token opens this: log in"),
        ("/streamer/overlay/token", "no token opens this: log in"),
        ("/me", "no token opens this: log in"),
        ("/auth/sessions", "no token opens this: log in"),
        ("/owner/users", "no token opens this: log in"),
    ] {
        let refused = reader.get(path).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (403, "FORBIDDEN"), "{path}");
        assert_eq!(refused.json["detail"], detail, "{path}");
    }
    assert_eq!(reader.post("/streamer/queue/skip", &json!({})).await.error_code(), "FORBIDDEN");
    // Its owner is in another team; the token is not.
    stage.streamer.get("/streamer/queue?channel=rival").await.expect(200);
    assert_eq!(reader.get("/streamer/queue?channel=rival").await.error_code(), "CHANNEL_NOT_FOUND");
    // What may show a token of one kind is no door for another.
    let (source, dock) =
        (give(&stage.streamer, "overlay", "OBS", &[]).await, give(&stage.streamer, "dock", "Dock", &[]).await);
    let screen = stage.app.anonymous().with_token(&source.secret);
    assert_eq!(screen.get("/streamer/queue").await.status.as_u16(), 401, "a screen has no session");
    assert_eq!(stage.app.anonymous().get(&format!("/overlay/t/{}/poll", dock.secret)).await.status.as_u16(), 401);
    // In the owner's name: when that is banned, so is the program.
    stage
        .admin
        .post(&format!("/owner/users/{}/ban", stage.streamer.user_id), &json!({ "reason": "a story" }))
        .await
        .expect(200);
    assert_eq!(reader.get("/streamer/queue").await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_program_is_out_everywhere_when_its_token_is_revoked_or_over() {
    let stage = Stage::on(api().await).await;
    let other = stage.app.beside().pools(&[]).start().await;
    let given = give(&stage.streamer, "api", "Bot", &["queue:read"]).await;
    let (here, there) = (stage.app.anonymous().with_token(&given.secret), other.anonymous().with_token(&given.secret));
    let mut events = there.events("/streamer/events").await;
    events.wait_for("queue:state").await;
    for program in [&here, &there] {
        program.get("/streamer/queue").await.expect(200);
    }
    stage.streamer.delete(&format!("/streamer/tokens/{}", given.id)).await.expect(204);
    assert_eq!(here.get("/streamer/queue").await.status.as_u16(), 401, "at once, where it was revoked");
    assert_eq!(events.wait_for("closed").await.data["reason"], "revoked");
    assert_eq!(there.get("/streamer/queue").await.status.as_u16(), 401);

    let at = async |hours: i32| -> String {
        let words =
            "to_char(app_now() at time zone 'utc' + make_interval(hours => $1), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select {words}"))).bind(hours);
        query.fetch_one(stage.app.pool()).await.unwrap()
    };
    let wish = |at: String| json!({ "kind": "api", "name": "Guest", "scopes": ["queue:read"], "expiresAt": at });
    let over = stage.streamer.post("/streamer/tokens", &wish(at(-1).await)).await;
    assert_eq!(over.expect(400)["detail"], "expiresAt: a time that is yet to come");
    let made = stage.streamer.post("/streamer/tokens", &wish(at(1).await)).await.expect(201);
    let guest = other.anonymous().with_token(made["secret"].as_str().unwrap());
    let mut events = guest.events("/streamer/events").await;
    events.wait_for("queue:state").await;
    stage.app.advance(Duration::from_secs(3601)).await;
    assert_eq!(events.wait_for("closed").await.data["reason"], "expired");
    let all = stage.streamer.get("/streamer/tokens").await.expect(200);
    let marked: Vec<bool> = all.as_array().unwrap().iter().map(|token| token["expired"] == true).collect();
    assert_eq!(marked, [false, false, true], "{all}");
    assert_eq!(guest.get("/streamer/queue").await.status.as_u16(), 401);
}

#[tokio::test]
async fn nothing_opens_with_a_token_whose_end_was_not_heard_of_yet() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let given = give(&demo, "api", "Bot", &["queue:read", "queue:control"]).await;
    let program = app.anonymous().with_token(&given.secret);
    assert_eq!(program.post("/streamer/queue/intake/pause", &json!({})).await.expect(200)["intakePaused"], true);
    // As another process ends it, before its word is here.
    let revoked = "update tokens set revoked_at = app_now() where id = $1";
    let id = uuid::Uuid::parse_str(&given.id).unwrap();
    sqlx::query(revoked).bind(id).execute(app.pool()).await.unwrap();
    assert_eq!(program.post("/streamer/queue/intake/resume", &json!({})).await.error_code(), "UNAUTHORIZED");
    assert_eq!(program.get("/streamer/queue").await.error_code(), "UNAUTHORIZED");
    assert_eq!(demo.get("/streamer/queue").await.expect(200)["intakePaused"], true);
}

#[tokio::test]
async fn tokens_are_limited_in_number_and_wishes_are_judged() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    for (wish, detail) in [
        (json!({ "kind": "api", "name": "a" }), "scopes: a program needs at least one"),
        (
            json!({ "kind": "dock", "name": "a", "scopes": ["bots:say"] }),
            "scopes: a token of this kind has its own: leave them away",
        ),
        (json!({ "kind": "overlay", "name": " " }), "name: 1 to 100 characters that can be seen"),
        (json!({ "kind": "overlay", "name": "a\u{202e}b" }), "name: 1 to 100 characters that can be seen"),
    ] {
        assert_eq!(demo.post("/streamer/tokens", &wish).await.expect(400)["detail"], detail);
    }
    for number in 0..50 {
        give(&demo, "overlay", &number.to_string(), &[]).await;
    }
    let full = demo.post("/streamer/tokens", &json!({ "kind": "overlay", "name": "a" })).await;
    assert_eq!(full.expect(409)["detail"], "there are 50 tokens, which is as many as there may be");
    // A dock or a program acts in the person's name: whoever found a browser unlocked gives none away.
    app.advance(Duration::from_mins(11)).await;
    let stale = demo.post("/streamer/tokens", &json!({ "kind": "dock", "name": "a" })).await;
    assert_eq!(stale.error_code(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn of_a_token_the_database_has_its_hash_and_the_log_nothing() {
    let app = api().await;
    let mut process = MemalertsProcess::spawn(&["api"], &app.process_env());
    let base = process.base_url().await;
    let demo = app.login("demo", "streamer").await.at(&base);
    let mut secrets = Vec::new();
    for (kind, scopes) in [("overlay", &[][..]), ("dock", &[]), ("api", &["queue:read"])] {
        let given = give(&demo, kind, "a", scopes).await;
        let nobody = app.anonymous().at(&base);
        nobody.get(&format!("/overlay/t/{}", given.secret)).await;
        nobody.get(&format!("/overlay/t/{}/poll", given.secret)).await;
        nobody.with_token(&given.secret).get("/streamer/queue").await;
        nobody.with_token(&format!("{}0", given.secret)).get("/streamer/queue").await;
        demo.delete(&format!("/streamer/tokens/{}", given.id)).await.expect(204);
        secrets.push(given.secret);
    }
    process.stop().await;
    let told = [process.raw_log(), process.stdout()].concat();
    let tables: Vec<String> =
        sqlx::query_scalar("select t::text from tokens t union all select a::text from people_acts a")
            .fetch_all(app.pool())
            .await
            .unwrap();
    assert!(told.iter().any(|line| line.contains("/overlay/t/{token}")), "there is a log: {told:?}");
    assert!(tables.iter().any(|text| text.contains("revoke_token")), "there is a table: {tables:?}");
    for secret in secrets {
        let random = secret.rsplit_once('_').unwrap().1;
        for text in told.iter().chain(&tables) {
            assert!(!text.contains(random), "{text}");
        }
    }
}

/// Guesses at a token, each a letter away from one that was given, or wholly made up.
fn guess(genuine: &str, number: usize) -> String {
    let begin = genuine.rfind('_').unwrap() + 1;
    if number.is_multiple_of(2) {
        return format!("{}{}{}", &genuine[..begin], Uuid::new_v4().simple(), Uuid::new_v4().simple());
    }
    let mut letters = genuine.as_bytes().to_vec();
    let place = begin + number / 2 % (letters.len() - begin);
    letters[place] = if letters[place] == b'0' { b'1' } else { b'0' };
    String::from_utf8(letters).unwrap()
}

#[tokio::test]
async fn nobody_guesses_a_token() {
    let app = api().await;
    let demo = app.login("demo", "streamer").await;
    let source = give(&demo, "overlay", "a", &[]).await.secret;
    let program = give(&demo, "api", "a", &["queue:read"]).await.secret;
    let own = demo.get("/streamer/overlay/token").await.expect(200)["token"].as_str().unwrap().to_owned();
    let all = size(300, 10_000);
    let guesses = |from: usize| {
        let (nobody, source, program, own) = (app.anonymous(), source.clone(), program.clone(), own.clone());
        async move {
            for number in (from..all).step_by(8) {
                let wrong = match number % 3 {
                    0 => nobody.get(&format!("/overlay/t/{}/poll", guess(&source, number))).await,
                    1 => nobody.get(&format!("/overlay/t/{}/poll", guess(&own, number))).await,
                    _ => nobody.with_token(&guess(&program, number)).get("/streamer/queue").await,
                };
                assert_eq!(wrong.status.as_u16(), 401, "guess {number}");
            }
        }
    };
    futures_util::future::join_all((0..8).map(guesses)).await;
    demo.with_token(&program).get("/streamer/queue").await.expect(200);
}

/// Uses a token in an address as somebody from there.
async fn use_from(session: &Session, path: &str, address: &str) {
    let poll = session.request(Method::GET, path).header("x-forwarded-for", address);
    let answer = Session::send(poll).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
}

fn poll(secret: &str) -> String {
    format!("/overlay/t/{secret}/poll")
}

/// The token as the streamer sees it, once it was seen from this network at this time or later.
async fn seen(streamer: &Session, id: &str, network: &str, since: &str) -> Value {
    wait_until("the token was seen", async || {
        let all = streamer.get("/streamer/tokens").await.expect(200);
        let token = all.as_array().unwrap().iter().find(|token| token["id"] == id).unwrap().clone();
        (token["lastAddress"] == network && token["lastSeenAt"].as_str().unwrap() >= since).then_some(token)
    })
    .await
}

/// The database's time, as answers write it.
async fn now(app: &TestApp) -> String {
    let words = "to_char(app_now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS')";
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select {words}"))).fetch_one(app.pool()).await.unwrap()
}

async fn behind_a_proxy() -> TestApp {
    TestApp::builder().env("TRUSTED_PROXIES", "127.0.0.1").pools(&[]).start().await
}

#[tokio::test]
async fn a_token_that_comes_from_two_addresses_at_once_is_told_of_until_the_streamer_says_that_both_are_known() {
    let app = behind_a_proxy().await;
    let demo = app.login("demo", "streamer").await;
    let mut panel = demo.events("/streamer/events").await;
    panel.wait_for("queue:state").await;
    // A moderator, or whoever has a token, might be the one of whom it warns.
    let mia = app.login("mia", "viewer").await;
    demo.put("/streamer/team/mia", &json!({ "role": "moderator" })).await.expect(200);
    let program = give(&demo, "api", "Bot", &["queue:read"]).await;
    let mut others = [
        mia.events("/streamer/events?channel=demo").await,
        app.anonymous().with_token(&program.secret).events("/streamer/events").await,
    ];
    let source = give(&demo, "overlay", "Laptop", &[]).await;
    use_from(&demo, &poll(&source.secret), "203.0.113.7").await;
    use_from(&demo, &poll(&source.secret), "203.0.113.99").await;
    let quiet = seen(&demo, &source.id, "203.0.113.0/24", "").await;
    assert!(quiet["alarm"].is_null(), "a neighbour is no second address: {quiet}");

    use_from(&demo, &poll(&source.secret), "2001:db8:1:2::5").await;
    let told = panel.wait_for("token:second_address").await.data;
    assert_eq!(
        (&told["tokenId"], &told["kind"], &told["name"]),
        (&json!(source.id), &json!("overlay"), &json!("Laptop"))
    );
    assert_eq!((&told["address"], &told["otherAddress"]), (&json!("2001:db8:1:2::/64"), &json!("203.0.113.0/24")));
    let alarmed = seen(&demo, &source.id, "2001:db8:1:2::/64", "").await;
    assert_eq!(alarmed["alarm"]["address"], "2001:db8:1:2::/64");
    assert_eq!(alarmed["alarm"]["otherAddress"], "203.0.113.0/24");
    demo.post("/streamer/queue/intake/pause", &json!({})).await.expect(200);
    for events in &mut others {
        let heard = |event: &ServerEvent| {
            assert_ne!(event.name, "token:second_address");
            event.data["intakePaused"] == true
        };
        events.wait_where("the pause", heard).await;
    }

    let link = format!("/streamer/tokens/{}", source.id);
    let calm = demo.patch(&link, &json!({ "acknowledgeAlarm": true })).await.expect(200);
    assert!(calm["alarm"].is_null());
    // Both again, as another process sees them: they are known.
    app.advance(Duration::from_mins(1)).await;
    let (since, other) = (now(&app).await, app.beside().env("TRUSTED_PROXIES", "127.0.0.1").pools(&[]).start().await);
    let there = demo.at(&other.base);
    use_from(&there, &poll(&source.secret), "203.0.113.7").await;
    seen(&demo, &source.id, "203.0.113.0/24", &since).await;
    use_from(&there, &poll(&source.secret), "2001:db8:1:2::6").await;
    let calm = seen(&demo, &source.id, "2001:db8:1:2::/64", &since).await;
    assert!(calm["alarm"].is_null(), "{calm}");
    // A third one is not.
    use_from(&there, &poll(&source.secret), "198.51.100.1").await;
    let told = panel.wait_for("token:second_address").await.data;
    assert_eq!(told["address"], "198.51.100.0/24");
}

#[tokio::test]
async fn a_request_that_is_refused_is_no_use_of_its_token() {
    let app = behind_a_proxy().await;
    let demo = app.login("demo", "streamer").await;
    let program = give(&demo, "api", "Bot", &["queue:read"]).await;
    let source = give(&demo, "overlay", "Laptop", &[]).await;
    let bot = app.anonymous().with_token(&program.secret);
    use_from(&bot, "/streamer/queue", "203.0.113.7").await;
    seen(&demo, &program.id, "203.0.113.0/24", "").await;
    for path in ["/streamer/channel/settings", "/streamer/tokens", "/streamer/queue?channel=nobody"] {
        let refused = bot.request(Method::GET, path).header("x-forwarded-for", "198.51.100.1");
        assert!([403, 404].contains(&Session::send(refused).await.status.as_u16()), "{path}");
    }
    // What comes after them is written down with them, or later.
    use_from(&demo, &poll(&source.secret), "198.51.100.1").await;
    seen(&demo, &source.id, "198.51.100.0/24", "").await;
    let calm = seen(&demo, &program.id, "203.0.113.0/24", "").await;
    assert!(calm["alarm"].is_null(), "{calm}");
}

#[tokio::test]
async fn who_has_moved_to_another_address_raises_no_alarm_but_whoever_comes_back_to_the_first_one_does() {
    let app = behind_a_proxy().await;
    let demo = app.login("demo", "streamer").await;
    let all = demo.get("/streamer/tokens").await.expect(200);
    let (id, own) = (all[0]["id"].as_str().unwrap(), demo.get("/streamer/overlay/token").await.expect(200));
    let own = own["token"].as_str().unwrap();
    use_from(&demo, &poll(own), "203.0.113.7").await;
    seen(&demo, id, "203.0.113.0/24", "").await;
    app.advance(Duration::from_mins(11)).await;
    use_from(&demo, &poll(own), "198.51.100.1").await;
    let moved = seen(&demo, id, "198.51.100.0/24", "").await;
    assert!(moved["alarm"].is_null(), "the first one was left: {moved}");

    let mut panel = demo.events("/streamer/events").await;
    panel.wait_for("queue:state").await;
    let other = app.beside().env("TRUSTED_PROXIES", "127.0.0.1").pools(&[]).start().await;
    use_from(&demo.at(&other.base), &poll(own), "203.0.113.7").await;
    panel.wait_for("token:second_address").await;
    // Another link is another token: nothing is known of it.
    demo.post("/streamer/overlay/token/rotate", &json!({})).await.expect(200);
    let rotated = demo.get("/streamer/tokens").await.expect(200)[0].clone();
    assert!(rotated["alarm"].is_null() && rotated["lastSeenAt"].is_null(), "{rotated}");
}

#[tokio::test]
async fn the_link_to_the_credits_is_looked_after_as_that_to_the_overlay_is() {
    let app = behind_a_proxy().await;
    let demo = app.login("demo", "streamer").await;
    let mut panel = demo.events("/streamer/events").await;
    panel.wait_for("queue:state").await;
    let link = demo.get("/streamer/credits/token").await.expect(200)["token"].as_str().unwrap().to_owned();
    use_from(&demo, &format!("/overlay/credits/t/{link}"), "203.0.113.7").await;
    let all = demo.get("/streamer/tokens").await.expect(200);
    let credits: Vec<bool> = all.as_array().unwrap().iter().map(|token| token["credits"] == true).collect();
    assert_eq!(credits, [false, true], "{all}");
    let id = all[1]["id"].as_str().unwrap().to_owned();
    let calm = seen(&demo, &id, "203.0.113.0/24", "").await;
    assert!(calm["alarm"].is_null() && calm["own"] == true, "{calm}");

    use_from(&demo, &format!("/overlay/credits/t/{link}/poll"), "198.51.100.1").await;
    let told = panel.wait_for("token:second_address").await.data;
    assert_eq!((&told["tokenId"], &told["name"]), (&json!(id), &json!("Credits")));
    let path = format!("/streamer/tokens/{id}");
    assert_eq!(demo.delete(&path).await.error_code(), "CONFLICT", "it is rotated instead");
    let calm = demo.patch(&path, &json!({ "acknowledgeAlarm": true, "name": "The end" })).await.expect(200);
    assert!(calm["alarm"].is_null() && calm["name"] == "The end", "{calm}");
    let rival = app.login("rival", "streamer").await;
    rival.patch(&path, &json!({ "name": "Mine" })).await.expect(404);
    // Another link is another token: nothing is known of it.
    demo.post("/streamer/credits/token/rotate", &json!({})).await.expect(200);
    let rotated = demo.get("/streamer/tokens").await.expect(200)[1].clone();
    assert!(rotated["id"] == id && rotated["lastSeenAt"].is_null(), "{rotated}");
}

#[tokio::test]
async fn a_dock_has_the_queue_in_its_hands_and_gives_the_coins_back() {
    let stage = Stage::open().await;
    let dock = give(&stage.streamer, "dock", "Deck", &[]).await;
    let dock = stage.app.anonymous().with_token(&dock.secret);
    let anna = stage.viewer("anna", 300).await;
    let meme = stage.meme(5000).await;
    let mut screen = stage.screen().await;
    let mut panel = dock.events("/streamer/events").await;
    let first = stage.activate(&anna, meme).await;
    screen.next_item().await;
    stage.activate(&anna, meme).await;
    let state = dock.get("/streamer/dock/queue/state").await.expect(200);
    assert_eq!((&state["playing"][0]["id"], state["items"].as_array().unwrap().len()), (&json!(first), 1), "{state}");

    let paused = dock.post("/streamer/dock/playback/pause", &json!({})).await.expect(200);
    assert_eq!(paused["playbackPaused"], true, "{paused}");
    panel.wait_where("the pause", |event| event.data["playbackPaused"] == true).await;
    let cleared = dock.post("/streamer/dock/queue/clear", &json!({})).await.expect(200);
    assert_eq!((&cleared["cleared"], &cleared["refunded"]), (&json!(1), &json!(100)));
    let skipped = dock.post("/streamer/dock/queue/skip", &json!({})).await.expect(200);
    assert_eq!((&skipped["id"], &skipped["status"]), (&json!(first), &json!("cancelled")));
    assert_eq!(stage.balance(&anna).await, 300, "all of it is back");
    assert_eq!(dock.post("/streamer/dock/queue/skip", &json!({})).await.error_code(), "CONFLICT");

    dock.post("/streamer/dock/intake/pause", &json!({})).await.expect(200);
    assert_eq!(anna.post(&format!("/memes/{meme}/activate"), &json!({})).await.error_code(), "INTAKE_PAUSED");
    let open = dock.post("/streamer/dock/intake/resume", &json!({})).await.expect(200);
    assert_eq!(open["intakePaused"], false);
    stage.activate(&anna, meme).await;
    assert_eq!(dock.post("/streamer/dock/playback/resume", &json!({})).await.expect(200)["playbackPaused"], false);
    let item = screen.next_item().await;
    screen.play(&item.data).await;
    // A dock holds the queue and nothing else.
    assert_eq!(dock.get("/streamer/channel/settings").await.error_code(), "FORBIDDEN");
    assert_eq!(dock.post("/streamer/test-event", &json!({})).await.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_program_that_runs_wild_takes_nothing_from_its_owner() {
    let app =
        TestApp::builder().env("RATE_LIMIT_FACTOR", "1").env("RATE_LIMIT_PER_MINUTE", "1000").pools(&[]).start().await;
    let demo = app.login("demo", "streamer").await;
    let deck = give(&demo, "dock", "Deck", &[]).await;
    let deck = app.anonymous().with_token(&deck.secret);
    for _ in 0..60 {
        assert_eq!(deck.post("/streamer/dock/queue/skip", &json!({})).await.error_code(), "CONFLICT");
    }
    assert_eq!(deck.post("/streamer/dock/queue/skip", &json!({})).await.error_code(), "TOO_MANY_REQUESTS");
    demo.post("/streamer/queue/intake/pause", &json!({})).await.expect(200);
}

#[tokio::test]
async fn a_token_that_was_revoked_and_where_one_was_used_are_forgotten_in_time() {
    let app = TestApp::builder().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let demo = app.login("demo", "streamer").await;
    let (kept, gone) = (give(&demo, "overlay", "Kept", &[]).await, give(&demo, "overlay", "Gone", &[]).await);
    use_from(&demo, &poll(&kept.secret), "203.0.113.7").await;
    seen(&demo, &kept.id, "203.0.113.0/24", "").await;
    demo.delete(&format!("/streamer/tokens/{}", gone.id)).await.expect(204);
    let left = async || -> (i64, i64) {
        let counts =
            "select (select count(*) from tokens where hash is not null), (select count(*) from token_sightings)";
        sqlx::query_as(counts).fetch_one(app.pool()).await.unwrap()
    };
    assert_eq!(left().await, (2, 1));
    app.advance(Duration::from_hours(25)).await;
    wait_until("they are forgotten", async || (left().await == (1, 0)).then_some(())).await;
    app.drain().await;
}
