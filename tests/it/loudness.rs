//! All memes are equally loud, as far as their peaks allow; and each as loud as its channel wants it.

use harness::{Browser, Session, TestApp, wait_until};
use serde_json::{Value, json};

use crate::{
    browser::{activate, made},
    realtime::overlay_path,
    submissions::Upload,
};

/// The owner's meme with a tone of 1 kHz, of -21 LUFS and this many decibels more, in the catalogue's words.
async fn tone(owner: &Session, decibels: i32) -> Value {
    let sound = format!("sine=frequency=1000:duration=2,volume={decibels}dB,aformat=channel_layouts=stereo");
    let picture = ["-i", "testsrc=size=320x180:rate=15:duration=2", "-f", "lavfi", "-i", &sound, "-c:v", "libx264"];
    let video = made(&[&picture[..], &["-pix_fmt", "yuv420p", "-c:a", "aac"]].concat(), "mp4");
    let sent = Upload::of(&video, "video/mp4", "video").judged(owner).await.expect(201);
    listed(owner, &sent["memeId"]).await
}

async fn listed(owner: &Session, meme: &Value) -> Value {
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    memes.as_array().unwrap().iter().find(|listed| listed["id"] == *meme).unwrap().clone()
}

fn gain(told: &Value) -> f64 {
    told["gainDb"].as_f64().unwrap_or_else(|| panic!("no gain: {told}"))
}

#[tokio::test]
async fn what_is_loud_is_told_to_be_played_quieter_and_what_is_quiet_louder() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let (quiet, loud) = (tone(&owner, -6).await, tone(&owner, 15).await);
    // 21 dB lie between them, and none when both are played as they are told to be.
    assert!((gain(&quiet) - gain(&loud) - 21.0).abs() < 0.5, "{quiet} {loud}");
    assert!(gain(&quiet) > 9.0 && gain(&loud) < -8.0, "{quiet} {loud}");
    let picture = Upload::sample(domain::media::MediaType::Image).await.judged(&owner).await.expect(201);
    assert_eq!(listed(&owner, &picture["memeId"]).await.get("gainDb"), None, "there is nothing to hear");
    let again = tone(&owner, -6).await;
    assert_eq!(gain(&again), gain(&quiet), "the same bytes share what was measured");

    let path = overlay_path(&owner).await;
    let mut screen = owner.events(&format!("{path}/events")).await;
    screen.wait_for("overlay:state").await;
    activate(&owner, quiet["id"].as_str().unwrap()).await;
    let begun = screen.wait_for("activation:new").await.data;
    assert_eq!((gain(&begun), &begun["volume"]), (gain(&quiet), &json!(100)));
    let polled = owner.get(&format!("{path}/poll")).await.expect(200);
    let state = polled["events"].as_array().unwrap().iter().find(|event| event["event"] == "overlay:state").unwrap();
    assert_eq!(gain(&state["data"]["playing"][0]), gain(&quiet), "{polled}");
    let queue = owner.get("/streamer/queue").await.expect(200);
    assert_eq!((gain(&queue["playing"][0]), &queue["playing"][0]["volume"]), (gain(&quiet), &json!(100)));
    owner.post("/streamer/queue/skip", &json!({})).await.expect(200);
    app.advance(std::time::Duration::from_secs(1)).await;
    app.drain().await;
}

#[tokio::test]
async fn an_instance_says_how_loud_its_memes_are() {
    let app = TestApp::builder().env("LOUDNESS_TARGET_LUFS", "-23").start().await;
    let owner = app.login("demo", "streamer").await;
    // 7 dB less than everywhere else, where it is some 11.
    let here = gain(&tone(&owner, -6).await);
    assert!((here - 4.0).abs() < 1.0, "{here}");
    app.drain().await;
}

#[tokio::test]
async fn a_channel_turns_a_meme_down_for_the_plays_that_follow() {
    let mut stage = crate::stage::Stage::open().await;
    let meme = stage.meme(2000).await;
    let path = format!("/streamer/memes/{meme}");
    let before = stage.activate(&stage.streamer, meme).await;
    let changed = stage.streamer.patch(&path, &json!({ "volume": 40 })).await.expect(200);
    assert_eq!((&changed["volume"], &changed["title"]), (&json!(40), &json!("A meme")));
    let after = stage.activate(&stage.streamer, meme).await;
    let volumes: Vec<(String, i16)> =
        sqlx::query_as("select id::text, volume from activations order by created_at, id")
            .fetch_all(stage.app.pool())
            .await
            .unwrap();
    assert_eq!(volumes, [(before.to_string(), 100), (after.to_string(), 40)], "what was bought plays as it was");
    for wrong in [-1, 101] {
        let refused = stage.streamer.patch(&path, &json!({ "volume": wrong })).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{}", refused.text);
    }
    stage.app.leaves_jobs_behind();
}

#[tokio::test]
async fn the_overlay_plays_a_quiet_meme_louder_and_one_that_was_turned_down_quieter() {
    let Some(mut browser) = Browser::start("the_overlay_plays_a_quiet_meme_louder").await else { return };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let quiet = tone(&demo, -6).await;
    let (meme, factor) = (quiet["id"].as_str().unwrap(), 10f64.powf(gain(&quiet) / 20.0));
    browser.open(&format!("{}{}", app.base, overlay_path(&demo).await), true).await;
    for (volume, heard, boost) in [(100, 1.0, factor), (20, 0.2 * factor, 1.0)] {
        demo.patch(&format!("/streamer/memes/{meme}"), &json!({ "volume": volume })).await.expect(200);
        let activation = activate(&demo, meme).await;
        let play = wait_until("it plays", async || {
            let look = browser.look().await;
            assert_eq!(look.complaints, Vec::<String>::new());
            look.plays.into_iter().find(|play| play["at"].as_f64() > Some(0.2))
        })
        .await;
        for (name, wanted) in [("volume", heard), ("boost", boost)] {
            assert!((play[name].as_f64().unwrap() - wanted).abs() < 0.01, "{name} shall be {wanted}: {play}");
        }
        assert_eq!(play["muted"], false);
        wait_until("it is over", async || {
            let state = demo.get(&format!("/me/activations/{activation}")).await.expect(200);
            (state["status"] == "done").then_some(())
        })
        .await;
    }
    app.advance(std::time::Duration::from_secs(1)).await;
    app.drain().await;
}

#[tokio::test]
async fn a_tab_that_may_not_sound_plays_a_quiet_meme_all_the_same() {
    let Some(mut browser) = Browser::start_without_sound("a_tab_that_may_not_sound_plays_a_quiet_meme").await else {
        return;
    };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let quiet = tone(&demo, -6).await;
    browser.open(&format!("{}{}", app.base, overlay_path(&demo).await), false).await;
    let mut events = demo.events("/streamer/events").await;
    let activation = activate(&demo, quiet["id"].as_str().unwrap()).await;
    assert_eq!(events.wait_for("activation:started").await.data["id"], activation.as_str());
    let look = browser.look().await;
    let shown = look.plays.first().unwrap_or_else(|| panic!("nothing is shown: {look:?}"));
    assert_eq!((&shown["muted"], &shown["paused"]), (&json!(true), &json!(false)), "{look:?}");
    wait_until("it is done", async || {
        let state = demo.get(&format!("/me/activations/{activation}")).await.expect(200);
        (state["status"] == "done").then_some(())
    })
    .await;
    app.advance(std::time::Duration::from_secs(1)).await;
    app.drain().await;
}
