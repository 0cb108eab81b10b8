//! A copy of everything about somebody, and somebody forgotten.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
    time::Duration,
};

use domain::{
    events::TrimEvents,
    identities::{self, Grant, Identity, Provider, Token},
    media::MediaType,
};
use harness::{Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    stage::Stage,
    submissions::{Upload, stored},
};

/// Somebody all of whose words are canaries, with a channel, in a system with others.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) wendy: Session,
    pub(crate) bert: Session,
    /// Where the file of the meme of hers is that Bert has bought: a path.
    file: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let stage = Stage::open().await;
        let app = &stage.app;
        let wendy = app.login("canary_wendy", "streamer").await;
        let id: Uuid = wendy.user_id.parse().unwrap();
        let her_channel: Uuid = wendy.get("/me").await.expect(200)["channelId"].as_str().unwrap().parse().unwrap();
        link(app, id).await;
        for statement in [
            "update users set display_name = 'Canary Wendy', avatar_url = 'https://example.org/canary.png',
                    email = 'canary@example.org', password_hash = 'canary-hash' where id = $1 and $2 <> $3",
            "update channels set name = 'Canary channel', description = 'canary description', overlay_style_json = '{\"canary\":1}'
             where owner_id = $1 and $2 <> $3",
            "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response)
             select $1, $2, '!canary', '!canary', 'canary response' where $3 <> $2",
            "insert into chat_messages (platform, channel_id, content_id, author_id, author_login, author_name, roles, text, sent_at)
             select 'twitch', $3, 'one', 'canary-4711', 'canary_wendy', 'Canary Wendy', 0, 'a canary sings', app_now()
              where $1 <> $2 union all
             select 'twitch', $3, 'two', '4712', 'bert', 'Bert', 0, 'bert stays', app_now()",
            "insert into credits_sightings (id, channel_id, session_id, platform, user_id, display_name)
             select $1, $3, $2, 'twitch', 'canary-4711', 'Canary Wendy'",
            "insert into credits_chatters (session_id, user_id, channel_id, name)
             select $2, 'twitch:canary-4711', $3, 'Canary Wendy' where $1 <> $2",
            "insert into promotions (id, channel_id, name, discount_bp, starts_at, ends_at)
             select $1, $2, 'canary days', 0, app_now(), app_now() + interval '1 day' where $3 <> $2",
            "insert into attempts (subject, count) select 'code:' || $1::uuid, 1 where $2 <> $3",
        ] {
            sqlx::query(statement).bind(id).bind(her_channel).bind(stage.channel_id).execute(app.pool()).await.unwrap();
        }
        for (field, account) in [("providerUserId", "canary-4711"), ("login", "Canary_Wendy")] {
            let wish = json!({
                "channelId": stage.channel_id, "provider": "twitch", field: account, "amount": 5, "reason": "a canary waits",
            });
            stage.admin.post("/owner/grants", &wish).await.expect(200);
        }
        // What she bought plays nowhere, and so it waits.
        let meme = stage.meme(1000).await;
        coins(&stage, &wendy, stage.channel_id).await;
        stage.activate(&wendy, meme).await;
        let sent = Upload::sample(MediaType::Image).await.with("title", "canary title").with("notes", "canary notes");
        let meme = sent.judged(&wendy).await.expect(201);
        let bert = app.login("bert", "viewer").await;
        coins(&stage, &bert, her_channel).await;
        let bought = meme["memeId"].as_str().unwrap().parse().unwrap();
        stage.activate(&bert, bought).await;
        let file: String = sqlx::query_scalar("select file_hash from activations where meme_id = $1")
            .bind(bought)
            .fetch_one(app.pool())
            .await
            .unwrap();
        Self { stage, wendy, bert, file: format!("/uploads/{file}") }
    }
}

async fn coins(stage: &Stage, viewer: &Session, channel: Uuid) {
    let path = format!("/owner/wallets/{}/{channel}/adjust", viewer.user_id);
    stage.admin.post(&path, &json!({ "delta": 1000, "reason": "a canary wished for coins" })).await.expect(200);
}

async fn link(app: &TestApp, user: Uuid) {
    let identity = Identity {
        provider: Provider::Twitch,
        issuer: "https://platform.example".to_owned(),
        subject: "canary-4711".to_owned(),
        login: "canary_wendy".to_owned(),
        display_name: "Canary Wendy".to_owned(),
        avatar_url: None,
    };
    let access = Token::new("canary-token");
    let grant = Grant { access, refresh: None, lifetime: None, scopes: Vec::new(), device: None };
    let mut tx = app.db.begin().await.unwrap();
    identities::link(&mut tx, &app.process.vault, user, &identity, &grant).await.unwrap();
    tx.commit().await.unwrap();
}

/// Every row of every table that has the word in it, as text: `table: row`.
async fn rows_with(app: &TestApp, word: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1",
    )
    .fetch_all(app.pool())
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let select = format!("select t::text from {table} t where t::text ilike $1 or t::text ilike $2");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
            .bind(format!("%{word}%"))
            .bind(format!("%{}%", hex::encode(word)))
            .fetch_all(app.pool())
            .await
            .unwrap();
        found.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    found
}

/// Rows with a canary when a day has passed, after which what others' channels told of her is gone, too.
pub(crate) async fn left_after_a_day(app: &TestApp) -> Vec<String> {
    app.advance(Duration::from_hours(25)).await;
    let mut tx = app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &TrimEvents {}).await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
    rows_with(app, "canary").await
}

async fn exported(who: &Session) -> Value {
    let ordered = who.post("/users/me/export", &json!({})).await.expect(202);
    let path = format!("/users/me/exports/{}", ordered["id"].as_str().unwrap());
    wait_until("the export is ready", async || {
        let export = who.get(&path).await.expect(200);
        (export["status"] == "ready").then_some(export)
    })
    .await
}

/// The archive's files.
fn unpacked(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP file");
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let read = |name: String| {
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    names.into_iter().map(read).collect()
}

#[tokio::test]
async fn somebody_gets_everything_about_them_and_nobody_else_does() {
    let World { stage, wendy, bert, file } = World::new().await;
    let app = &stage.app;
    let export = exported(&wendy).await;
    let again = wendy.post("/users/me/export", &json!({})).await.expect(202);
    assert_eq!(again["id"], export["id"], "the one that is there");
    let path = export["download"].as_str().unwrap();
    for stranger in [&bert, &stage.admin] {
        assert_eq!(stranger.get(path).await.status, 404);
    }
    // A head is looked at as often as one likes: it is not the download.
    for _ in 0..2 {
        let head = wendy.request(reqwest::Method::HEAD, path).send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-type"]),
            (200, &"application/zip".parse().unwrap())
        );
    }
    // A session that somebody left open somewhere opens no archive.
    app.advance(Duration::from_mins(11)).await;
    let stale = wendy.get(path).await;
    assert_eq!((stale.status.as_u16(), stale.error_code()), (403, "STEP_UP_REQUIRED"));
    let wendy = app.login(&wendy.login, "streamer").await;
    let answer = wendy.request(reqwest::Method::GET, path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let bytes = answer.bytes().await.unwrap().to_vec();
    assert_eq!(bytes.len() as u64, export["size"].as_u64().unwrap());
    let files = unpacked(bytes);

    let table = |name: &str| -> Vec<Value> { serde_json::from_slice(&files[&format!("tables/{name}.json")]).unwrap() };
    assert_eq!(table("users")[0]["email"], "canary@example.org");
    assert_eq!(table("channels")[0]["description"], "canary description");
    assert_eq!(table("wallets")[0]["balance"], 900);
    assert_eq!(table("ledger_entries").len(), 2, "coins given, and coins for a meme");
    assert_eq!(table("external_accounts")[0]["provider_user_id"], "canary-4711");
    let said = table("chat_messages");
    assert_eq!((said.len(), &said[0]["text"]), (1, &json!("a canary sings")), "hers and nobody else's");
    assert_eq!(table("credits_chatters").len(), 1);
    assert_eq!(table("activations")[0]["sender_name"], "Canary Wendy");
    assert_eq!(table("meme_submissions")[0]["notes"], "canary notes");
    assert_eq!(table("memes").len(), 1);
    assert!(!table("sessions").is_empty());
    for holding in domain::privacy::HOLDINGS {
        table(holding.table);
    }
    let media: Vec<&String> = files.keys().filter(|name| name.starts_with("media/")).collect();
    assert_eq!(media.len(), 2, "what she sent in, and what was made of it: {media:?}");
    let shown = file.rsplit('/').next().unwrap();
    assert!(media.iter().any(|name| name.contains(shown)), "{media:?}");
    for secret in ["canary-hash", "canary-token", "token_hash", "password_hash"] {
        let found = files.iter().find(|(_, bytes)| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        assert!(found.is_none(), "{secret} is in {:?}", found.map(|(name, _)| name));
    }

    // A connection may break: for an hour it is there again.
    let status = path.strip_suffix("/file").unwrap();
    let begun = wendy.get(status).await.expect(200);
    assert_eq!((&begun["status"], &begun["download"]), (&json!("downloaded"), &json!(path)));
    assert_eq!(wendy.request(reqwest::Method::GET, path).send().await.unwrap().status(), 200);
    let again = wendy.post("/users/me/export", &json!({})).await;
    assert_eq!(again.status, 409, "one a day");
    let wait: i64 = again.header("retry-after").parse().expect("seconds");
    assert!((85_000..=86_401).contains(&wait), "{wait}");
    let detail = again.json["detail"].as_str().unwrap();
    let at = detail.strip_prefix("an export a day is made at most: come again at ").expect(detail);
    assert!(at.len() == 20 && at.contains('T') && at.ends_with('Z'), "{detail}");
    app.advance(Duration::from_hours(25)).await;
    let wendy = app.login("canary_wendy", "streamer").await;
    app.drain().await;
    let kept: Option<String> = sqlx::query_scalar("select file_hash from exports").fetch_one(app.pool()).await.unwrap();
    assert_eq!(kept, None, "it was swept");
    let over = wendy.get(path).await;
    assert_eq!((over.status.as_u16(), over.error_code()), (409, "CONFLICT"));
    assert_eq!(wendy.get(status).await.expect(200)["download"], json!(null));
    assert_ne!(exported(&wendy).await["id"], export["id"]);
}

#[tokio::test]
async fn an_export_that_nobody_comes_for_is_gone_after_a_week() {
    let app = TestApp::start().await;
    let anna = app.login("anna", "viewer").await;
    let export = exported(&anna).await;
    assert_eq!(stored(&app).len(), 1);
    app.advance(Duration::from_hours(7 * 24)).await;
    let anna = app.login("anna", "viewer").await;
    let path = export["download"].as_str().unwrap();
    assert_eq!(anna.get(path).await.status, 409);
    wait_until("the archive is removed", async || stored(&app).is_empty().then_some(())).await;
    let path = path.strip_suffix("/file").unwrap();
    wait_until("it is expired", async || (anna.get(path).await.expect(200)["status"] == "expired").then_some(())).await;
    assert_ne!(exported(&anna).await["id"], export["id"]);
}

#[tokio::test]
async fn of_somebody_who_was_forgotten_no_word_is_left() {
    let World { stage, wendy, bert, file } = World::new().await;
    let app = &stage.app;
    assert_eq!(bert.get(&file).await.status, 200);
    let export = exported(&wendy).await;
    let mut overlay = {
        let token = wendy.get("/streamer/overlay/token").await.expect(200)["token"].as_str().unwrap().to_owned();
        app.anonymous().events(&format!("/overlay/t/{token}/events?screen=obs&screenId={}", Uuid::new_v4())).await
    };
    let mut public = app.anonymous().events("/channels/canary_wendy/events").await;
    public.wait_for("queue:state").await;
    assert!(rows_with(app, "canary").await.len() > 15);
    // What the streamer was told of her under keys, and what is played again in her name.
    let meme = stage.meme(1000).await;
    let bought = stage.activate(&wendy, meme).await;
    for (method, path) in [
        (Method::DELETE, format!("/streamer/queue/items/{bought}")),
        (Method::POST, format!("/streamer/queue/history/{bought}/replay")),
    ] {
        let request = stage.streamer.request(method, &path).header("idempotency-key", "of-wendy");
        assert!(Session::send(request).await.expect(200)["senderDisplayName"].is_string());
    }
    let why = rows_with(app, "a canary wished for coins").await;
    assert!(why.iter().any(|row| row.starts_with("people_acts: ")), "{why:?}");

    assert_eq!(wendy.delete("/users/me").await.status, 202);
    // There is no way back, whoever asks.
    for (act, wish) in [("unban", json!({})), ("ban", json!({ "reason": "gone" }))] {
        stage.admin.post(&format!("/owner/users/{}/{act}", wendy.user_id), &wish).await.expect(404);
    }
    stage.admin.put(&format!("/owner/users/{}/role", wendy.user_id), &json!({ "role": "admin" })).await.expect(404);
    overlay.wait_for("closed").await;
    public.wait_for("closed").await;
    for path in ["/me", "/auth/sessions", export["download"].as_str().unwrap()] {
        assert_eq!(wendy.get(path).await.status, 401, "{path}");
    }
    app.drain().await;
    assert_eq!(app.anonymous().get("/channels/canary_wendy").await.status, 404);
    assert_eq!(bert.get(&file).await.status, 404);
    let balances: Vec<i64> = sqlx::query_scalar("select balance from wallets where user_id = $1")
        .bind(bert.user_id.parse::<Uuid>().unwrap())
        .fetch_all(app.pool())
        .await
        .unwrap();
    assert_eq!(balances, [1000], "what waited on her channel was given back");
    assert_eq!(left_after_a_day(app).await, [""; 0]);
    let repeat = stage.streamer.request(Method::DELETE, &format!("/streamer/queue/items/{bought}"));
    let repeat = Session::send(repeat.header("idempotency-key", "of-wendy")).await;
    assert_eq!((repeat.status.as_u16(), repeat.error_code()), (422, "IDEMPOTENCY_KEY_REUSED"), "nothing is done again");
    assert_eq!(rows_with(app, "bert stays").await.len(), 1, "what others said stays");
    let (login, display): (String, String) = sqlx::query_as("select login, display_name from users where id = $1")
        .bind(wendy.user_id.parse::<Uuid>().unwrap())
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert!(login.starts_with("deleted-") && display == "deleted", "{login}");
    let files = stored(app);
    assert!(files.iter().all(|file| std::fs::metadata(file).unwrap().len() == 0), "{files:?}");
    // The name is free, and nobody's past comes with it.
    let other = app.login("canary_wendy", "streamer").await;
    assert_ne!(other.user_id, wendy.user_id);
    assert_eq!(other.get("/auth/accounts").await.expect(200), json!([]));
}

#[tokio::test]
async fn an_admin_is_not_forgotten_before_somebody_has_taken_the_role() {
    let app = TestApp::builder().pools(&[]).start().await;
    let (boss, chef) = (app.login("boss", "admin").await, app.login("chef", "admin").await);
    let refused = boss.delete("/users/me").await;
    assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "CONFLICT"));
    chef.put(&format!("/owner/users/{}/role", boss.user_id), &json!({ "role": "viewer" })).await.expect(200);
    let boss = app.login("boss", "viewer").await;
    app.advance(Duration::from_mins(11)).await;
    let stale = boss.delete("/users/me").await;
    assert_eq!((stale.status.as_u16(), stale.error_code()), (403, "STEP_UP_REQUIRED"));
    assert_eq!(app.login("boss", "viewer").await.delete("/users/me").await.status, 202);
    let gone = app.anonymous().post("/auth/dev/login", &json!({ "login": "boss", "role": "viewer" })).await;
    assert_eq!(gone.error_code(), "ACCOUNT_DELETED");
}
