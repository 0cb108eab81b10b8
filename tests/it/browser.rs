//! The overlay in a real browser: what is on the screen, and what is not.

use std::{process::Command, time::Duration};

use domain::media::MediaType;
use harness::{Browser, Rendition, Session, TestApp, wait_until};
use serde_json::{Value, json};

use crate::realtime::overlay_path;

/// Makes a file with ffmpeg; its bytes.
pub(crate) fn made(arguments: &[&str], extension: &str) -> Vec<u8> {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join(format!("made.{extension}"));
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi"])
        .args(arguments)
        .arg(&path)
        .status()
        .expect("run ffmpeg");
    assert!(status.success());
    std::fs::read(path).unwrap()
}

/// The owner plays the meme (free); the activation's id.
pub(crate) async fn activate(streamer: &Session, meme: &str) -> String {
    let placed = streamer.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200);
    placed["activation"]["id"].as_str().unwrap().to_owned()
}

async fn state(streamer: &Session, activation: &str) -> Value {
    streamer.get(&format!("/me/activations/{activation}")).await.expect(200)
}

#[tokio::test]
async fn the_overlay_shows_the_picture_and_is_transparent_after() {
    let Some(mut browser) = Browser::start("the_overlay_shows_the_picture_and_is_transparent_after").await else {
        return;
    };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let red = made(&["-i", "color=red:size=320x180", "-frames:v", "1"], "png");
    let red = Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 3000, bytes: &red };
    let meme = app.meme(&demo, red).await;
    let url = format!("{}{}", app.base, overlay_path(&demo).await);

    assert_eq!(browser.open(&url, true).await, 200);
    let empty = browser.look().await;
    assert_eq!((empty.covered, empty.text.as_str()), (0.0, ""));
    let activation = activate(&demo, &meme).await;
    let shown = wait_until("the picture is on the screen", async || {
        let look = browser.look().await;
        (look.covered > 0.5).then_some(look)
    })
    .await;
    let [red, green, blue, alpha] = shown.middle;
    assert!(red > 200 && green < 60 && blue < 60 && alpha == 255, "{shown:?}");
    assert_eq!(shown.plays.len(), 1);
    assert_eq!(shown.plays[0]["sender"], "demo");
    assert_eq!(state(&demo, &activation).await["status"], "playing");

    let after = wait_until("the screen is transparent again", async || {
        let look = browser.look().await;
        (look.covered == 0.0).then_some(look)
    })
    .await;
    assert_eq!(after.text, "");
    assert_eq!(after.complaints, Vec::<String>::new());
    wait_until("it is done", async || (state(&demo, &activation).await["status"] == "done").then_some(())).await;
    // The last news of the queue is told with a delay.
    app.advance(Duration::from_secs(1)).await;
    app.drain().await;
}

#[tokio::test]
async fn a_refresh_in_mid_play_goes_on_where_the_item_is_and_plays_it_once() {
    let Some(mut browser) = Browser::start("a_refresh_in_mid_play_goes_on_where_the_item_is").await else { return };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let video = ["-i", "testsrc=size=320x180:rate=15:duration=9", "-f", "lavfi", "-i", "sine=duration=9"];
    let video = made(&[&video[..], &["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"]].concat(), "webm");
    let video = Rendition { kind: MediaType::Video, mime_type: "video/webm", duration_ms: 9000, bytes: &video };
    let meme = app.meme(&demo, video).await;
    let url = format!("{}{}", app.base, overlay_path(&demo).await);
    let mut events = demo.events("/streamer/events").await;

    browser.open(&url, true).await;
    let activation = activate(&demo, &meme).await;
    let at = |look: &harness::Look| look.plays.first().and_then(|play| play["at"].as_f64());
    let before = wait_until("two seconds have been shown", async || {
        let look = browser.look().await;
        at(&look).filter(|at| *at > 2.0)
    })
    .await;
    browser.reload().await;
    let (look, after) = wait_until("it goes on", async || {
        let look = browser.look().await;
        let playing = look.covered > 0.5 && look.plays.first().is_some_and(|play| play["paused"] == false);
        at(&look).filter(|_| playing).map(|at| (look, at))
    })
    .await;
    assert!(after >= before, "{after} after {before}: it began again");
    assert_eq!((look.plays.len(), &look.plays[0]["muted"]), (1, &json!(false)), "{look:?}");

    wait_until("it is done", async || (state(&demo, &activation).await["status"] == "done").then_some(())).await;
    let look = browser.look().await;
    assert_eq!((look.covered, look.complaints), (0.0, vec![]));
    let begun = events.wait_for("activation:new").await;
    assert_eq!(begun.data["id"], activation.as_str());
    let again = tokio::time::timeout(Duration::from_millis(500), events.wait_for("activation:new")).await;
    assert!(again.is_err(), "it was started twice");
    // The last news of the queue is told with a delay.
    app.advance(Duration::from_secs(1)).await;
    app.drain().await;
}

#[tokio::test]
async fn a_tab_that_may_not_sound_plays_muted_and_that_counts_as_played() {
    let Some(mut browser) = Browser::start_without_sound("a_tab_that_may_not_sound_plays_muted").await else { return };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let video = ["-i", "testsrc=size=320x180:rate=15:duration=2", "-f", "lavfi", "-i", "sine=duration=2"];
    let video = made(&[&video[..], &["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"]].concat(), "webm");
    let video = Rendition { kind: MediaType::Video, mime_type: "video/webm", duration_ms: 2000, bytes: &video };
    let meme = app.meme(&demo, video).await;
    browser.open(&format!("{}{}", app.base, overlay_path(&demo).await), false).await;
    // To look counts as a click, after which sound is allowed; so it must have said first that it has started.
    let mut events = demo.events("/streamer/events").await;
    let activation = activate(&demo, &meme).await;
    assert_eq!(events.wait_for("activation:started").await.data["id"], activation.as_str());
    let look = browser.look().await;
    let shown = look.plays.first().unwrap_or_else(|| panic!("nothing is shown: {look:?}"));
    assert_eq!((&shown["muted"], &shown["paused"]), (&json!(true), &json!(false)), "{look:?}");
    wait_until("it is done", async || (state(&demo, &activation).await["status"] == "done").then_some(())).await;
    assert_eq!(browser.look().await.complaints, Vec::<String>::new());
    // The last news of the queue is told with a delay.
    app.advance(Duration::from_secs(1)).await;
    app.drain().await;
}

#[tokio::test]
async fn a_name_that_is_a_page_of_its_own_is_shown_as_the_text_that_it_is() {
    let Some(mut browser) = Browser::start("a_name_that_is_a_page_of_its_own_is_shown_as_the_text_that_it_is").await
    else {
        return;
    };
    let app = TestApp::start().await;
    // Would throw, which the browser tells, and load from elsewhere, which it tells as well.
    let name = "<img src=//x onerror=x()>&lt;b>";
    let wish = json!({ "login": "demo", "role": "streamer", "displayName": name });
    app.anonymous().post("/auth/dev/login", &wish).await.expect(200);
    let demo = app.login("demo", "streamer").await;
    let picture = made(&["-i", "color=red:size=320x180", "-frames:v", "1"], "png");
    let picture = Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 3000, bytes: &picture };
    let meme = app.meme(&demo, picture).await;
    // The token is behind `#` here, where nobody but the page sees it.
    let behind = overlay_path(&demo).await.replace("/overlay/t/", "/overlay/t/-#");
    browser.open(&format!("{}{behind}", app.base), true).await;
    let activation = activate(&demo, &meme).await;
    let shown = wait_until("it is on the screen", async || {
        let look = browser.look().await;
        (!look.plays.is_empty()).then_some(look)
    })
    .await;
    assert_eq!(shown.plays[0]["sender"], name, "{shown:?}");
    wait_until("it is done", async || (state(&demo, &activation).await["status"] == "done").then_some(())).await;
    assert_eq!(browser.look().await.complaints, Vec::<String>::new());
    // The last news of the queue is told with a delay.
    app.advance(Duration::from_secs(1)).await;
    app.drain().await;
}

#[tokio::test]
async fn a_token_that_is_no_good_shows_nothing() {
    let Some(mut browser) = Browser::start("a_token_that_is_no_good_shows_nothing").await else { return };
    let app = TestApp::builder().pools(&[]).start().await;
    assert_eq!(browser.open(&format!("{}/overlay/t/ot_0_0", app.base), true).await, 401);
    let look = browser.look().await;
    assert_eq!((look.covered, look.text, look.complaints), (0.0, String::new(), vec![]));
}
