//! What a ban has rejected is what it was when the ban is taken back soon enough.

use std::time::Duration;

use harness::Session;
use serde_json::{Value, json};

use crate::{
    reviews::{asked_to_change, decide, sent_in},
    stage::Stage,
    submissions::{nothing_is_stored, references},
};

async fn set_banned(stage: &Stage, who: &Session, banned: bool) {
    let action = if banned { "ban" } else { "unban" };
    // With a fresh proof, whatever time it is.
    let boss = stage.app.login("boss", "admin").await;
    boss.post(&format!("/owner/users/{}/{action}", who.user_id), &json!({})).await.expect(200);
    stage.app.drain().await;
}

/// The channel's list, by id.
async fn inbox(stage: &Stage, id: &str) -> Value {
    let list = stage.streamer.get("/streamer/submissions?limit=200").await.expect(200);
    list.as_array().unwrap().iter().find(|sent| sent["id"] == id).expect("the submission").clone()
}

#[tokio::test]
async fn what_a_ban_has_rejected_comes_back_with_the_person() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let (waits, asked) = (sent_in(&stage, &anna).await, asked_to_change(&stage, &anna).await);
    stage.app.drain().await;
    let before = [inbox(&stage, &waits).await, inbox(&stage, &asked).await];
    let mut events = stage.streamer.events("/streamer/events").await;
    set_banned(&stage, &anna, true).await;
    for id in [&waits, &asked] {
        assert_eq!(inbox(&stage, id).await["status"], "rejected");
    }
    let late = decide(&stage.streamer, &waits, "approve", &json!({})).await;
    assert_eq!((late.status.as_u16(), late.error_code()), (409, "SUBMISSION_NOT_PENDING"));

    set_banned(&stage, &anna, false).await;
    for (id, before) in [&waits, &asked].into_iter().zip(&before) {
        let now = inbox(&stage, id).await;
        for field in ["status", "moderatorNote", "fileUrl", "posterUrl", "revision"] {
            assert_eq!(now[field], before[field], "{field} of {now}");
        }
    }
    assert_eq!(events.wait_for("submission:resubmitted").await.data["submissionId"], *waits);
    decide(&stage.streamer, &waits, "approve", &json!({})).await.expect(200);
    decide(&stage.streamer, &waits, "approve", &json!({})).await.expect(409);
    // Its time has passed: the files of what came back stay.
    stage.app.advance(Duration::from_secs(8 * 24 * 3600)).await;
    stage.app.drain().await;
    assert!(!references(&stage.app).await.is_empty());
    let memes = stage.app.anonymous().get("/channels/demo/memes").await.expect(200);
    assert_eq!(memes.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_ban_has_rejected_is_gone_after_a_week() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let id = sent_in(&stage, &anna).await;
    stage.app.drain().await;
    set_banned(&stage, &anna, true).await;
    stage.app.advance(Duration::from_secs(4 * 24 * 3600)).await;
    stage.app.drain().await;
    // A second ban counts from itself.
    set_banned(&stage, &anna, false).await;
    set_banned(&stage, &anna, true).await;
    stage.app.advance(Duration::from_secs(4 * 24 * 3600)).await;
    stage.app.drain().await;
    assert!(!references(&stage.app).await.is_empty(), "until a week after the second ban");
    stage.app.advance(Duration::from_secs(4 * 24 * 3600)).await;
    stage.app.drain().await;
    nothing_is_stored(&stage.app).await;
    set_banned(&stage, &anna, false).await;
    let streamer = stage.app.login("demo", "streamer").await;
    let rejected = streamer.get("/streamer/submissions?status=rejected").await.expect(200);
    assert_eq!((&rejected[0]["id"], rejected.as_array().unwrap().len()), (&json!(id), 1));
}
