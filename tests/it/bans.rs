//! Whom a channel's team keeps off its memes.

use harness::Session;
use serde_json::{Value, json};

use crate::{
    reviews::{asked_to_change, sent_in},
    stage::Stage,
    submissions::Upload,
};

fn path(who: &Session) -> String {
    format!("/streamer/bans/{}", who.user_id)
}

/// The channel's list of submissions: what has become of this one.
async fn status(stage: &Stage, id: &str) -> Value {
    let list = stage.streamer.get("/streamer/submissions?limit=200").await.expect(200);
    list.as_array().unwrap().iter().find(|sent| sent["id"] == id).expect("the submission")["status"].clone()
}

#[tokio::test]
async fn what_a_channel_has_banned_somebody_from_is_closed_to_them_and_open_elsewhere() {
    let stage = Stage::open().await;
    let other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    for channel in [&stage, &other] {
        channel.streamer.post("/streamer/queue/playback/pause", &json!({})).await.expect(200);
    }
    let (anna, bert) = (stage.viewer("anna", 200).await, stage.viewer("bert", 100).await);
    other.viewer("anna", 200).await;
    let (meme, elsewhere) = (stage.meme(1000).await, other.meme(1000).await);
    let waits = stage.activate(&anna, meme).await;
    let stays = [stage.activate(&bert, meme).await, other.activate(&anna, elsewhere).await];

    let ban =
        stage.streamer.put(&path(&anna), &json!({ "reason": "  plays the same thing all day " })).await.expect(200);
    assert_eq!((&ban["login"], &ban["reason"]), (&json!("anna"), &json!("plays the same thing all day")), "{ban}");
    let again = stage.streamer.put(&path(&anna), &json!({ "reason": "another" })).await.expect(200);
    assert_eq!(again, ban, "it is what it was");
    stage.app.drain().await;
    let gone = stage.state_of(&anna, &waits).await;
    assert_eq!((&gone["status"], &gone["reason"]), (&json!("cancelled"), &json!("taken_down")), "{gone}");
    assert_eq!(stage.balance(&anna).await, 200);
    assert_eq!(stage.state_of(&bert, &stays[0]).await["status"], "queued");
    assert_eq!(stage.state_of(&anna, &stays[1]).await["status"], "queued");

    let play = anna.post(&format!("/memes/{meme}/activate"), &json!({})).await;
    assert_eq!((play.status.as_u16(), play.error_code()), (403, "BANNED_FROM_CHANNEL"), "{}", play.text);
    assert_eq!(stage.balance(&anna).await, 200);
    let sent = Upload::sample(domain::media::MediaType::Image).await.with("channelId", &stage.channel_id.to_string());
    let sent = sent.judged(&anna).await;
    assert_eq!((sent.status.as_u16(), sent.error_code()), (403, "BANNED_FROM_CHANNEL"), "{}", sent.text);
    other.activate(&anna, elsewhere).await;

    stage.streamer.delete(&path(&anna)).await.expect(204);
    let twice = stage.streamer.delete(&path(&anna)).await;
    assert_eq!((twice.status.as_u16(), twice.error_code()), (404, "NOT_FOUND"));
    let back = stage.activate(&anna, meme).await;
    // The job that comes once more finds that the ban was taken back.
    stage.app.advance(std::time::Duration::from_secs(61)).await;
    stage.app.drain().await;
    assert_ne!(stage.state_of(&anna, &back).await["reason"], "taken_down");
    for (act, banned) in [("ban_from_channel", true), ("unban_from_channel", false)] {
        let acts = stage.admin.get(&format!("/owner/audit?act={act}&user=anna")).await.expect(200);
        let acts = acts["acts"].as_array().unwrap();
        assert_eq!((acts.len(), &acts[0]["after"]["banned"]), (1, &json!(banned)), "{acts:?}");
    }
}

#[tokio::test]
async fn what_was_sent_in_goes_with_a_ban_and_comes_back_with_its_end() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let bert = stage.app.login("bert", "viewer").await;
    let (waits, asked) = (sent_in(&stage, &anna).await, asked_to_change(&stage, &anna).await);
    let theirs = sent_in(&stage, &bert).await;
    stage.app.drain().await;
    stage.streamer.put(&path(&anna), &json!({})).await.expect(200);
    stage.app.drain().await;
    assert_eq!((status(&stage, &waits).await, status(&stage, &asked).await), (json!("rejected"), json!("rejected")));
    assert_eq!(status(&stage, &theirs).await, "pending");

    // The house's ban that comes and goes brings nothing back that the channel has rejected.
    for action in ["ban", "unban"] {
        let boss = stage.app.login("boss", "admin").await;
        boss.post(&format!("/owner/users/{}/{action}", anna.user_id), &json!({})).await.expect(200);
        stage.app.drain().await;
    }
    assert_eq!((status(&stage, &waits).await, status(&stage, &asked).await), (json!("rejected"), json!("rejected")));
    stage.streamer.delete(&path(&anna)).await.expect(204);
    stage.app.drain().await;
    assert_eq!(
        (status(&stage, &waits).await, status(&stage, &asked).await),
        (json!("pending"), json!("needs_changes"))
    );
}

#[tokio::test]
async fn a_list_of_bans_has_pages_and_nobody_of_the_team_is_on_it() {
    let stage = Stage::open().await;
    for login in ["anna", "bert", "carl"] {
        let who = stage.app.login(login, "viewer").await;
        stage.streamer.put(&path(&who), &json!({})).await.expect(200);
        stage.app.advance(std::time::Duration::from_secs(1)).await;
    }
    let page = stage.streamer.get("/streamer/bans?limit=2&offset=1").await;
    assert_eq!((page.header("x-total-count"), page.header("x-has-more")), ("3", "false"));
    let logins: Vec<&str> = page.json.as_array().unwrap().iter().map(|ban| ban["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["bert", "anna"], "the latest first");

    let dora = stage.app.login("dora", "viewer").await;
    stage.streamer.put("/streamer/team/dora", &json!({ "role": "moderator" })).await.expect(200);
    for who in [&dora, &stage.streamer] {
        let refused = stage.streamer.put(&path(who), &json!({})).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (409, "CONFLICT"), "{}", refused.text);
    }
    let nobody = format!("/streamer/bans/{}", uuid::Uuid::now_v7());
    assert_eq!(stage.streamer.put(&nobody, &json!({})).await.error_code(), "NOT_FOUND");
    let long = stage.streamer.put(&path(&dora), &json!({ "reason": "a".repeat(201) })).await;
    assert_eq!((long.status.as_u16(), long.error_code()), (400, "VALIDATION_ERROR"));
    // Whoever looks after the queue may; whoever is nobody on the channel may not.
    let eva = stage.app.login("eva", "viewer").await;
    dora.put(&format!("{}?channel=demo", path(&eva)), &json!({})).await.expect(200);
    let stranger = eva.get("/streamer/bans?channel=demo").await;
    assert!(matches!(stranger.status.as_u16(), 403 | 404), "{}", stranger.text);
    // Another channel's list is its own.
    let other = stage.app.login("other", "streamer").await;
    assert_eq!(other.get("/streamer/bans").await.expect(200), json!([]));
    assert_eq!(other.delete(&path(&eva)).await.error_code(), "NOT_FOUND");
    stage.app.drain().await;
}
