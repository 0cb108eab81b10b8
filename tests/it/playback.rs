//! What plays, and what never does: order, screens that come and go, control, patience.

use std::time::Duration;

use domain::{activations::AdvancePlayback, channels, playback};
use harness::{MemalertsProcess, ServerEvent, Session, TestApp, wait_until};
use queue::admin::{self, Act, By, Ordered};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use crate::stage::{Screen, Stage};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_paid_meme_plays_once_and_its_coins_are_spent() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut news = anna.events("/me/events").await;
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    assert_eq!((&item["id"], &item["memeId"], &item["type"]), (&json!(id), &json!(meme.to_string()), &json!("video")));
    assert_eq!((&item["durationMs"], &item["senderDisplayName"]), (&json!(2000), &json!("anna")));
    assert!(item["fileUrl"].as_str().unwrap().starts_with("/uploads/"), "{item}");
    assert_eq!(stage.state_of(&anna, &id).await["status"], "playing");
    screen.play(&item).await;
    stage.app.drain().await;
    let mine = stage.state_of(&anna, &id).await;
    assert_eq!((&mine["status"], &mine["refunded"]), (&json!("done"), &json!(false)));
    assert_eq!(stage.balance(&anna).await, 0);
    assert_eq!(news.wait_for("wallet:updated").await.data["delta"], -100);
    assert_eq!(news.wait_for("activation:updated").await.data["status"], "playing");
    assert_eq!(news.wait_for("activation:updated").await.data["status"], "done");
    let stats = stage.streamer.get("/streamer/stats/channel").await.expect(200);
    assert_eq!((&stats["activationsDone"], &stats["coinsSpent"]), (&json!(1), &json!(100)));
}

#[tokio::test]
async fn one_item_plays_at_a_time_in_the_order_of_payment() {
    let stage = Stage::open().await;
    let meme = stage.meme(2000).await;
    let mut screen = stage.screen().await;
    let mut placed = Vec::new();
    for login in ["anna", "bert", "cleo"] {
        let viewer = stage.viewer(login, 100).await;
        placed.push(stage.activate(&viewer, meme).await);
    }
    for id in &placed {
        let item = screen.next_item().await.data;
        assert_eq!(item["id"], *id);
        assert!(screen.shows_nothing_new().await, "a second item began while one plays");
        screen.play(&item).await;
    }
}

#[tokio::test]
async fn viewers_take_turns_when_one_of_them_orders_a_lot() {
    let stage = Stage::open().await;
    let meme = stage.meme(2000).await;
    let (anna, bert) = (stage.viewer("anna", 300).await, stage.viewer("bert", 100).await);
    let mut order = Vec::new();
    for _ in 0..3 {
        order.push(stage.activate(&anna, meme).await);
    }
    order.insert(1, stage.activate(&bert, meme).await);
    let queue = stage.streamer.get("/streamer/queue").await.expect(200);
    let shown: Vec<&str> = queue["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(shown, order);
    let last = stage.state_of(&anna, &order[3]).await;
    assert_eq!((&last["position"], &last["etaMs"]), (&json!(4), &json!(null)));
}

#[tokio::test]
async fn a_wait_is_foretold_only_while_a_screen_is_there() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 300).await);
    let mut screen = stage.screen().await;
    stage.activate(&anna, meme).await;
    screen.next_item().await;
    stage.activate(&anna, meme).await;
    let last = stage.activate(&anna, meme).await;
    let mine = stage.state_of(&anna, &last).await;
    assert_eq!((&mine["position"], &mine["etaMs"]), (&json!(2), &json!(4000)));
    drop(screen);
    wait_until("nobody can tell when", async || stage.state_of(&anna, &last).await["etaMs"].is_null().then_some(()))
        .await;
}

#[tokio::test]
async fn several_items_play_at_once_when_the_channel_wants_it() {
    let stage = Stage::open().await;
    let settings = json!({ "overlayMode": "simultaneous", "overlayMaxConcurrent": 2 });
    stage.streamer.patch("/streamer/channel/settings", &settings).await.expect(200);
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 300).await);
    for _ in 0..3 {
        stage.activate(&anna, meme).await;
    }
    let mut screen = stage.screen().await;
    let mut playing = screen.state["playing"].as_array().cloned().unwrap_or_default();
    while playing.len() < 2 {
        playing.push(screen.next_item().await.data);
    }
    assert!(screen.shows_nothing_new().await, "a third item began with two slots");
    screen.play(&playing[0]).await;
    let third = screen.next_item().await.data;
    screen.play(&third).await;
    screen.play(&playing[1]).await;
}

#[tokio::test]
async fn a_meme_that_overlaps_plays_beside_what_plays_and_after_others_of_its_kind() {
    let stage = Stage::open().await;
    let one = json!({ "overlayMaxOverlapping": 1 });
    stage.streamer.patch("/streamer/channel/settings", &one).await.expect(200);
    let (clip, sound, anna) = (stage.meme(8000).await, stage.meme(2000).await, stage.viewer("anna", 1000).await);
    let sounds = stage.streamer.patch(&format!("/streamer/memes/{sound}"), &json!({ "overlaps": true })).await;
    assert_eq!(sounds.expect(200)["overlaps"], true);
    let mut screen = stage.screen().await;
    let first = stage.activate(&anna, clip).await;
    let film = screen.next_item().await.data;
    screen.ack(&film, "started").await.expect(200);
    let second = stage.activate(&anna, clip).await;
    let (beep, boop) = (stage.activate(&anna, sound).await, stage.activate(&anna, sound).await);

    let item = screen.next_item().await.data;
    assert_eq!((&film["id"], &item["id"]), (&json!(first), &json!(beep)), "beside the clip, before the other one");
    let waits = stage.state_of(&anna, &boop).await;
    assert_eq!((&waits["position"], &waits["etaMs"]), (&json!(1), &json!(2000)), "for its kind only: {waits}");
    assert!(screen.shows_nothing_new().await);
    // The key for "skip" means the clip, however long the sound has been there.
    let skipped = stage.streamer.post("/streamer/queue/skip", &json!({})).await.expect(200);
    assert_eq!(skipped["id"], json!(first), "{skipped}");
    let film = screen.next_item().await.data;
    assert_eq!(film["id"], json!(second));
    screen.play(&item).await;
    let item = screen.next_item().await.data;
    assert_eq!(item["id"], json!(boop));
    screen.play(&item).await;
    screen.play(&film).await;
}

#[tokio::test]
async fn a_refresh_of_obs_in_mid_play_loses_nothing_and_repeats_nothing() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(8000).await, stage.viewer("anna", 100).await);
    let mut before = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let item = before.next_item().await.data;
    before.ack(&item, "started").await.expect(200);
    let screen_id = before.id;
    drop(before);
    stage.app.advance(seconds(3)).await;
    let mut after = Screen::connect(&stage.app, &stage.token, "obs", screen_id).await;
    let playing = after.state["playing"][0].clone();
    assert_eq!((&playing["id"], &playing["playEpoch"]), (&json!(id), &item["playEpoch"]), "{}", after.state);
    assert!((3000..8000).contains(&playing["elapsedMs"].as_i64().unwrap()), "{playing}");
    assert!(after.shows_nothing_new().await, "the item was sent again");
    after.ack(&playing, "done").await.expect(200);
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "done");
    assert_eq!(stage.balance(&anna).await, 0);
}

#[tokio::test]
async fn refunds_once_when_the_overlay_never_answers() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    stage.app.advance(seconds(11)).await;
    assert_eq!(screen.events.wait_for("activation:stop").await.data["reason"], "no_screen_started");
    stage.app.drain().await;
    let mine = stage.state_of(&anna, &id).await;
    assert_eq!((&mine["status"], &mine["reason"]), (&json!("failed"), &json!("no_screen_started")));
    assert_eq!((&mine["refunded"], stage.balance(&anna).await), (&json!(true), 100));
    for late in ["started", "done"] {
        let answer = screen.ack(&item, late).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (409, "STALE_PLAY"));
    }
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn refunds_when_a_screen_begins_and_never_ends() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    screen.ack(&item, "started").await.expect(200);
    stage.app.advance(seconds(6)).await;
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "playing", "two seconds of meme and five of patience");
    stage.app.advance(seconds(5)).await;
    screen.events.wait_for("activation:stop").await;
    assert_eq!(stage.state_of(&anna, &id).await["reason"], "never_ended");
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn a_screen_that_cannot_show_it_gives_the_coins_back_unless_another_can() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 200).await);
    let mut first = stage.screen().await;
    let second = stage.screen().await;
    let shown = stage.activate(&anna, meme).await;
    let item = first.next_item().await.data;
    second.ack(&item, "started").await.expect(200);
    first.ack(&item, "failed").await.expect(200);
    assert_eq!(stage.state_of(&anna, &shown).await["status"], "playing");
    second.ack(&item, "done").await.expect(200);
    assert_eq!(stage.state_of(&anna, &shown).await["status"], "done");

    let broken = stage.activate(&anna, meme).await;
    let item = first.next_item().await.data;
    assert_eq!(item["id"], broken);
    first.ack(&item, "failed").await.expect(200);
    assert_eq!(stage.state_of(&anna, &broken).await["status"], "playing", "the second screen may still show it");
    second.ack(&item, "failed").await.expect(200);
    let mine = stage.state_of(&anna, &broken).await;
    assert_eq!((&mine["status"], &mine["reason"]), (&json!("failed"), &json!("screen_failed")));
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn the_streamer_reads_why_a_screen_could_not_show_an_item() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    screen.next_item().await;
    let path = format!("/overlay/t/{}/activations/{id}/ack", stage.token);
    let say = async |reason: &str| {
        let word = json!({ "state": "failed", "reason": reason, "screenId": screen.id });
        stage.app.anonymous().post(&path, &word).await
    };
    let long = say(&"ж".repeat(501)).await.expect(400);
    assert_eq!(long["detail"], "reason: it has 501 characters, at most 500 are allowed");
    let words = "ж".repeat(500);
    say(&words).await.expect(200);
    let history = stage.streamer.get("/streamer/queue/history").await.expect(200);
    assert_eq!((&history[0]["reason"], &history[0]["detail"]), (&json!("screen_failed"), &json!(words)));
}

#[tokio::test]
async fn a_browser_tab_decides_nothing_while_obs_is_there() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut obs = stage.screen().await;
    let tab = Screen::connect(&stage.app, &stage.token, "browser", Uuid::new_v4()).await;
    let id = stage.activate(&anna, meme).await;
    let item = obs.next_item().await.data;
    tab.ack(&item, "failed").await.expect(200);
    tab.ack(&item, "done").await.expect(200);
    assert_eq!(stage.state_of(&anna, &id).await["status"], "playing");
    obs.play(&item).await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "done");
}

#[tokio::test]
async fn a_stranger_decides_nothing_while_obs_is_there_and_takes_no_screen_of_another_channel() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut obs = stage.screen().await;
    let other = stage.app.login("other", "streamer").await;
    let token = other.get("/streamer/overlay/token").await.expect(200)["token"].as_str().unwrap().to_owned();
    let _thief = Screen::connect(&stage.app, &token, "obs", obs.id).await;
    let queue = stage.streamer.get("/streamer/queue").await.expect(200);
    assert_eq!(queue["screens"], 1, "the screen is still the channel's own");
    let id = stage.activate(&anna, meme).await;
    let item = obs.next_item().await.data;
    let path = format!("/overlay/t/{}/activations/{id}/ack", stage.token);
    let nobody = stage.app.anonymous();
    let nameless = nobody.post(&path, &json!({ "state": "done" })).await;
    assert_eq!((nameless.status.as_u16(), nameless.error_code()), (400, "VALIDATION_ERROR"), "{}", nameless.text);
    nobody.post(&path, &json!({ "state": "done", "screenId": Uuid::new_v4() })).await.expect(200);
    assert_eq!(stage.state_of(&anna, &id).await["status"], "playing");
    obs.play(&item).await;
}

#[tokio::test]
async fn a_word_about_an_older_play_or_another_channel_is_refused() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    let mut stale = item.clone();
    stale["playEpoch"] = json!(item["playEpoch"].as_i64().unwrap() - 1);
    assert_eq!(screen.ack(&stale, "done").await.error_code(), "STALE_PLAY");
    let other = stage.app.login("other", "streamer").await;
    let token = other.get("/streamer/overlay/token").await.expect(200)["token"].as_str().unwrap().to_owned();
    let foreign = Screen::connect(&stage.app, &token, "obs", Uuid::new_v4()).await;
    let answer = foreign.ack(&item, "done").await;
    assert_eq!((answer.status.as_u16(), answer.error_code()), (404, "ACTIVATION_NOT_FOUND"));
    screen.play(&item).await;
    assert_eq!(screen.ack(&item, "done").await.status.as_u16(), 200, "saying the same again changes nothing");
}

#[tokio::test]
async fn without_a_screen_the_coins_come_back_after_two_minutes() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    stage.app.advance(seconds(3600)).await;
    let id = stage.activate(&anna, meme).await;
    stage.app.drain().await;
    // Not just before the end: the clock goes on by itself, and the machine may be slow.
    stage.app.advance(seconds(90)).await;
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "queued");
    stage.app.advance(seconds(31)).await;
    stage.app.drain().await;
    let mine = stage.state_of(&anna, &id).await;
    assert_eq!((&mine["status"], &mine["reason"]), (&json!("failed"), &json!("no_screen")), "{mine}");
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn what_waits_does_not_grow_old_while_playback_is_paused() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let id = stage.activate(&anna, meme).await;
    stage.app.drain().await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    stage.app.advance(seconds(3600)).await;
    stage.app.drain().await;
    let mine = stage.state_of(&anna, &id).await;
    assert_eq!((&mine["status"], &mine["etaMs"]), (&json!("queued"), &json!(null)));
    stage.streamer.post("/streamer/queue/playback/resume", &json!({})).await.expect(200);
    stage.app.drain().await;
    stage.app.advance(seconds(100)).await;
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "queued");
    stage.app.advance(seconds(25)).await;
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["reason"], "no_screen");
}

#[tokio::test]
async fn a_pause_holds_the_playing_item_where_it_is() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(10_000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    screen.ack(&item, "started").await.expect(200);
    stage.app.advance(seconds(4)).await;
    stage.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    let held = screen.events.wait_for("activation:pause").await.data["items"][0]["elapsedMs"].as_i64().unwrap();
    assert!((4000..6000).contains(&held), "{held}");
    stage.app.advance(seconds(35)).await;
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "playing");
    stage.streamer.post("/streamer/queue/playback/resume", &json!({})).await.expect(200);
    let resumed = screen.events.wait_for("activation:resume").await.data["items"][0]["elapsedMs"].as_i64().unwrap();
    assert!((held..held + 2000).contains(&resumed), "held at {held}, went on at {resumed}");
    screen.ack(&item, "done").await.expect(200);
    assert_eq!(stage.state_of(&anna, &id).await["status"], "done");
}

#[tokio::test]
async fn a_screen_that_was_not_heard_of_for_long_arrives_anew_and_wakes_the_queue() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    stage.app.drain().await;
    // As after an outage in which nobody could be renewed: what was bought first finds no screen.
    let silence = "update screens set seen_at = app_now() - interval '41 seconds'";
    sqlx::query(silence).execute(stage.app.pool()).await.unwrap();
    let id = stage.activate(&anna, meme).await;
    stage.app.drain().await;
    // As the screen's process does, every ten seconds.
    let mut tx = stage.app.db.begin().await.unwrap();
    let name = (stage.channel_id, screen.id);
    if !playback::renew(&mut tx, &[name]).await.unwrap().contains(&name) {
        playback::arrive(&mut tx, stage.channel_id, screen.id, playback::ScreenKind::Obs).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(screen.next_item().await.data["id"], *id);
}

#[tokio::test]
async fn an_advance_that_waited_for_a_pause_starts_nothing() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    stage.app.drain().await;
    let mut pausing = stage.app.db.begin().await.unwrap();
    let channel = channels::find(&mut pausing, stage.channel_id).await.unwrap().unwrap();
    sqlx::query_scalar!("select channel_id from lanes for update").fetch_all(&mut *pausing).await.unwrap();
    let id = stage.activate(&anna, meme).await;
    wait_until("the advance waits for the lane", async || {
        let waits = sqlx::query_scalar!(
            r#"select exists(select from pg_stat_activity
                             where datname = current_database() and wait_event_type = 'Lock') as "waits!""#
        );
        waits.fetch_one(stage.app.pool()).await.unwrap().then_some(())
    })
    .await;
    playback::pause(&mut pausing, &channel).await.unwrap();
    pausing.commit().await.unwrap();
    stage.app.drain().await;
    assert_eq!(stage.state_of(&anna, &id).await["status"], "queued");
    stage.streamer.post("/streamer/queue/playback/resume", &json!({})).await.expect(200);
    assert_eq!(screen.next_item().await.data["id"], *id);
}

#[tokio::test]
async fn the_streamer_skips_what_plays_and_empties_the_queue_with_full_refunds() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 300).await);
    let mut screen = stage.screen().await;
    let first = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    screen.ack(&item, "started").await.expect(200);
    let (second, third) = (stage.activate(&anna, meme).await, stage.activate(&anna, meme).await);
    let cleared = stage.streamer.post("/streamer/queue/clear", &json!({})).await.expect(200);
    assert_eq!((&cleared["cleared"], &cleared["refunded"]), (&json!(2), &json!(200)));
    let skipped = stage.streamer.post("/streamer/queue/skip", &json!({})).await.expect(200);
    assert_eq!((&skipped["id"], &skipped["status"]), (&json!(first), &json!("cancelled")));
    assert_eq!(screen.events.wait_for("activation:stop").await.data["id"], first);
    for (id, reason) in [(first, "skipped"), (second, "cleared"), (third, "cleared")] {
        assert_eq!(stage.state_of(&anna, &id).await["reason"], reason);
    }
    assert_eq!(stage.balance(&anna).await, 300);
    let nothing = stage.streamer.post("/streamer/queue/skip", &json!({})).await;
    assert_eq!((nothing.status.as_u16(), nothing.error_code()), (409, "CONFLICT"));
    let history = stage.streamer.get("/streamer/queue/history?limit=2").await;
    assert_eq!((history.header("x-total-count"), history.header("x-has-more")), ("3", "true"));
}

#[tokio::test]
async fn a_test_event_takes_the_whole_path_for_no_coins_and_no_statistics() {
    let stage = Stage::open().await;
    let meme = stage.meme(2000).await;
    let mut screen = stage.screen().await;
    let placed = stage.streamer.post("/streamer/test-event", &json!({})).await.expect(200);
    assert_eq!(placed["memeId"], meme.to_string());
    let item = screen.next_item().await.data;
    assert_eq!(item["source"], "test");
    screen.play(&item).await;
    let stats = stage.streamer.get("/streamer/stats/channel").await.expect(200);
    assert_eq!(stats["activationsTotal"], 0);
}

#[tokio::test]
async fn a_dispatcher_killed_in_the_middle_loses_nothing() {
    let app = TestApp::builder().pools(&[]).start().await;
    let mut stage = Stage::on(app).await;
    // The killed process' jobs are nobody's leftovers: the second process finishes them.
    stage.app.leaves_jobs_behind();
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 500).await);
    let url = stage.app.database_url();
    let settings = [("DATABASE_URL", url.as_str())];
    let mut screen = stage.screen().await;
    let mut first = MemalertsProcess::spawn(&["work", "dispatch"], &settings);
    let placed = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    assert_eq!(item["id"], placed);
    first.kill();
    // Nobody dispatches: orders are taken, the present item ends, the next ones wait.
    for _ in 0..4 {
        stage.activate(&anna, meme).await;
    }
    screen.play(&item).await;
    let _second = MemalertsProcess::spawn(&["work", "dispatch"], &settings);
    for _ in 0..4 {
        let item = screen.next_item().await.data;
        screen.play(&item).await;
    }
    assert_eq!(stage.balance(&anna).await, 0);
    let stats = stage.streamer.get("/streamer/stats/channel").await.expect(200);
    assert_eq!(stats["activationsDone"], 5);
}

#[tokio::test]
async fn screens_and_panel_are_told_the_files_of_what_comes_next_and_the_public_is_not() {
    let stage = Stage::open().await;
    let anna = stage.viewer("anna", 1000).await;
    let mut memes = Vec::new();
    for _ in 0..5 {
        memes.push(stage.meme(2000).await);
    }
    let mut screen = stage.screen().await;
    assert!(screen.state["next"].is_null(), "nothing waits: {}", screen.state);
    let mut panel = stage.streamer.events("/streamer/events").await;
    let mut public = stage.app.anonymous().events("/channels/demo/events").await;
    for meme in &memes {
        stage.activate(&anna, *meme).await;
    }
    let listed = stage.app.anonymous().get("/channels/demo/memes").await.expect(200);
    let file = |meme: &Uuid| {
        let listed = listed.as_array().unwrap().iter().find(|listed| listed["id"] == meme.to_string());
        listed.unwrap()["fileUrl"].clone()
    };
    let next: Vec<Value> = memes[1..4].iter().map(|meme| json!({ "type": "video", "fileUrl": file(meme) })).collect();

    // The first plays, four wait.
    stage.app.drain().await;
    stage.app.advance(Duration::from_secs(1)).await;
    let whole = |event: &ServerEvent| event.name == "queue:state" && event.data["queuedCount"] == 4;
    let told = screen.events.wait_where("the queue's state", whole).await;
    assert_eq!(told.data["next"], json!(next));
    assert_eq!(panel.wait_where("the queue's state", whole).await.data["next"], json!(next));
    let public_state = public.wait_where("the queue's state", whole).await;
    assert!(public_state.data.get("next").is_none(), "{public_state:?}");

    // Whoever comes now is told the same.
    assert_eq!(stage.screen().await.state["next"], json!(next));
    let mut late = stage.app.anonymous().events("/channels/demo/events").await;
    assert!(late.wait_for("queue:state").await.data.get("next").is_none());
    stage.streamer.post("/streamer/queue/clear", &json!({})).await.expect(200);
    stage.streamer.post("/streamer/queue/skip", &json!({})).await.expect(200);
    stage.app.advance(Duration::from_secs(1)).await;
}

/// Gives up the one clock of this kind.
async fn discard_clock(stage: &Stage, kind: &str) {
    stage.app.drain().await;
    let clock = "select id from jobs where kind = $1";
    let clock: i64 = sqlx::query_scalar(clock).bind(kind).fetch_one(stage.app.pool()).await.unwrap();
    let by = By { actor: "os:test".to_owned(), request: None };
    let mut tx = stage.app.db.begin().await.unwrap();
    assert_eq!(admin::one(&mut tx, &by, clock, &Act::Discard("by mistake".to_owned())).await.unwrap(), Ordered::Yes);
    tx.commit().await.unwrap();
}

async fn given_up(stage: &Stage, viewer: &Session, activation: &str, reason: &str) {
    wait_until(&format!("it has ended: {reason}"), async || {
        (stage.state_of(viewer, activation).await["reason"] == reason).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_play_whose_clock_was_given_up_ends_all_the_same() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    screen.next_item().await;
    discard_clock(&stage, "expire-play").await;
    // No screen began it in 10 s, its clock is 30 s late, and the sweep comes every 10 s.
    stage.app.advance(seconds(51)).await;
    given_up(&stage, &anna, &id, "no_screen_started").await;
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn what_waits_ends_its_patience_although_its_clock_was_given_up() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let id = stage.activate(&anna, meme).await;
    discard_clock(&stage, "expire-waiting").await;
    stage.app.advance(seconds(161)).await;
    given_up(&stage, &anna, &id, "no_screen").await;
    assert_eq!(stage.balance(&anna).await, 100);
}

#[tokio::test]
async fn what_screens_said_is_forgotten_a_day_after_the_play() {
    let stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let mut screen = stage.screen().await;
    stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    screen.play(&item).await;
    let words = async || -> i64 {
        let words = "select count(*) from screen_reports";
        sqlx::query_scalar(words).fetch_one(stage.app.pool()).await.unwrap()
    };
    assert_eq!(words().await, 1, "the last word of each screen");
    stage.app.advance(Duration::from_hours(25)).await;
    wait_until("it is forgotten", async || (words().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_channel_that_cannot_be_looked_at_does_not_hold_up_the_others_of_its_job() {
    let mut stage = Stage::open().await;
    let (meme, anna) = (stage.meme(2000).await, stage.viewer("anna", 100).await);
    let other = stage.app.login("other", "streamer").await.get("/me").await.expect(200)["channelId"].clone();
    let broken: Uuid = other.as_str().unwrap().parse().unwrap();
    stage.app.drain().await;
    let trap = format!(
        "create function trap() returns trigger language plpgsql as $$ begin raise 'trap'; end $$;
         create trigger trap before update on lanes for each row when (old.channel_id = '{broken}') execute function trap()"
    );
    stage.app.pool().execute(AssertSqlSafe(trap)).await.unwrap();
    let mut screen = stage.screen().await;
    let id = stage.activate(&anna, meme).await;
    assert_eq!(screen.next_item().await.data["id"], *id);

    // What a commit writes that sells on both channels.
    let before = looks_at(&stage, stage.channel_id).await;
    let mut tx = stage.app.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &AdvancePlayback { channels: vec![broken, stage.channel_id] }).await.unwrap();
    tx.commit().await.unwrap();
    let apart = async || {
        let looked = looks_at(&stage, stage.channel_id).await > before;
        let waits = sqlx::query_scalar!(
            r#"select exists(select from jobs where kind = 'advance-playback' and attempts > 0 and state = 'ready'
                                 and payload->'channels' = jsonb_build_array($1::uuid)) as "waits!""#,
            broken
        );
        (looked && waits.fetch_one(stage.app.pool()).await.unwrap()).then_some(())
    };
    wait_until("one channel is looked at and the other waits for its next try", apart).await;
    stage.app.leaves_jobs_behind();
}

/// How often a job has looked at this channel alone.
async fn looks_at(stage: &Stage, channel: Uuid) -> i64 {
    let looks = sqlx::query_scalar!(
        r#"select count(*) as "count!" from jobs_done
           where kind = 'advance-playback' and verdict = 'done' and payload->'channels' = jsonb_build_array($1::uuid)"#,
        channel
    );
    looks.fetch_one(stage.app.pool()).await.unwrap()
}
