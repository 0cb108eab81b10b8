//! What viewers keep for themselves: favourites and preferences.

use harness::Session;
use serde_json::{Value, json};

use crate::stage::Stage;

async fn favourites(who: &Session, stage: &Stage) -> Value {
    who.get(&format!("/me/favourites?channelId={}", stage.channel_id)).await.expect(200)
}

#[tokio::test]
async fn favourites_are_kept_marked_in_the_catalogue_and_nobody_elses() {
    let stage = Stage::open().await;
    let (first, second) = (stage.meme(1000).await, stage.meme(1000).await);
    let (anna, boris) = (stage.app.login("anna", "viewer").await, stage.app.login("boris", "viewer").await);
    for meme in [second, first, first] {
        assert_eq!(anna.put(&format!("/me/favourites/{meme}"), &json!({})).await.status, 204);
    }
    let kept = favourites(&anna, &stage).await;
    assert_eq!((&kept[0]["id"], &kept[1]["id"]), (&json!(first), &json!(second)), "the last one first");
    assert_eq!((&kept[0]["favourite"], kept.as_array().unwrap().len()), (&json!(true), 2));
    let page = anna.get(&format!("/me/favourites?channelId={}&limit=1", stage.channel_id)).await;
    let next = format!("/me/favourites?channelId={}&cursor={}", stage.channel_id, page.header("x-next-cursor"));
    assert_eq!(anna.get(&next).await.expect(200)[0]["id"], json!(second));

    anna.delete(&format!("/me/favourites/{second}")).await.expect(204);
    anna.delete(&format!("/me/favourites/{second}")).await.expect(204);
    let marks = async |who: &Session, path: &str| -> Vec<Value> {
        let list = who.get(path).await.expect(200);
        list.as_array().unwrap().iter().map(|meme| meme["favourite"].clone()).collect()
    };
    let by_id = format!("/memes?channelId={}", stage.channel_id);
    for path in ["/channels/demo/memes", &by_id, "/channels/memes/search?channelSlug=demo&q=meme"] {
        assert_eq!(marks(&anna, path).await, [json!(false), json!(true)], "{path}");
        assert_eq!(marks(&boris, path).await, [json!(false), json!(false)], "{path}");
        assert_eq!(marks(&stage.app.anonymous(), path).await, [Value::Null, Value::Null], "{path}");
    }
    assert_eq!(marks(&anna, "/public/channels/demo/memes").await, [Value::Null, Value::Null], "the same for everybody");
    assert_eq!(favourites(&boris, &stage).await, json!([]));

    stage.streamer.delete(&format!("/streamer/memes/{first}")).await.expect(204);
    assert_eq!(favourites(&anna, &stage).await, json!([]));
    let gone = anna.put(&format!("/me/favourites/{first}"), &json!({})).await;
    assert_eq!((gone.status.as_u16(), gone.error_code()), (404, "MEME_NOT_FOUND"));
}

#[tokio::test]
async fn preferences_are_everybodys_until_they_are_changed() {
    let stage = Stage::open().await;
    let (anna, boris) = (stage.app.login("anna", "viewer").await, stage.app.login("boris", "viewer").await);
    let standard = json!({ "theme": "light", "autoplayMemesEnabled": true, "memeModalMuted": false });
    assert_eq!(anna.get("/me/preferences").await.expect(200), standard);
    let dark = json!({ "theme": "dark", "autoplayMemesEnabled": true, "memeModalMuted": false });
    assert_eq!(anna.patch("/me/preferences", &json!({ "theme": "dark" })).await.expect(200), dark);
    let muted = json!({ "theme": "dark", "autoplayMemesEnabled": true, "memeModalMuted": true });
    assert_eq!(anna.patch("/me/preferences", &json!({ "memeModalMuted": true })).await.expect(200), muted);
    assert_eq!(anna.get("/me/preferences").await.expect(200), muted);
    assert_eq!(boris.get("/me/preferences").await.expect(200), standard);
    for wrong in [json!({ "theme": "pink" }), json!({ "memeModalMuted": "yes" }), json!({ "colour": "red" })] {
        let answer = anna.patch("/me/preferences", &wrong).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
}
