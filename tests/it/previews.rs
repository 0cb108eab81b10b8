//! What a meme looks like before it is played, and what can be seen through.

use domain::media::MediaType;
use harness::{Browser, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    browser::{activate, made},
    realtime::overlay_path,
    reviews::sent_in,
    stage::Stage,
    submissions::{Upload, fake, nothing_is_stored},
};

async fn fetched(who: &Session, url: &Value) -> (String, Vec<u8>) {
    let answer = who.request(Method::GET, url.as_str().unwrap_or_else(|| panic!("no address: {url}"))).send().await;
    let answer = answer.unwrap().error_for_status().unwrap();
    (answer.headers()["content-type"].to_str().unwrap().to_owned(), answer.bytes().await.unwrap().to_vec())
}

/// Width and height, and whether it can be seen through or moves, of a WebP file.
fn webp(bytes: &[u8]) -> (usize, usize, bool, bool) {
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    match &bytes[12..16] {
        b"VP8X" => (number(24, 3) + 1, number(27, 3) + 1, bytes[20] & 0x10 != 0, bytes[20] & 2 != 0),
        b"VP8 " => (number(26, 2) & 0x3fff, number(28, 2) & 0x3fff, false, false),
        other => panic!("{other:?}"),
    }
}

/// A video, the left half of which can be seen through.
fn half_a_video(codec: &str) -> Vec<u8> {
    let source = "color=red:size=320x180:rate=15:duration=2,format=yuva420p,geq=lum='p(X,Y)':a='if(lt(X,160),0,255)'";
    made(&["-i", source, "-c:v", codec, "-auto-alt-ref", "0", "-b:v", "1M"], "webm")
}

#[tokio::test]
async fn every_meme_has_a_poster_and_what_moves_a_preview() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    for kind in MediaType::ALL {
        Upload::sample(kind).await.judged(&owner).await.expect(201);
    }
    app.drain().await;
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    let mine = owner.get("/submissions/mine").await.expect(200);
    let inbox = owner.get("/streamer/submissions").await.expect(200);
    for meme in memes.as_array().unwrap() {
        let sent =
            |list: &Value| list.as_array().unwrap().iter().find(|sent| sent["memeId"] == meme["id"]).unwrap().clone();
        for list in [sent(&mine), sent(&inbox)] {
            assert_eq!((&list["posterUrl"], &list["previewUrl"]), (&meme["posterUrl"], &meme["previewUrl"]), "{list}");
        }
        let (content_type, poster) = fetched(&owner, &meme["posterUrl"]).await;
        let (width, height, _, moves) = webp(&poster);
        assert!(content_type == "image/webp" && width <= 640 && height <= 640 && !moves, "{meme}");
        if matches!(meme["type"].as_str(), Some("video" | "gif")) {
            let (content_type, preview) = fetched(&owner, &meme["previewUrl"]).await;
            let (width, height, _, moves) = webp(&preview);
            assert!(content_type == "image/webp" && width <= 320 && height <= 320 && moves, "{meme}");
        } else {
            assert_eq!(meme.get("previewUrl"), None, "it does not move: {meme}");
        }
    }
}

#[tokio::test]
async fn the_poster_of_a_video_that_begins_in_the_dark_is_not_dark() {
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    let dark = "color=black:size=1280x720:rate=15:duration=1[dark];color=white:size=1280x720:rate=15:duration=3[light];[dark][light]concat";
    let video = made(&["-i", dark, "-c:v", "libx264", "-pix_fmt", "yuv420p"], "mp4");
    Upload::of(&video, "video/mp4", "video").judged(&owner).await.expect(201);
    app.drain().await;
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    let (_, poster) = fetched(&owner, &memes[0]["posterUrl"]).await;
    assert_eq!(webp(&poster), (640, 360, false, false));
    assert!(brightness(&poster) > 200, "{}", brightness(&poster));
}

/// 0 to 255.
fn brightness(picture: &[u8]) -> u8 {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("picture.webp");
    std::fs::write(&path, picture).unwrap();
    let pixel = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-vf", "scale=1:1,format=gray", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    pixel.stdout[0]
}

#[tokio::test]
async fn the_same_bytes_share_their_pictures_and_the_last_one_takes_them_along() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.app.login("anna", "viewer").await, stage.app.login("bert", "viewer").await);
    let (first, second) = (sent_in(&stage, &anna).await, sent_in(&stage, &bert).await);
    stage.app.drain().await;
    let drawn = "select f.reference_count from file_hashes f join meme_assets a on a.poster_hash = f.hash";
    let counts: Vec<i32> = sqlx::query_scalar(drawn).fetch_all(stage.app.pool()).await.unwrap();
    assert_eq!(counts, [2, 2], "one picture of two assets");
    let poster = anna.get("/submissions/mine").await.expect(200)[0]["posterUrl"].clone();
    for id in [first, second] {
        fetched(&anna, &poster).await;
        stage.streamer.post(&format!("/streamer/submissions/{id}/reject"), &json!({})).await.expect(200);
        stage.app.drain().await;
    }
    nothing_is_stored(&stage.app).await;
}

#[tokio::test]
async fn a_meme_of_which_no_picture_can_be_drawn_is_a_meme_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    // Posters and previews alone are drawn in these qualities.
    let script = "case \"$*\" in *'-quality 80'*|*'-quality 50'*) exit 1;; esac; exec ffmpeg \"$@\"";
    let app = TestApp::builder().env("FFMPEG_PATH", &fake(folder.path(), script)).start().await;
    let owner = app.login("demo", "streamer").await;
    for kind in MediaType::ALL {
        Upload::sample(kind).await.judged(&owner).await.expect(201);
    }
    app.drain().await;
    let memes = owner.get("/channels/demo/memes").await.expect(200);
    assert_eq!(memes.as_array().unwrap().len(), 4);
    assert!(memes.as_array().unwrap().iter().all(|meme| meme.get("posterUrl").is_none()), "{memes}");
}

#[tokio::test]
async fn what_can_be_seen_through_stays_so_from_the_upload_to_the_screen() {
    let Some(mut browser) = Browser::start("what_can_be_seen_through_stays_so").await else { return };
    let app = TestApp::start().await;
    let owner = app.login("demo", "streamer").await;
    browser.open(&format!("{}{}", app.base, overlay_path(&owner).await), true).await;
    for codec in ["libvpx", "libvpx-vp9"] {
        let sent = Upload::of(&half_a_video(codec), "video/webm", "video").judged(&owner).await.expect(201);
        app.drain().await;
        let memes = owner.get("/channels/demo/memes").await.expect(200);
        let meme = memes.as_array().unwrap().iter().find(|meme| meme["id"] == sent["memeId"]).unwrap();
        assert_eq!(fetched(&owner, &meme["fileUrl"]).await.0, "video/webm", "{codec}");
        for picture in ["posterUrl", "previewUrl"] {
            assert!(webp(&fetched(&owner, &meme[picture]).await.1).2, "{codec}: {picture} hides what is behind it");
        }
        let activation = activate(&owner, meme["id"].as_str().unwrap()).await;
        let look = wait_until("it is on the screen", async || {
            let look = browser.look().await;
            (look.covered > 0.1).then_some(look)
        })
        .await;
        assert!((0.4..0.6).contains(&look.covered), "{codec}: {look:?}");
        wait_until("it is over", async || {
            let state = owner.get(&format!("/me/activations/{activation}")).await.expect(200);
            (state["status"] == "done").then_some(())
        })
        .await;
    }
    app.advance(std::time::Duration::from_secs(1)).await;
    app.drain().await;
}
