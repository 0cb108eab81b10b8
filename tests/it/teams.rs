//! Teams: who helps on a channel, and what they may do there.

use std::time::Duration;

use harness::TestApp;
use serde_json::{Value, json};

use crate::stage::Stage;

fn roles(answer: &Value, name: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    answer.as_array().unwrap().iter().map(|it| (text(&it[name]), text(&it["role"]))).collect()
}

fn pair(name: &str, role: &str) -> (String, String) {
    (name.to_owned(), role.to_owned())
}

#[tokio::test]
async fn somebody_in_the_team_acts_on_the_channel_and_on_no_other_until_taken_out() {
    let stage = Stage::open().await;
    let (anna, rival) = (stage.app.login("anna", "viewer").await, stage.app.login("rival", "streamer").await);
    assert_eq!(anna.get("/streamer/queue?channel=demo").await.error_code(), "CHANNEL_NOT_FOUND");

    let member = stage.streamer.put("/streamer/team/@Anna", &json!({ "role": "moderator" })).await.expect(200);
    assert_eq!((&member["login"], &member["role"]), (&json!("anna"), &json!("moderator")));
    assert_eq!(roles(&stage.streamer.get("/streamer/team").await.expect(200), "login"), [pair("anna", "moderator")]);
    assert_eq!(roles(&anna.get("/me/channels").await.expect(200), "slug"), [pair("demo", "moderator")]);
    assert_eq!(roles(&rival.get("/me/channels").await.expect(200), "slug"), [pair("rival", "owner")]);

    // The queue of demo, and only by name: she has no channel of her own.
    let state = anna.post("/streamer/queue/intake/pause?channel=Demo", &json!({})).await.expect(200);
    assert_eq!(state["intakePaused"], true);
    assert_eq!(anna.post("/streamer/queue/intake/pause", &json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(anna.get("/streamer/queue?channel=rival").await.error_code(), "CHANNEL_NOT_FOUND");
    let token = anna.get("/streamer/overlay/token?channel=demo").await;
    assert_eq!((token.status.as_u16(), token.error_code()), (403, "FORBIDDEN"));
    assert_eq!(token.json["detail"], "on this channel, this is for its owner; you are moderator");

    // As an editor she changes what is played.
    let patch = json!({ "description": "by Anna" });
    assert_eq!(anna.patch("/streamer/channel/settings?channel=demo", &patch).await.status.as_u16(), 403);
    stage.streamer.put("/streamer/team/anna", &json!({ "role": "editor" })).await.expect(200);
    anna.patch("/streamer/channel/settings?channel=demo", &patch).await.expect(200);

    stage.streamer.delete("/streamer/team/anna").await.expect(204);
    assert_eq!(anna.get("/streamer/queue?channel=demo").await.error_code(), "CHANNEL_NOT_FOUND");
    assert_eq!(stage.streamer.delete("/streamer/team/anna").await.error_code(), "NOT_FOUND");

    let acts = stage.admin.get("/owner/audit?channel=demo&act=change_team&user=anna").await.expect(200);
    let told: Vec<(&Value, &Value, &Value)> = acts["acts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|act| (&act["actor"], &act["before"]["role"], &act["after"]["role"]))
        .collect();
    let (demo, null, editor, moderator) = (json!("user:demo"), json!(null), json!("editor"), json!("moderator"));
    assert_eq!(told, [(&demo, &editor, &null), (&demo, &moderator, &editor), (&demo, &null, &moderator)]);
}

#[tokio::test]
async fn who_leaves_a_team_is_out_of_it_and_the_owner_stays() {
    let app = TestApp::builder().pools(&[]).start().await;
    let (demo, anna) = (app.login("demo", "streamer").await, app.login("anna", "viewer").await);
    let editor = json!({ "role": "editor" });
    for (login, code) in [("nobody", "NOT_FOUND"), ("no login", "NOT_FOUND"), ("demo", "CONFLICT")] {
        assert_eq!(demo.put(&format!("/streamer/team/{login}"), &editor).await.error_code(), code, "{login}");
    }
    let owner = demo.put("/streamer/team/anna", &json!({ "role": "owner" })).await.expect(400);
    assert_eq!(owner["detail"], "role: \"owner\" is none of moderator, editor");
    demo.put("/streamer/team/anna", &editor).await.expect(200);
    assert_eq!(demo.delete("/me/channels/demo").await.error_code(), "CONFLICT");
    anna.delete("/me/channels/demo").await.expect(204);
    assert_eq!(anna.delete("/me/channels/demo").await.error_code(), "CHANNEL_NOT_FOUND");
    assert_eq!(anna.get("/me/channels").await.expect(200), json!([]));
    assert_eq!(demo.get("/streamer/team").await.expect(200), json!([]));
}

#[tokio::test]
async fn the_events_of_a_channel_end_for_somebody_who_is_taken_out_of_its_team() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    stage.streamer.put("/streamer/team/anna", &json!({ "role": "moderator" })).await.expect(200);
    let mut events = anna.events("/streamer/events?channel=demo").await;
    events.wait_for("queue:state").await;
    stage.streamer.post("/streamer/queue/intake/pause", &json!({})).await.expect(200);
    events.wait_where("the pause", |event| event.data["intakePaused"] == true).await;
    stage.streamer.delete("/streamer/team/anna").await.expect(204);
    let closed = events.wait_for("closed").await;
    assert_eq!(closed.data["reason"], "revoked");
    assert_eq!(events.pull().await, None);
}

#[tokio::test]
async fn whoever_lets_somebody_in_proves_anew_who_they_are_and_whoever_takes_somebody_out_need_not() {
    let stage = Stage::open().await;
    stage.app.login("anna", "viewer").await;
    let wish = json!({ "role": "editor" });
    stage.streamer.put("/streamer/team/anna", &wish).await.expect(200);
    stage.app.advance(Duration::from_mins(11)).await;
    let stale = stage.streamer.put("/streamer/team/anna", &wish).await;
    assert_eq!((stale.status.as_u16(), stale.error_code()), (403, "STEP_UP_REQUIRED"));
    stage.streamer.delete("/streamer/team/anna").await.expect(204);
}
