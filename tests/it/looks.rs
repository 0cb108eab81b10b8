//! How the overlay looks: what it is tried with, and presets.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn the_overlay_is_tried_with_memes_of_the_channel_the_same_for_the_same_seed() {
    let stage = Stage::open().await;
    let path = "/streamer/overlay/preview-meme";
    assert_eq!(stage.streamer.get(path).await.error_code(), "MEME_NOT_FOUND");
    assert_eq!(stage.streamer.get("/streamer/overlay/preview-memes").await.expect(200), json!([]));
    let mut memes = HashSet::new();
    for _ in 0..8 {
        memes.insert(stage.meme(1000).await.to_string());
    }
    let one = stage.streamer.get(path).await.expect(200);
    assert!(memes.contains(one["id"].as_str().unwrap()));
    let drawn = async |query: &str| -> Vec<String> {
        let list = stage.streamer.get(&format!("/streamer/overlay/preview-memes?{query}")).await.expect(200);
        list.as_array().unwrap().iter().map(|meme| meme["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut draws = HashSet::new();
    for seed in [0, 1, 2, -3, i64::MAX] {
        let five = drawn(&format!("count=5&seed={seed}")).await;
        assert_eq!(
            five.iter().filter(|id| memes.contains(*id)).collect::<HashSet<_>>().len(),
            5,
            "five different ones"
        );
        assert_eq!(drawn(&format!("count=5&seed={seed}")).await, five);
        draws.insert(five);
    }
    assert!(draws.len() > 1, "another seed draws others");
    assert_eq!(drawn("seed=1").await.len(), 1);
    for wrong in ["count=0", "count=6", "seed=x"] {
        let answer = stage.streamer.get(&format!("/streamer/overlay/preview-memes?{wrong}")).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
}

#[tokio::test]
async fn presets_are_kept_as_they_were_put_and_a_change_of_looks_reaches_the_overlay() {
    let stage = Stage::open().await;
    let path = "/streamer/overlay/presets";
    let preset = |name: &str| json!({ "name": name, "styleJson": format!("{{\"font\":\"{name}\"}}") });
    assert_eq!(stage.streamer.get(path).await.expect(200), json!({ "presets": [] }));
    let two = json!({ "presets": [preset("Neon"), preset("Мел")] });
    assert_eq!(stage.streamer.put(path, &two).await.expect(200), two);
    let thirty: Vec<Value> = (0..30).map(|number| preset(&number.to_string())).collect();
    let thirty = json!({ "presets": thirty });
    assert_eq!(stage.streamer.put(path, &thirty).await.expect(200), thirty);
    let style = |style: String| json!({ "presets": [{ "name": "x", "styleJson": style }] });
    for wrong in [
        json!({ "presets": [preset("")] }),
        json!({ "presets": [preset(&"x".repeat(51))] }),
        json!({ "presets": [preset("\u{202e}noeN")] }),
        style("[]".to_owned()),
        style(format!("{{\"a\":\"{}\"}}", "x".repeat(50_000))),
        json!({}),
    ] {
        let answer = stage.streamer.put(path, &wrong).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"));
    }
    assert_eq!(stage.streamer.get(path).await.expect(200), thirty, "what is wrong changes nothing");
    let twins = stage.streamer.put(path, &json!({ "presets": [preset("Neon"), preset("Мел"), preset("Neon ")] })).await;
    assert_eq!((twins.status.as_u16(), twins.error_code()), (409, "CONFLICT"), "{}", twins.text);
    let rival = stage.app.login("rival", "streamer").await;
    assert_eq!(rival.get(path).await.expect(200), json!({ "presets": [] }));

    let mut screen = stage.screen().await;
    let neon = "{\"font\":\"Neon\"}";
    stage.streamer.patch("/streamer/channel/settings", &json!({ "overlayStyleJson": neon })).await.expect(200);
    assert_eq!(screen.events.wait_for("overlay:config").await.data["overlayStyleJson"], neon);
    assert_eq!(stage.screen().await.state["playing"], json!([]));
}
