//! What was on its way when somebody asked to be forgotten.

use std::time::Duration;

use domain::media::MediaType;
use harness::{Session, wait_until};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    privacy::{World, left_after_a_day},
    submissions::Upload,
};

/// Requests that wait for a table, or for anybody's row.
async fn waiting(pool: &PgPool) -> i64 {
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    sqlx::query_scalar(waiting).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_request_that_was_let_in_before_writes_nothing_after() {
    let World { stage, wendy, .. } = World::new().await;
    let app = &stage.app;
    let memes = wendy.get("/streamer/memes").await.expect(200);
    let meme = memes.as_array().or_else(|| memes["items"].as_array()).unwrap()[0]["id"].as_str().unwrap().to_owned();
    sqlx::query("update users set password_hash = 'canary' where id = $1")
        .bind(wendy.user_id.parse::<Uuid>().unwrap())
        .execute(app.pool())
        .await
        .unwrap();
    let mut held = app.pool().begin().await.unwrap();
    sqlx::query("lock table second_factors, memes, meme_submissions in share mode").execute(&mut *held).await.unwrap();
    let late = [
        tokio::spawn({
            let wendy = wendy.clone();
            async move { wendy.post("/auth/totp", &json!({})).await }
        }),
        tokio::spawn({
            let (wendy, path) = (wendy.clone(), format!("/streamer/memes/{meme}"));
            async move { wendy.patch(&path, &json!({ "title": "late canary" })).await }
        }),
        tokio::spawn({
            let wendy = wendy.clone();
            async move {
                let sent = Upload::sample(MediaType::Image).await.with("title", "late canary");
                sent.judged(&wendy).await
            }
        }),
    ];
    wait_until("all of them are let in", async || (waiting(app.pool()).await >= 3).then_some(())).await;
    assert_eq!(wendy.delete("/users/me").await.status, 202);
    held.rollback().await.unwrap();
    for answer in late {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.error_code()), (401, "UNAUTHORIZED"), "{}", answer.text);
    }
    app.drain().await;
    assert_eq!(left_after_a_day(app).await, [""; 0]);
}

#[tokio::test]
async fn whatever_is_written_at_the_same_moment_is_erased_or_refused() {
    let World { stage, wendy, bert, .. } = World::new().await;
    let app = &stage.app;
    wendy.put("/streamer/team/bert", &json!({ "role": "editor" })).await.expect(200);
    let writes = |number: usize| {
        let (wendy, bert, boss) = (wendy.clone(), bert.clone(), stage.admin.clone());
        let name = format!("canary {number}");
        tokio::spawn(async move {
            let channel = "?channel=canary_wendy";
            let to = |who: &Session, rest: &str| format!("/owner/users/{}/{rest}", who.user_id);
            match number % 7 {
                0 => wendy.post("/streamer/tokens", &json!({ "kind": "overlay", "name": name })).await,
                1 => wendy.put("/streamer/team/boss", &json!({ "role": "editor" })).await,
                2 => wendy.patch("/streamer/channel/settings", &json!({ "name": name })).await,
                3 => bert.patch(&format!("/streamer/channel/settings{channel}"), &json!({ "description": name })).await,
                4 => wendy.post("/users/me/export", &json!({})).await,
                5 => boss.post(&to(&wendy, "ban"), &json!({ "reason": name })).await,
                _ => bert.post(&format!("/streamer/credits/reset{channel}"), &json!({})).await,
            };
        })
    };
    let before: Vec<_> = (0..21).map(writes).collect();
    let asked = tokio::spawn({
        let wendy = wendy.clone();
        async move { wendy.delete("/users/me").await.status.as_u16() }
    });
    let after: Vec<_> = (21..42).map(writes).collect();
    for write in before.into_iter().chain(after) {
        write.await.unwrap();
    }
    // The ban may have been faster; then an admin takes it back first.
    if asked.await.unwrap() != 202 {
        stage.admin.post(&format!("/owner/users/{}/unban", wendy.user_id), &json!({})).await.expect(200);
        let wendy = app.login("canary_wendy", "streamer").await;
        assert_eq!(wendy.delete("/users/me").await.status, 202);
    }
    app.drain().await;
    app.advance(Duration::from_secs(60)).await;
    app.drain().await;
    assert_eq!(left_after_a_day(app).await, [""; 0]);
}

#[tokio::test]
async fn no_table_takes_a_row_of_somebody_who_is_forgotten() {
    let World { stage, wendy, bert, .. } = World::new().await;
    let app = &stage.app;
    let [person, other]: [Uuid; 2] = [wendy.user_id.parse().unwrap(), bert.user_id.parse().unwrap()];
    let channel: Uuid = wendy.get("/me").await.expect(200)["channelId"].as_str().unwrap().parse().unwrap();
    assert_eq!(wendy.delete("/users/me").await.status, 202);
    let late = [
        "insert into channel_members (channel_id, user_id, role, added_by) select $2, $3, 'editor', $3 where $1 <> $3",
        "insert into channel_members (channel_id, user_id, role, added_by)
         select id, $1, 'editor', $3 from channels where id <> $2",
        "insert into oauth_states (hash, provider, browser, user_id, redirect_to)
         select decode(repeat('00', 32), 'hex'), 'twitch', decode(repeat('00', 32), 'hex'), $1, '/' where $2 <> $3",
        "insert into second_factors (user_id, secret) select $1, '\\x00' where $2 <> $3",
        "insert into recovery_codes (user_id, hash) select $1, decode(repeat('00', 32), 'hex') where $2 <> $3",
        "insert into mails (id, user_id, kind, recipient, language)
         select $2, $1, 'password_changed', 'canary@example.org', 'en' where $2 <> $3",
        "insert into exports (id, user_id) select $2, $1 where $2 <> $3",
        "insert into chat_commands (id, channel_id, trigger, trigger_normalized, response)
         select $1, $2, '!late', '!late', 'canary' where $2 <> $3",
        "insert into bot_integrations (channel_id, provider, enabled) select $2, 'kick', true where $1 <> $3",
        "insert into tokens (id, channel_id, kind, name, scopes) select $1, $2, 'overlay', 'canary', '{}' where $2 <> $3",
        "insert into promotions (id, channel_id, name, discount_bp, starts_at, ends_at)
         select $1, $2, 'canary', 0, app_now(), app_now() + interval '1 day' where $2 <> $3",
        "insert into people_acts (actor_id, act, user_id, reason) select $3, 'late', $1, 'canary' where $2 <> $3",
        "insert into people_acts (actor_id, act, channel_id, reason) select $3, 'late', $2, 'canary' where $1 <> $3",
        "update users set display_name = 'canary again' where id = $1 and $2 <> $3",
        "update channels set description = 'canary again' where id = $2 and $1 <> $3",
    ];
    let refuse_all = async || {
        for statement in late {
            refuse(app.pool(), statement, [person, channel, other]).await;
        }
    };
    refuse_all().await;
    app.drain().await;
    refuse_all().await;
    // Whoever wrote on the channel's log while that was removed.
    let late = "insert into event_streams (key, seq) values ('channel:canary_wendy', 1)";
    sqlx::query(late).execute(app.pool()).await.unwrap();
    assert_eq!(left_after_a_day(app).await, [""; 0]);
}

async fn refuse(pool: &PgPool, statement: &'static str, [person, channel, other]: [Uuid; 3]) {
    let refused = sqlx::query(statement).bind(person).bind(channel).bind(other).execute(pool).await;
    let code = match &refused {
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        other => panic!("{statement}: {other:?}"),
    };
    assert_eq!(code, "MAF01", "{statement}: {refused:?}");
}
