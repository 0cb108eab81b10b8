//! Who did what to people and channels.

use std::time::Duration;

use harness::{MemalertsProcess, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    matrix::{ask, belongings, operations},
    stage::Stage,
};

/// Acts that were written down, of either log.
async fn written(stage: &Stage) -> i64 {
    let count = "select (select count(*) from people_acts) + (select count(*) from job_acts)";
    sqlx::query_scalar(count).fetch_one(stage.app.pool()).await.unwrap()
}

/// Operations of those who have a right that not everybody has, which nobody can do in a system in which nothing has gone
/// wrong, or that say in their body what they are about; each has a story of its own that looks into the log.
const ELSEWHERE: [&str; 32] = [
    "banFromChannel",
    "unbanFromChannel",
    "switchUserTotpOff",
    "removeMyBotAccount",
    "removeDefaultBot",
    "approveAdjustment",
    "refuseAdjustment",
    "createGrant",
    "approveGrant",
    "revokeGrant",
    "grantEntitlement",
    "revokeEntitlement",
    "grantCustomBot",
    "grantCustomBotByProvider",
    "revokeCustomBot",
    "block",
    "blockEverywhere",
    "unblockEverywhere",
    "hideOwnerMemeAsset",
    "unhideOwnerMemeAsset",
    "restoreOwnerMemeAsset",
    "purgeOwnerMemeAsset",
    "queueEvent",
    "decideSubmissions",
    "retryJob",
    "discardJob",
    "rescheduleJob",
    "retryJobs",
    "discardJobs",
    "rescheduleJobs",
    "pauseWorker",
    "resumeWorker",
];

#[tokio::test]
async fn whatever_is_done_with_a_right_that_not_everybody_has_is_written_down() {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    let mut other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    other.app.leaves_jobs_behind();
    let anna = stage.viewer("anna", 1000).await;
    let document = stage.app.anonymous().get("/openapi.json").await.expect(200);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for operation in operations(&document) {
        let privileged = matches!(operation.asker.as_str(), "moderator" | "editor" | "streamer" | "admin");
        if !privileged || operation.method == Method::GET || ELSEWHERE.contains(&operation.name.as_str()) {
            continue;
        }
        match operation.name.as_str() {
            "say" | "disableBot" => {
                stage.streamer.patch("/streamer/bots/twitch", &json!({ "enabled": true })).await.expect(200);
            }
            "switchBot" => {
                stage.streamer.post("/streamer/bot/disable", &json!({})).await.expect(200);
            }
            "skipPlaying" | "dockSkip" => play_something(&stage).await,
            // What takes away is asked of something that is there.
            "removeTeamMember" => {
                stage.streamer.put("/streamer/team/anna", &json!({ "role": "editor" })).await.expect(200);
            }
            "unbanUser" => {
                let ban = format!("/owner/users/{}/ban", anna.user_id);
                stage.admin.post(&ban, &json!({})).await.expect(200);
            }
            "letUserObserveNoMore" => {
                let observer = format!("/owner/users/{}/observer", anna.user_id);
                stage.admin.put(&observer, &json!({})).await.expect(200);
            }
            "resumeJobQueue" => {
                stage.admin.post("/admin/queues/dispatch/pause", &json!({})).await.expect(200);
            }
            _ => {}
        }
        let path = match belongings(&stage, &other, &operation).await {
            Some(belongings) => belongings.mine,
            None => operation
                .path
                .replace("{login}", "anna")
                .replace("{name}", "deaths")
                .replace("{provider}", "twitch")
                .replace("{pool}", "dispatch")
                .replace("{userId}", &anna.user_id)
                .replace("{channelId}", &stage.channel_id.to_string())
                .replace("{id}", &anna.user_id),
        };
        let before = written(&stage).await;
        let who = if operation.asker == "admin" { &stage.admin } else { &stage.streamer };
        let status = ask(who, &operation, &path).await;
        seen += 1;
        if !(200..300).contains(&status) {
            wrong.push(format!("{} {path}: {status}, so nobody knows whether it is written down", operation.name));
        } else if written(&stage).await == before {
            wrong.push(format!("{} {path} is not written down", operation.name));
        }
    }
    assert!(seen > 25, "only {seen} operations");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Something is on the streamer's screen.
async fn play_something(stage: &Stage) {
    let playing = stage.meme(60_000).await;
    let viewer = stage.viewer("paul", 1000).await;
    let id: Uuid = stage.activate(&viewer, playing).await.parse().unwrap();
    sqlx::query(
        "update activations set status = 'playing', play_epoch = 1, dispatched_at = app_now(), deadline = app_now() + interval '1 hour'
         where id = $1",
    )
    .bind(id)
    .execute(stage.app.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn the_log_is_searched_by_who_did_what_to_whom_and_when() {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let anna = stage.app.login("anna", "viewer").await;
    let patch = json!({ "name": "Another name", "overlayMaxConcurrent": 2 });
    stage.streamer.patch("/streamer/channel/settings", &patch).await.expect(200);
    stage.app.advance(Duration::from_hours(1)).await;
    let moderator = json!({ "role": "moderator" });
    // A fresh proof lets others in.
    stage.app.login("demo", "streamer").await.put("/streamer/team/anna", &moderator).await.expect(200);
    let boss = stage.app.login("boss", "admin").await;
    boss.post(&format!("/owner/users/{}/ban", anna.user_id), &json!({ "reason": "spam" })).await.expect(200);
    let log = async |query: &str| -> Vec<Value> {
        let page = stage.app.login("boss", "admin").await.get(&format!("/owner/audit{query}")).await.expect(200);
        page["acts"].as_array().unwrap().clone()
    };
    let names = |acts: &[Value]| acts.iter().map(|act| act["act"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    let settings = &log("?channel=demo&act=change_channel_settings").await[0];
    assert_eq!(settings["before"], json!({ "name": "demo", "overlayMaxConcurrent": 3 }));
    assert_eq!(settings["after"], json!({ "name": "Another name", "overlayMaxConcurrent": 2 }));
    assert_eq!(names(&log("?actor=demo").await), ["change_team", "change_channel_settings"]);
    assert_eq!(names(&log(&format!("?user={}", anna.user_id)).await), names(&log("?user=Anna").await));
    let at = settings["at"].as_str().unwrap();
    assert_eq!(names(&log(&format!("?until={at}")).await).len(), 0);
    assert!(names(&log(&format!("?since={at}")).await).ends_with(&["change_channel_settings".to_owned()]));

    let unknown = stage.app.login("boss", "admin").await.get("/owner/audit?act=nope").await.expect(400);
    let detail = unknown["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("act: \"nope\" is none of adjust_wallet, ") && detail.ends_with("verify_email"),
        "{detail}"
    );
    stage.app.login("demo", "streamer").await.post("/streamer/queue/intake/pause", &json!({})).await.expect(200);
    let pause = &log("?act=pause_intake").await[0];
    assert_eq!((&pause["before"], &pause["after"]), (&json!({ "paused": false }), &json!({ "paused": true })));

    let mut before = String::new();
    let mut paged = Vec::new();
    loop {
        let page =
            stage.app.login("boss", "admin").await.get(&format!("/owner/audit?limit=1{before}")).await.expect(200);
        paged.extend(page["acts"].as_array().unwrap().clone());
        match page["next"].as_i64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(paged, log("").await);
    for change in ["update people_acts set act = 'nothing'", "delete from people_acts", "truncate people_acts"] {
        assert!(sqlx::query(change).execute(stage.app.pool()).await.is_err(), "{change}");
    }
}

#[tokio::test]
async fn the_first_admin_is_made_at_the_command_line_and_that_is_written_down() {
    let app = TestApp::builder().pools(&[]).start().await;
    let anna = app.login("anna", "viewer").await;
    let grant = |login: &'static str| MemalertsProcess::spawn(&["admin", "grant", login], &app.process_env());
    let said = grant("nobody").failure().await.join("\n");
    assert!(said.contains("there is nobody with the login nobody"), "{said}");
    assert_eq!(grant("Anna").output().await, "anna is an admin from the next login on");
    assert_eq!(grant("anna").output().await, "anna is an admin already");
    assert_eq!(anna.get("/me").await.status, 401, "the sessions of before are over");
    let anna = app.login("anna", "viewer").await;
    let log = anna.get("/owner/audit?act=change_role").await.expect(200);
    let acts = log["acts"].as_array().unwrap();
    assert_eq!(acts.len(), 1, "{log}");
    assert!(acts[0]["actor"].as_str().unwrap().starts_with("os:"), "{log}");
    assert_eq!((&acts[0]["login"], &acts[0]["after"]["role"]), (&json!("anna"), &json!("admin")));
}

#[tokio::test]
async fn what_somebody_does_to_their_own_logins_and_data_is_written_down() {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let anna = stage.app.login("anna", "viewer").await;
    stage.app.login("anna", "viewer").await;
    let sessions = anna.get("/auth/sessions").await.expect(200);
    let other = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/auth/sessions/{}", other["id"].as_str().unwrap());
    anna.delete(&path).await.expect(204);
    anna.post("/auth/sessions/end-others", &json!({})).await.expect(200);
    anna.post("/users/me/export", &json!({})).await.expect(202);
    assert_eq!(anna.delete("/users/me").await.status, 202);
    let acts = stage.admin.get(&format!("/owner/audit?actor={}", anna.user_id)).await.expect(200);
    let names: Vec<&str> = acts["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["forget", "export", "end_other_sessions", "end_session"]);
    assert_eq!(acts["acts"][2]["after"], json!({ "ended": 0 }));
    assert_eq!(acts["acts"][3]["thing"], other["id"]);
}

#[tokio::test]
async fn what_was_done_to_others_on_the_channel_of_somebody_who_is_forgotten_stays_told() {
    let stage = Stage::open().await;
    stage.viewer("anna", 300).await;
    stage.streamer.patch("/streamer/channel/settings", &json!({ "name": "Wendy's" })).await.expect(200);
    assert_eq!(stage.streamer.delete("/users/me").await.status, 202);
    stage.app.drain().await;
    let told = async |act: &str| {
        let acts = stage.admin.get(&format!("/owner/audit?act={act}")).await.expect(200);
        acts["acts"][0].clone()
    };
    let coins = told("adjust_wallet").await;
    assert_eq!((&coins["before"], &coins["after"]), (&json!({ "balance": 0 }), &json!({ "balance": 300 })), "{coins}");
    assert_eq!(coins["login"], "anna");
    assert!(coins["reason"].is_null(), "it may name who is forgotten: {coins}");
    let settings = told("change_channel_settings").await;
    assert!(settings["before"].is_null() && settings["after"].is_null(), "{settings}");
}

#[tokio::test]
async fn a_streamer_sees_who_did_what_on_their_channel_and_on_no_other() {
    let stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let (anna, rival) = (stage.app.login("anna", "viewer").await, stage.app.login("rival", "streamer").await);
    stage.streamer.put("/streamer/team/anna", &json!({ "role": "editor" })).await.expect(200);
    anna.patch("/streamer/channel/settings?channel=demo", &json!({ "name": "Anna's" })).await.expect(200);
    rival.patch("/streamer/channel/settings", &json!({ "name": "Rival's" })).await.expect(200);
    stage.viewer("bert", 300).await;
    let noted = "insert into people_acts (system, act, channel_id)
        select 'os:someone', 'revoke_entitlement', id from channels where slug = 'demo'";
    sqlx::query(noted).execute(stage.app.pool()).await.unwrap();
    let acts = async |who: &Session, query: &str| {
        let page = who.get(&format!("/streamer/audit{query}")).await.expect(200);
        let acts = page["acts"].as_array().unwrap().iter();
        let word = |act: &Value, name: &str| act[name].as_str().unwrap_or_default().to_owned();
        assert!(acts.clone().all(|act| act.get("requestId").is_none()), "{page}");
        acts.map(|act| (word(act, "actor"), word(act, "act"), word(act, "login"))).collect::<Vec<_>>()
    };
    let told = |actor: &str, act: &str, login: &str| (actor.to_owned(), act.to_owned(), login.to_owned());
    let all = [
        told("os:operator", "revoke_entitlement", ""),
        told("user:boss", "adjust_wallet", "bert"),
        told("user:anna", "change_channel_settings", ""),
        told("user:demo", "change_team", "anna"),
    ];
    assert_eq!(acts(&stage.streamer, "").await, all);
    assert_eq!(acts(&stage.streamer, "?actor=Anna").await, all[2..3]);
    assert_eq!(acts(&stage.streamer, "?user=anna&act=change_team").await, all[3..]);
    assert_eq!(acts(&stage.streamer, "?until=2020-01-01T00:00:00Z").await, []);
    let first = stage.streamer.get("/streamer/audit?limit=3").await.expect(200);
    assert_eq!(acts(&stage.streamer, &format!("?before={}", first["next"])).await, all[3..]);
    assert_eq!(stage.streamer.get("/streamer/audit?act=nothing").await.error_code(), "VALIDATION_ERROR");
    let of_rival = acts(&rival, "").await;
    assert_eq!(of_rival, [told("user:rival", "change_channel_settings", "")]);
    assert_eq!(anna.get("/streamer/audit?channel=demo").await.error_code(), "FORBIDDEN");
    assert_eq!(rival.get("/streamer/audit?channel=demo").await.error_code(), "CHANNEL_NOT_FOUND");

    // An admin who misspells a channel is not told that nothing happened there.
    let unknown = stage.admin.get("/owner/audit?channel=demoo").await;
    assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "CHANNEL_NOT_FOUND"));
    let known = stage.admin.get("/owner/audit?channel=Demo").await.expect(200);
    assert_eq!(known["acts"].as_array().unwrap().len(), 4);
}
