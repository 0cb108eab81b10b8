//! What the house takes out of sight, or who it bans, leaves queues and screens with all coins given back.

use serde_json::json;
use uuid::Uuid;

use crate::stage::Stage;

#[tokio::test]
async fn what_is_hidden_leaves_the_screen_and_the_queues_and_its_coins_come_back() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.viewer("anna", 300).await, stage.viewer("bert", 100).await);
    let (bad, good) = (stage.meme(60_000).await, stage.meme(1000).await);
    let mut screen = stage.screen().await;
    let playing = stage.activate(&anna, bad).await;
    let item = screen.next_item().await.data;
    assert_eq!(item["id"], *playing);
    screen.ack(&item, "started").await.expect(200);
    let waiting = [stage.activate(&bert, bad).await, stage.activate(&anna, bad).await];
    let other = stage.activate(&anna, good).await;
    assert_eq!((stage.balance(&anna).await, stage.balance(&bert).await), (0, 0));

    let assets = stage.admin.get("/moderation/meme-assets").await.expect(200);
    let hash: String = sqlx::query_scalar("select file_hash from activations where id = $1")
        .bind(playing.parse::<Uuid>().unwrap())
        .fetch_one(stage.app.pool())
        .await
        .unwrap();
    let of_file = |asset: &&serde_json::Value| asset["fileUrl"].as_str().is_some_and(|url| url.contains(&hash));
    let asset = assets.as_array().unwrap().iter().find(of_file).expect("the asset of what plays")["id"].clone();
    let hide = format!("/moderation/meme-assets/{}/hide", asset.as_str().unwrap());
    stage.admin.post(&hide, &json!({ "reason": "somebody else's work" })).await.expect(200);

    let item = screen.next_item().await.data;
    assert_eq!(item["id"], *other, "the queue goes on with what may be shown");
    screen.play(&item).await;
    stage.app.drain().await;
    for id in waiting.iter().chain([&playing]) {
        let who = if *id == waiting[0] { &bert } else { &anna };
        let end = stage.state_of(who, id).await;
        assert_eq!((&end["status"], &end["reason"]), (&json!("cancelled"), &json!("taken_down")), "{end}");
        assert_eq!(end["refundedCoins"], 100);
    }
    assert_eq!((stage.balance(&anna).await, stage.balance(&bert).await), (200, 100));
    assert_eq!(stage.streamer.get("/streamer/queue").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn what_somebody_placed_who_is_banned_waits_on_no_channel_any_more() {
    let stage = Stage::open().await;
    let other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    let mut ids = Vec::new();
    for channel in [&stage, &other] {
        channel.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
        let (anna, bert) = (channel.viewer("anna", 100).await, channel.viewer("bert", 100).await);
        let meme = channel.meme(1000).await;
        channel.activate(&anna, meme).await;
        ids.push(channel.activate(&bert, meme).await);
    }
    let anna = stage.app.login("anna", "viewer").await;
    stage.admin.post(&format!("/owner/users/{}/ban", anna.user_id), &json!({})).await.expect(200);
    stage.app.drain().await;
    for (channel, id) in [&stage, &other].into_iter().zip(&ids) {
        let items = channel.streamer.get("/streamer/queue").await.expect(200)["items"].clone();
        assert_eq!(items.as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>(), [json!(id)]);
    }
    let coins: i64 = sqlx::query_scalar("select sum(balance)::bigint from wallets where user_id = $1")
        .bind(anna.user_id.parse::<Uuid>().unwrap())
        .fetch_one(stage.app.pool())
        .await
        .unwrap();
    assert_eq!(coins, 200);

    // What was placed by a request that was let in before the ban goes, too.
    let late = stage.streamer.post("/streamer/test-event", &json!({})).await.expect(200);
    sqlx::query("update activations set user_id = $1 where id = $2")
        .bind(anna.user_id.parse::<Uuid>().unwrap())
        .bind(late["id"].as_str().unwrap().parse::<Uuid>().unwrap())
        .execute(stage.app.pool())
        .await
        .unwrap();
    stage.app.advance(std::time::Duration::from_secs(61)).await;
    stage.app.drain().await;
    let items = stage.streamer.get("/streamer/queue").await.expect(200)["items"].clone();
    assert_eq!((items.as_array().unwrap().len(), &items[0]["id"]), (1, &json!(ids[0])));
}

#[tokio::test]
async fn what_waits_of_a_meme_goes_with_it_and_the_meme_comes_back_for_a_week() {
    let stage = Stage::open().await;
    let (anna, bert) = (stage.viewer("anna", 300).await, stage.viewer("bert", 100).await);
    let (meme, other) = (stage.meme(60_000).await, stage.meme(1000).await);
    let mut screen = stage.screen().await;
    let playing = stage.activate(&anna, meme).await;
    let item = screen.next_item().await.data;
    screen.ack(&item, "started").await.expect(200);
    let waits = stage.activate(&bert, meme).await;
    let stays = stage.activate(&anna, other).await;
    let path = format!("/streamer/memes/{meme}");
    let restore = format!("{path}/restore");
    let early = stage.streamer.post(&restore, &json!({})).await;
    assert_eq!((early.status.as_u16(), early.error_code()), (404, "MEME_NOT_FOUND"), "it is there");
    stage.streamer.delete(&path).await.expect(204);
    stage.app.drain().await;
    let gone = stage.state_of(&bert, &waits).await;
    assert_eq!((&gone["status"], &gone["reason"]), (&json!("cancelled"), &json!("taken_down")), "{gone}");
    assert_eq!(stage.balance(&bert).await, 100);
    assert_eq!(stage.state_of(&anna, &playing).await["status"], "playing", "it is shown to its end");
    assert_eq!(stage.state_of(&anna, &stays).await["status"], "queued");

    let rival = stage.app.login("rival", "streamer").await;
    assert_eq!(rival.post(&restore, &json!({})).await.error_code(), "MEME_NOT_FOUND");
    assert_eq!(stage.streamer.post(&restore, &json!({})).await.expect(200)["id"], meme.to_string());
    let again = stage.activate(&bert, meme).await;
    // The job that comes once more finds that the decision was taken back.
    stage.app.advance(std::time::Duration::from_secs(61)).await;
    stage.app.drain().await;
    assert_ne!(stage.state_of(&bert, &again).await["reason"], "taken_down");
    stage.streamer.delete(&path).await.expect(204);
    stage.app.advance(std::time::Duration::from_hours(7 * 24)).await;
    let later = stage.app.login("demo", "streamer").await;
    assert_eq!(later.post(&restore, &json!({})).await.error_code(), "MEME_NOT_FOUND");
    stage.app.drain().await;
}
