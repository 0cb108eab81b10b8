//! Whoever is banned or loses a role: what closes with it, and who may do that to whom.

use std::time::{Duration, Instant};

use harness::{Session, wait_until};
use serde_json::json;

use crate::{channel_tokens::give, realtime::api, stage::Stage};

#[tokio::test]
async fn all_doors_of_a_channel_close_with_its_owner_and_open_again_when_that_is_taken_back() {
    let mut stage = Stage::on(api().await).await;
    stage.app.leaves_jobs_behind();
    let other = stage.app.beside().pools(&[]).start().await;
    let source = give(&stage.streamer, "overlay", "Studio", &[]).await;
    let dock = give(&stage.streamer, "dock", "Dock", &[]).await;
    let credits = stage.streamer.get("/streamer/credits/token").await.expect(200)["token"].as_str().unwrap().to_owned();
    let doors = [
        format!("/overlay/t/{}", stage.token),
        format!("/overlay/t/{}", source.secret),
        format!("/overlay/credits/t/{credits}"),
    ];
    let person = format!("/owner/users/{}", stage.streamer.user_id);
    let ban = async || {
        stage.admin.post(&format!("{person}/ban"), &json!({ "reason": "a story" })).await.expect(200);
    };
    let unban = async || {
        stage.admin.post(&format!("{person}/unban"), &json!({})).await.expect(200);
    };
    let role = async |role: &str| {
        stage.admin.put(&format!("{person}/role"), &json!({ "role": role })).await.expect(200);
    };
    let nobody = [stage.app.anonymous(), other.anonymous()];
    for demoted in [false, true] {
        let mut open = Vec::new();
        let mut waiting = Vec::new();
        for nobody in &nobody {
            for door in &doors {
                let mut events = nobody.events(&format!("{door}/events")).await;
                let word = if door.contains("credits") { "credits:state" } else { "overlay:state" };
                events.wait_for(word).await;
                open.push(events);
                let cursor = nobody.get(&format!("{door}/poll")).await.expect(200)["cursor"].clone();
                let path = format!("{door}/poll?wait=25&cursor={}", cursor.as_str().unwrap());
                let nobody = nobody.clone();
                waiting.push(tokio::spawn(async move { nobody.get(&path).await.status.as_u16() }));
            }
            let mut panel = nobody.with_token(&dock.secret).events("/streamer/events").await;
            panel.wait_for("queue:state").await;
            open.push(panel);
        }
        let place = nobody[0].get(&format!("{}/poll", doors[1])).await.expect(200)["cursor"].clone();

        if demoted {
            role("viewer").await
        } else {
            ban().await
        }
        let shut = Instant::now();
        for events in &mut open {
            assert_eq!(events.wait_for("closed").await.data["reason"], "revoked");
        }
        for poll in waiting {
            assert_eq!(poll.await.unwrap(), 401, "who was waiting hears of it");
        }
        assert!(shut.elapsed() < Duration::from_secs(1), "{:?}", shut.elapsed());
        for (nobody, door) in nobody.iter().flat_map(|nobody| doors.iter().map(move |door| (nobody, door))) {
            for rest in ["", "/events", "/poll"] {
                assert_eq!(nobody.get(&format!("{door}{rest}")).await.status.as_u16(), 401, "{door}{rest}");
            }
        }
        let refused = nobody[1].with_token(&dock.secret).get("/streamer/queue").await;
        assert_eq!(refused.status.as_u16(), if demoted { 403 } else { 401 }, "{}", refused.text);

        if demoted {
            role("streamer").await
        } else {
            unban().await
        }
        for (nobody, door) in nobody.iter().flat_map(|nobody| doors.iter().map(move |door| (nobody, door))) {
            nobody.get(&format!("{door}/poll")).await.expect(200);
        }
        nobody[1].with_token(&dock.secret).get("/streamer/queue").await.expect(200);
        // Whoever goes on from before reads over the end of that time.
        let place = place.as_str().unwrap();
        let mut back = nobody[1].events_after(&format!("{}/events", doors[1]), place).await;
        assert_eq!(back.wait_where("the state", |_| true).await.name, "overlay:config");
        back.wait_for("overlay:state").await;
        nobody[0].get(&format!("{}/poll?cursor={place}", doors[0])).await.expect(200);
    }
}

#[tokio::test]
async fn a_channel_is_closed_to_everybody_while_its_owner_may_not_stream_and_gives_back_what_waited() {
    let stage = Stage::open().await;
    let anna = stage.viewer("anna", 300).await;
    let mia = stage.app.login("mia", "viewer").await;
    stage.streamer.put("/streamer/team/mia", &json!({ "role": "editor" })).await.expect(200);
    // Nothing plays, and no clock runs: the coins come back all the same.
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let meme = stage.meme(5000).await;
    let person = format!("/owner/users/{}", stage.streamer.user_id);
    let nobody = stage.app.anonymous();
    for demoted in [false, true] {
        stage.activate(&anna, meme).await;
        assert!(stage.balance(&anna).await < 300);
        let mut open =
            [nobody.events("/channels/demo/events").await, mia.events("/streamer/events?channel=demo").await];
        for events in &mut open {
            events.wait_for("queue:state").await;
        }
        if demoted {
            stage.admin.put(&format!("{person}/role"), &json!({ "role": "viewer" })).await.expect(200);
        } else {
            stage.admin.post(&format!("{person}/ban"), &json!({})).await.expect(200);
        }
        let shut = Instant::now();
        for events in &mut open {
            assert_eq!(events.wait_for("closed").await.data["reason"], "revoked");
        }
        assert!(shut.elapsed() < Duration::from_secs(1), "{:?}", shut.elapsed());
        let memes = format!("/memes?channelId={}", stage.channel_id);
        for path in ["/channels/demo", "/channels/demo/memes", "/channels/demo/events", &memes] {
            assert_eq!(nobody.get(path).await.error_code(), "CHANNEL_NOT_FOUND", "{path}");
        }
        let refused = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (404, "CHANNEL_NOT_FOUND"), "{}", refused.text);
        for path in ["/streamer/queue/intake/pause", "/streamer/queue/clear"] {
            let refused = mia.post(&format!("{path}?channel=demo"), &json!({})).await;
            assert_eq!(refused.error_code(), "CHANNEL_NOT_FOUND", "{path}");
        }
        assert_eq!(mia.get("/me/channels").await.expect(200)[0]["closed"], true);
        wait_until("the coins are back", async || (stage.balance(&anna).await == 300).then_some(())).await;

        if demoted {
            stage.admin.put(&format!("{person}/role"), &json!({ "role": "streamer" })).await.expect(200);
        } else {
            stage.admin.post(&format!("{person}/unban"), &json!({})).await.expect(200);
        }
        assert_eq!(nobody.get("/channels/demo").await.expect(200)["acceptsActivations"], true);
        assert_eq!(mia.get("/me/channels").await.expect(200)[0]["closed"], false);
        let queue = mia.get("/streamer/queue?channel=demo").await.expect(200);
        assert_eq!(queue["items"], json!([]), "{queue}");
    }
}

#[tokio::test]
async fn whoever_is_banned_is_taken_into_no_team() {
    let app = api().await;
    let (demo, anna) = (app.login("demo", "streamer").await, app.login("anna", "viewer").await);
    let boss = app.login("boss", "admin").await;
    let (anna, editor) = (format!("/owner/users/{}", anna.user_id), json!({ "role": "editor" }));
    boss.post(&format!("{anna}/ban"), &json!({})).await.expect(200);
    assert_eq!(demo.put("/streamer/team/anna", &editor).await.error_code(), "CONFLICT");
    boss.post(&format!("{anna}/unban"), &json!({})).await.expect(200);
    demo.put("/streamer/team/anna", &editor).await.expect(200);
}

#[tokio::test]
async fn of_two_admins_who_take_the_role_from_each_other_at_once_one_remains() {
    let app = api().await;
    for (method, path, body) in [
        ("put", "role", json!({ "role": "viewer" })),
        ("post", "ban", json!({})),
        ("put", "role", json!({ "role": "streamer" })),
    ] {
        let admins = [app.login("boss", "admin").await, app.login("chief", "admin").await];
        // Both are found to be admins; then each waits for its turn.
        let mut turn = app.pool().begin().await.unwrap();
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('admins', 0))").execute(&mut *turn).await.unwrap();
        let act = |by: &Session, to: &Session| {
            let (by, path, body) = (by.clone(), format!("/owner/users/{}/{path}", to.user_id), body.clone());
            tokio::spawn(async move {
                if method == "put" { by.put(&path, &body).await } else { by.post(&path, &body).await }
            })
        };
        let both = [act(&admins[0], &admins[1]), act(&admins[1], &admins[0])];
        wait_until("both stand in line", async || {
            let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                           and database = (select oid from pg_database where datname = current_database())";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(app.pool()).await.unwrap();
            (waiting == 2).then_some(())
        })
        .await;
        turn.rollback().await.unwrap();
        let mut statuses = Vec::new();
        for answer in both {
            let answer = answer.await.unwrap();
            if answer.status == 409 {
                assert_eq!(answer.json["detail"], "this is the last admin: make somebody else one first");
            }
            statuses.push(answer.status.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{path}");
        let left = "select count(*) from users where role = 'admin' and banned_at is null";
        let left: i64 = sqlx::query_scalar(left).fetch_one(app.pool()).await.unwrap();
        assert_eq!(left, 1, "{path}");
        sqlx::query("update users set banned_at = null").execute(app.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_is_no_admin_any_more_when_it_is_their_turn_changes_nothing() {
    let app = api().await;
    let [boss, chief] = [app.login("boss", "admin").await, app.login("chief", "admin").await];
    let anna = app.login("anna", "viewer").await;
    let mut turn = app.pool().begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('admins', 0))").execute(&mut *turn).await.unwrap();
    let path = format!("/owner/users/{}/role", anna.user_id);
    let late = tokio::spawn(async move { chief.put(&path, &json!({ "role": "admin" })).await });
    wait_until("it stands in line", async || {
        let waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted
                       and database = (select oid from pg_database where datname = current_database()))";
        let waiting: bool = sqlx::query_scalar(waiting).fetch_one(app.pool()).await.unwrap();
        waiting.then_some(())
    })
    .await;
    sqlx::query("update users set role = 'viewer' where login = 'chief'").execute(&mut *turn).await.unwrap();
    turn.commit().await.unwrap();
    let late = late.await.unwrap();
    assert_eq!((late.status.as_u16(), late.error_code()), (403, "FORBIDDEN"));
    let anna = boss.get("/owner/users?login=anna").await.expect(200);
    assert_eq!(anna["users"][0]["role"], "viewer", "{anna}");
}

#[tokio::test]
async fn what_is_paid_at_the_moment_of_a_closing_comes_back_also_where_playback_is_paused() {
    let stage = Stage::open().await;
    let anna = stage.viewer("anna", 100).await;
    let meme = stage.meme(5000).await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    stage.app.drain().await;
    // The purchase has seen an open channel and waits for its wallet while the channel closes and is emptied.
    let mut holder = stage.app.db.begin().await.unwrap();
    sqlx::query("select balance from wallets for update").fetch_all(&mut *holder).await.unwrap();
    let closed = async {
        wait_until("the purchase waits for the wallet", async || {
            let waiting = "select count(*) from pg_stat_activity
                           where datname = current_database() and wait_event_type = 'Lock'";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(stage.app.pool()).await.unwrap();
            (waiting > 0).then_some(())
        })
        .await;
        let ban = format!("/owner/users/{}/ban", stage.streamer.user_id);
        stage.admin.post(&ban, &json!({})).await.expect(200);
        let emptied = "select count(*) from jobs where kind = 'expire-waiting' and run_at <= app_now()";
        wait_until("the channel is emptied", async || {
            let left: i64 = sqlx::query_scalar(emptied).fetch_one(stage.app.pool()).await.unwrap();
            (left == 0).then_some(())
        })
        .await;
        holder.rollback().await.unwrap();
    };
    let (bought, ()) = tokio::join!(stage.activate_as(&anna, meme, "late"), closed);
    bought.expect(200);
    stage.app.advance(Duration::from_mins(2)).await;
    wait_until("the coins are back", async || (stage.balance(&anna).await == 100).then_some(())).await;
}
