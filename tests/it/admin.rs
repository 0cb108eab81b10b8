//! Looking at the work and acting on it by hand: queues, processes, jobs, and the log of who did what.

use harness::{MemalertsProcess, Pool, Session, TestApp, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Dead jobs of a kind that nobody runs, as an import gone wrong would leave them.
async fn dead_jobs(app: &TestApp, count: i64) {
    let insert = "insert into jobs (kind, version, pool, payload, max_attempts, state, died_at, reason, trace)
        select 'probe-upload', 1, 'media', jsonb_build_object('n', n, 'of', jsonb_build_object('lot', n % 2)), 3, 'dead', app_now(),
            'broken', 'request-' || n from generate_series(1, $1) n";
    sqlx::query(insert).bind(count).execute(app.pool()).await.unwrap();
}

/// A system whose API answers and whose pools stand still, so that jobs stay as they are laid out.
async fn still() -> (TestApp, Session) {
    let app = TestApp::builder().pools(&[]).start().await;
    let admin = app.login("boss", "admin").await;
    (app, admin)
}

async fn acts(admin: &Session) -> Vec<(String, Value)> {
    let log = admin.get("/admin/audit").await.expect(200);
    let acts = log["acts"].as_array().unwrap().iter();
    acts.map(|act| (act["act"].as_str().unwrap().to_owned(), act["jobs"].clone())).collect()
}

#[tokio::test]
async fn only_admins_may_look_or_act() {
    let (app, _) = still().await;
    let filter = json!({ "filter": { "state": "dead" } });
    let later = json!({ "filter": { "state": "dead" }, "runAt": "2026-11-22T05:00:00Z" });
    let asked = [
        ("/admin/queues", None),
        ("/admin/jobs", None),
        ("/admin/jobs/kinds", None),
        ("/admin/jobs/1", None),
        ("/admin/audit", None),
        ("/admin/queues/media/pause", Some(json!({}))),
        ("/admin/queues/media/resume", Some(json!({}))),
        ("/admin/workers/1/pause", Some(json!({}))),
        ("/admin/workers/1/resume", Some(json!({}))),
        ("/admin/jobs/1/retry", Some(json!({}))),
        ("/admin/jobs/1/discard", Some(json!({}))),
        ("/admin/jobs/1/reschedule", Some(json!({ "runAt": "2026-11-22T05:00:00Z" }))),
        ("/admin/jobs/retry", Some(filter.clone())),
        ("/admin/jobs/discard", Some(filter)),
        ("/admin/jobs/reschedule", Some(later)),
    ];
    let streamer = app.login("demo", "streamer").await;
    for (path, body) in asked {
        for (somebody, status) in [(&streamer, 403), (&app.anonymous(), 401)] {
            let answer = match &body {
                None => somebody.get(path).await,
                Some(body) => somebody.post(path, body).await,
            };
            assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        }
    }
    let written: i64 = sqlx::query_scalar("select count(*) from job_acts").fetch_one(app.pool()).await.unwrap();
    assert_eq!(written, 0);
}

#[tokio::test]
async fn a_pool_is_paused_and_goes_on_and_the_log_says_who_did_it() {
    let app = TestApp::start().await;
    let admin = app.login("boss", "admin").await;
    let paused = admin.post("/admin/queues/media/pause", &json!({ "reason": "full disk" })).await.expect(200);
    assert_eq!((&paused["pool"], &paused["pausedReason"]), (&json!("media"), &json!("full disk")));
    let again = admin.post("/admin/queues/media/pause", &json!({ "reason": "other" })).await.expect(200);
    assert_eq!(again["pausedAt"], paused["pausedAt"], "it was paused before");
    assert_eq!(again["pausedReason"], "other");
    let again = admin.post("/admin/queues/media/pause", &json!({})).await.expect(200);
    assert_eq!(again["pausedReason"], "other", "no reason is no new reason");
    let on = admin.post("/admin/queues/media/resume", &json!({})).await.expect(200);
    assert!(on.get("pausedAt").is_none(), "{on}");
    let unknown = admin.post("/admin/queues/nonsense/pause", &json!({})).await;
    assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "NOT_FOUND"));
    assert!(unknown.json["detail"].as_str().unwrap().contains("media, outbox"), "{}", unknown.text);

    let log = admin.get("/admin/audit").await.expect(200);
    assert_eq!(log["acts"].as_array().unwrap().len(), 3, "{log}");
    let pause = &log["acts"][2];
    assert_eq!((&pause["actor"], &pause["act"]), (&json!("user:boss"), &json!("pause")));
    let before = json!({ "paused": false, "reason": null });
    assert_eq!(pause["target"], json!({ "pool": "media", "reason": "full disk", "before": before }));
    assert!(pause["requestId"].is_string());
    let resume = json!({ "pool": "media", "before": { "paused": true, "reason": "other" } });
    assert_eq!((&log["acts"][0]["act"], &log["acts"][0]["target"]), (&json!("resume"), &resume));
}

#[tokio::test]
async fn a_pool_is_limited_in_all_processes_and_set_free_and_nonsense_is_refused() {
    let app = TestApp::start().await;
    let admin = app.login("boss", "admin").await;
    let path = "/admin/queues/media/limit";
    let wish = json!({ "running": 2, "starts": 20, "perSeconds": 30.0, "reason": "slow" });
    let limited = admin.put(path, &wish).await.expect(200);
    assert_eq!(
        (&limited["limit"]["running"], &limited["limit"]["starts"], &limited["limit"]["perSeconds"]),
        (&json!(2), &json!(20), &json!(30.0))
    );
    for (wish, word) in [
        (json!({}), "limits nothing"),
        (json!({ "starts": 5 }), "belong together"),
        (json!({ "running": 0 }), "running"),
        (json!({ "starts": 5000, "perSeconds": 1.0 }), "starts"),
    ] {
        let refused = admin.put(path, &wish).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{}", refused.text);
        assert!(refused.text.contains(word), "{}", refused.text);
    }
    let unknown = admin.put("/admin/queues/nonsense/limit", &wish).await;
    assert_eq!((unknown.status.as_u16(), unknown.error_code()), (404, "NOT_FOUND"));
    let free = admin.delete(path).await.expect(200);
    assert!(free.get("limit").is_none(), "{free}");
    let log = admin.get("/admin/audit").await.expect(200);
    let acts = log["acts"].as_array().unwrap();
    let told: Vec<_> = acts.iter().map(|act| (&act["act"], &act["target"]["running"])).collect();
    assert_eq!(told, [(&json!("unlimit"), &json!(null)), (&json!("limit"), &json!(2))]);
    let before = json!({ "running": 2, "starts": 20, "perSeconds": 30.0, "reason": "slow" });
    assert_eq!((&acts[0]["target"]["before"], &acts[1]["target"]["before"]), (&before, &json!(null)));
}

#[tokio::test]
async fn a_paused_process_leaves_its_work_to_others_until_it_goes_on() {
    let app = TestApp::builder().pools(&[Pool::Credits]).start().await;
    let admin = app.login("boss", "admin").await;
    let credits = async || {
        let queues = admin.get("/admin/queues").await.expect(200);
        queues.as_array().unwrap().iter().find(|queue| queue["pool"] == "credits").unwrap().clone()
    };
    let process = wait_until("the process is known", async || credits().await["processes"].get(0).cloned()).await;
    assert!(process["slots"].as_i64().unwrap() > 0, "{process}");
    let path = format!("/admin/workers/{}", process["id"]);
    let paused = admin.post(&format!("{path}/pause"), &json!({ "reason": "noisy" })).await.expect(200);
    assert_eq!(paused["pausedPools"], json!(["credits"]));
    let insert = "insert into jobs (kind, version, pool, payload, max_attempts) values ('forget-credits-events', 1, 'credits', '{}', 3)
        returning id";
    let job: i64 = sqlx::query_scalar(insert).fetch_one(app.pool()).await.unwrap();
    let beside = app.beside().pools(&[Pool::Credits]).start().await;
    let path_of_job = format!("/admin/jobs/{job}");
    let runs = wait_until("the other process takes it", async || {
        let job = admin.get(&path_of_job).await.expect(200);
        (job["job"]["state"] == "done").then(|| job["runs"].clone())
    })
    .await;
    assert_ne!(runs[0]["worker"], process["id"]);
    let seen = credits().await;
    let mine = seen["processes"].as_array().unwrap().iter().find(|it| it["id"] == process["id"]).unwrap();
    assert_eq!((&mine["paused"], &mine["pausedReason"]), (&json!(true), &json!("noisy")));
    drop(beside);
    let on = admin.post(&format!("{path}/resume"), &json!({ "pool": "credits" })).await.expect(200);
    assert_eq!(on["pausedPools"], json!([]));
    let log = admin.get("/admin/audit").await.expect(200);
    let acts: Vec<_> =
        (0..2).map(|act| (&log["acts"][act]["target"]["before"], &log["acts"][act]["target"]["paused"])).collect();
    let (on, off) = (json!({ "paused": ["credits"], "reason": "noisy" }), json!({ "paused": [], "reason": null }));
    assert_eq!(acts, [(&on, &json!([])), (&off, &json!(["credits"]))]);
    admin.post("/admin/workers/999999/pause", &json!({})).await.expect(404);
    admin.post(&format!("{path}/pause"), &json!({ "pool": "media" })).await.expect(404);
}

#[tokio::test]
async fn jobs_are_found_by_what_they_are_and_by_what_they_carry() {
    let (app, admin) = still().await;
    dead_jobs(&app, 10).await;
    let page = admin.get("/admin/jobs?state=dead&pool=media&payload=of.lot%3D1&limit=2").await.expect(200);
    let numbers = |page: &Value| -> Vec<i64> {
        page["jobs"].as_array().unwrap().iter().map(|job| job["payload"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&page), [9, 7]);
    assert_eq!(page["counts"], json!({ "ready": 0, "scheduled": 0, "running": 0, "dead": 5 }));
    let next = &page["next"];
    let rest = admin.get(&format!("/admin/jobs?state=dead&payload=of.lot%3D1&after={next}")).await.expect(200);
    assert_eq!((numbers(&rest), rest.get("next")), (vec![5, 3, 1], None));
    let oldest = admin.get("/admin/jobs?kind=probe-upload&order=oldest&limit=1").await.expect(200);
    assert_eq!(numbers(&oldest), [1]);
    let traced = admin.get("/admin/jobs?trace=request-4").await.expect(200);
    assert_eq!(numbers(&traced), [4]);
    let none = admin.get("/admin/jobs?until=2020-01-01T00:00:00Z").await.expect(200);
    assert_eq!(numbers(&none), [0; 0]);
    for wrong in ["payload=novalue", "state=odd", "limit=0", "since=yesterday"] {
        let answer = admin.get(&format!("/admin/jobs?{wrong}")).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let kinds = admin.get("/admin/jobs/kinds").await.expect(200);
    let probe = kinds.as_array().unwrap().iter().find(|kind| kind["name"] == "probe-upload").unwrap();
    assert_eq!((&probe["pool"], &probe["maxAttempts"]), (&json!("media"), &json!(3)));
}

#[tokio::test]
async fn a_request_leads_to_the_jobs_that_it_asked_for_and_each_job_back_to_it() {
    let stage = Stage::open().await;
    let (viewer, meme) = (stage.viewer("anna", 100).await, stage.meme(1000).await);
    let mut screen = stage.screen().await;
    stage.app.drain().await;
    let request = viewer.request(Method::POST, &format!("/memes/{meme}/activate")).header("x-request-id", "story-17");
    Session::send(request).await.expect(200);
    screen.next_item().await;
    stage.app.drain().await;
    let found = stage.admin.get("/admin/jobs?trace=story-17&order=oldest").await.expect(200);
    let first = stage.admin.get(&format!("/admin/jobs/{}", found["jobs"][0]["id"])).await.expect(200);
    assert_eq!((&first["job"]["kind"], &first["requestedBy"]), (&json!("advance-playback"), &json!("story-17")));
    let run = &first["runs"][0];
    assert_eq!((&run["verdict"], &run["attempt"]), (&json!("done"), &json!(1)), "{first}");
    assert!(run["startedAt"].as_str().unwrap() <= run["endedAt"].as_str().unwrap(), "{run}");
    let ids = |jobs: &Value| -> Vec<Value> { jobs.as_array().unwrap().iter().map(|job| job["id"].clone()).collect() };
    assert!(!ids(&first["follows"]).is_empty(), "what it started is to end, too: {first}");
    assert_eq!(ids(&first["follows"]), ids(&found["jobs"])[1..]);
}

#[tokio::test]
async fn a_payload_that_nobody_can_read_is_a_dead_letter_whose_run_tells_why() {
    let mut app = TestApp::builder().pools(&[Pool::Media]).start().await;
    app.leaves_jobs_behind();
    let admin = app.login("boss", "admin").await;
    let insert = "insert into jobs (kind, version, pool, payload, max_attempts, trace)
        values ('probe-upload', 1, 'media', '{\"nonsense\": true}', 3, 'request-17') returning id";
    let id: i64 = sqlx::query_scalar(insert).fetch_one(app.pool()).await.unwrap();
    app.advance(std::time::Duration::from_secs(1)).await;
    let path = format!("/admin/jobs/{id}");
    let detail = wait_until("it is dead", async || {
        let detail = admin.get(&path).await.expect(200);
        (detail["job"]["state"] == "dead").then_some(detail)
    })
    .await;
    assert_eq!(detail["requestedBy"], "request-17");
    assert_eq!(detail["runs"].as_array().unwrap().len(), 1, "it is not tried again: {detail}");
    assert!(detail["runs"][0]["error"].as_str().unwrap().contains("cannot be read"), "{detail}");
}

#[tokio::test]
async fn single_jobs_are_retried_rescheduled_and_discarded() {
    let (mut app, admin) = still().await;
    app.leaves_jobs_behind();
    dead_jobs(&app, 2).await;
    let jobs = admin.get("/admin/jobs?state=dead&order=oldest").await.expect(200);
    let path = |at: usize, act: &str| format!("/admin/jobs/{}/{act}", jobs["jobs"][at]["id"]);
    let lives = admin.post(&path(0, "retry"), &json!({})).await.expect(200);
    assert_eq!((&lives["job"]["state"], &lives["job"]["attempts"]), (&json!("ready"), &json!(0)));
    let at = async |days: i32| {
        let at = "select to_char((app_now() + make_interval(days => $1)) at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
        let at: String = sqlx::query_scalar(at).bind(days).fetch_one(app.pool()).await.unwrap();
        json!({ "runAt": at })
    };
    let waits = admin.post(&path(0, "reschedule"), &at(7).await).await.expect(200);
    assert_eq!(waits["job"]["state"], "scheduled");
    for (days, why) in [(-1, "runAt: the time is past"), (400, "runAt: the time is more than a year away")] {
        let refused = admin.post(&path(0, "reschedule"), &at(days).await).await;
        assert_eq!((refused.error_code(), &refused.json["detail"]), ("VALIDATION_ERROR", &json!(why)));
    }
    let gone = admin.post(&path(1, "discard"), &json!({ "reason": "not needed" })).await.expect(200);
    assert_eq!((&gone["job"]["state"], &gone["job"]["reason"]), (&json!("discarded"), &json!("not needed")));
    admin.post(&path(1, "retry"), &json!({})).await.expect(409);
    admin.post("/admin/jobs/999999/retry", &json!({})).await.expect(404);
    let run = "update jobs set state = 'running', token = 1, worker = 1";
    sqlx::query(run).execute(app.pool()).await.unwrap();
    admin.post(&path(0, "discard"), &json!({})).await.expect(409);
    let expected = ["discard", "reschedule", "retry"].map(|act| (act.to_owned(), json!(1)));
    assert_eq!(acts(&admin).await, expected);
}

#[tokio::test]
async fn an_order_about_ten_thousand_jobs_counts_first_and_leaves_what_runs_alone() {
    let (mut app, admin) = still().await;
    app.leaves_jobs_behind();
    dead_jobs(&app, 10_001).await;
    let run =
        "update jobs set state = 'running', token = 1, worker = 1, died_at = null where payload @> '{\"n\": 10001}'";
    sqlx::query(run).execute(app.pool()).await.unwrap();
    let order = |dry| json!({ "filter": { "kind": "probe-upload", "payload": { "of.lot": "1" } }, "dryRun": dry });
    let counted = admin.post("/admin/jobs/retry", &order(true)).await.expect(200);
    assert_eq!(counted, json!({ "matched": 5000, "done": 0 }));
    assert!(acts(&admin).await.is_empty());
    let done = admin.post("/admin/jobs/retry", &order(false)).await.expect(200);
    assert_eq!(done, json!({ "matched": 5000, "done": 5000 }));
    let rest = json!({ "filter": { "kind": "probe-upload" }, "reason": "all of them" });
    let done = admin.post("/admin/jobs/discard", &rest).await.expect(200);
    assert_eq!(done, json!({ "matched": 10_000, "done": 10_000 }));
    let left = admin.get("/admin/jobs?kind=probe-upload&state=unfinished").await.expect(200);
    assert_eq!(left["counts"], json!({ "ready": 0, "scheduled": 0, "running": 1, "dead": 0 }));
    let sum = |name: &'static str, acts: &[(String, Value)]| -> i64 {
        acts.iter().filter(|(act, _)| act == name).map(|(_, jobs)| jobs.as_i64().unwrap()).sum()
    };
    let acts = acts(&admin).await;
    assert_eq!((sum("retry", &acts), sum("discard", &acts)), (5000, 10_000));
    for filter in [json!({}), json!({ "state": "done" }), json!({ "state": "running" })] {
        let refused = admin.post("/admin/jobs/retry", &json!({ "filter": filter })).await;
        assert_eq!((refused.status.as_u16(), refused.error_code()), (400, "VALIDATION_ERROR"), "{}", refused.text);
    }
}

#[tokio::test]
async fn the_command_line_finds_acts_and_is_written_down() {
    let (mut app, admin) = still().await;
    app.leaves_jobs_behind();
    dead_jobs(&app, 5).await;
    let env = app.process_env();
    let say = async |arguments: &[&str]| MemalertsProcess::spawn(arguments, &env).output().await;
    let page: Value = serde_json::from_str(&say(&["jobs", "list", "--payload", "n=3", "--json"]).await).unwrap();
    assert_eq!(page["jobs"][0]["payload"]["n"], 3, "{page}");
    assert_eq!(say(&["jobs", "retry", "--state", "dead", "--dry-run"]).await, "5 jobs match");
    assert_eq!(say(&["jobs", "discard", "--payload", "n=3"]).await, "1 of 1 jobs that match are discarded");
    let refused = MemalertsProcess::spawn(&["jobs", "retry"], &env).failure().await.join("\n");
    assert!(refused.contains("name at least one condition"), "{refused}");
    let refused = MemalertsProcess::spawn(&["jobs", "discard", "--state", "any"], &env).failure().await.join("\n");
    assert!(refused.contains("name at least one condition"), "{refused}");
    say(&["queues", "pause", "media", "--reason", "by hand"]).await;
    assert!(say(&["queues", "list"]).await.lines().any(|line| line.starts_with("media ") && line.contains("paused")));
    let log = admin.get("/admin/audit").await.expect(200);
    let made: Vec<_> = log["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(made, ["pause", "discard"]);
    assert!(log["acts"][0]["actor"].as_str().unwrap().starts_with("os:"), "{log}");
    assert!(say(&["jobs", "log"]).await.contains("by hand"));
}
