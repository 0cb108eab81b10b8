//! The binary from outside: what an empty environment does, private PostgreSQL, signals, kills.

use std::path::PathBuf;

use harness::{MemalertsProcess, SECRETS, TestApp};
use nix::sys::signal::Signal;

/// A folder for the private PostgreSQL, reachable for the user it runs as; removed at the end.
struct DataDir(PathBuf);

impl DataDir {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("memalerts-it-{}", uuid::Uuid::new_v4().simple())))
    }

    fn spawn(&self) -> MemalertsProcess {
        MemalertsProcess::spawn(&["all"], &[("MEMALERTS_DATA_DIR", self.0.to_str().unwrap())])
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A port at which nobody listens now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn an_empty_environment_is_refused_with_one_message_that_lists_all_that_is_missing() {
    let said = MemalertsProcess::spawn(&["all"], &[("MEMALERTS_ENV", "")]).failure().await;
    let line: serde_json::Value = serde_json::from_str(&said[0]).expect("a line of JSON");
    let message = line["msg"].as_str().unwrap();
    assert_eq!(said[1..].join("\n"), format!("memalerts: {message}"), "and once in plain words");
    for (name, _) in SECRETS {
        assert!(message.contains(&format!("{name} is not set")), "{message}");
    }
    assert!(message.contains("MEMALERTS_ENV is not set, which means prod"), "{message}");
}

#[tokio::test]
async fn a_person_at_a_terminal_gets_lines_to_read_and_not_json() {
    let env = [("LOG_LEVEL", "lala"), ("PORT", "much")];
    let said = MemalertsProcess::spawn_at_terminal(&["all"], &env).failure().await;
    assert_eq!(said[0], "memalerts: the environment has 2 problems:", "{said:?}");
    assert!(said[1].starts_with("  - PORT must be ") && said[2].starts_with("  - LOG_LEVEL must be "), "{said:?}");
    // Commands say it so wherever their words go.
    let said = MemalertsProcess::spawn(&["config"], &[("LOG_LEVEL", "lala")]).failure().await;
    assert_eq!(said[0], "memalerts: the environment has 1 problem:");
}

#[tokio::test]
async fn the_settings_are_shown_with_where_they_come_from_and_without_secrets() {
    let secret = "0123456789abcdef0123456789abcdef";
    let env = [
        ("PORT", "81"),
        ("MEMALERTS_SECRET", secret),
        ("DATABASE_URL", "postgres://me:geheim@db/x"),
        // From which another one follows.
        ("TWITCH_IRC_URL", "ws://me:geheim@127.0.0.1:1"),
    ];
    let shown = MemalertsProcess::spawn(&["config"], &env).output().await;
    assert!(shown.contains("TWITCH_IRC_SEND_URL="), "{shown}");
    for line in [
        "environment  PORT=81",
        "environment  MEMALERTS_SECRET=[secret]",
        "environment  DATABASE_URL=postgres://me:***@db/x",
        "default      PUBLIC_BASE_URL=http://localhost:81",
        "default      LOG_LEVEL=info",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "no {line:?} in\n{shown}");
    }
    let json = MemalertsProcess::spawn(&["config", "--json"], &env).output().await;
    let json: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let port = json.iter().find(|setting| setting["name"] == "PORT").unwrap();
    assert_eq!(*port, serde_json::json!({ "name": "PORT", "value": "81", "source": "environment" }));
    assert!(!format!("{shown}{json:?}").contains("geheim") && !format!("{shown}{json:?}").contains(secret));
}

#[tokio::test]
async fn a_check_of_the_settings_shows_each_and_says_all_that_is_wrong_at_once() {
    let good = [&[("MEMALERTS_ENV", "prod"), ("PUBLIC_BASE_ULR", "https://memes.example")], &SECRETS[..]].concat();
    let (status, shown, said) = MemalertsProcess::spawn(&["config", "--check"], &good).outcome().await;
    // What starts may still not be what was meant.
    let doubts: Vec<&str> = said.lines().collect();
    let begins = |at: usize, with: &str| doubts[at].starts_with(&format!("in doubt: {with}"));
    assert!(begins(0, "PUBLIC_BASE_ULR is no setting, PUBLIC_BASE_URL is"), "{said}");
    assert!(begins(1, "PUBLIC_BASE_URL is not set") && begins(2, "SMTP_URL is not set"), "{said}");
    assert!(status.success() && doubts.len() == 3, "{said}");
    // Nor may it be what this machine has.
    let not_here = [
        ("MEMALERTS_ENV", "prod"),
        ("PUBLIC_BASE_URL", "https://memes.example"),
        ("SMTP_URL", "smtps://mail.example"),
        ("MAIL_FROM", "memes@memes.example"),
        ("FFMPEG_PATH", "/nope/ffmpeg"),
        ("UPLOAD_DIR", "/proc/uploads"),
        ("DATABASE_URL", "postgres://me@db/x"),
        ("RATE_LIMIT_FACTOR", "0"),
    ];
    let (status, _, told) =
        MemalertsProcess::spawn(&["config", "--check"], &[&not_here[..], &SECRETS[..]].concat()).outcome().await;
    let doubts: Vec<&str> = told.lines().collect();
    for (doubt, with) in
        doubts.iter().zip(["RATE_LIMIT_FACTOR is 0", "FFMPEG_PATH: there is no", "UPLOAD_DIR: nothing can"])
    {
        assert!(doubt.starts_with(&format!("in doubt: {with}")), "{told}");
    }
    assert!(status.success() && doubts.len() == 3, "{told}");
    let names = |shown: &str| -> Vec<String> {
        shown.lines().map(|line| line[13..].split_once('=').unwrap().0.to_owned()).collect()
    };
    let all = names(&shown);
    assert!(all.len() > 60 && SECRETS.iter().all(|(_, secret)| !shown.contains(secret)), "{shown}");

    let wrong = [
        ("MEMALERTS_ENV", "prod"),
        ("MEMALERTS_SECRET", "geheim"),
        ("PORT", "much"),
        ("DATABASE_URL", "mysql://me:geheim@db/x"),
        ("SMTP_URL", "geheim"),
    ];
    let (status, shown, said) = MemalertsProcess::spawn(&["config", "--check"], &wrong).outcome().await;
    assert_eq!((status.code(), names(&shown)), (Some(1), all), "{shown}");
    for line in ["environment  PORT=much", "environment  MEMALERTS_SECRET=[secret]", "default      LOG_LEVEL=info"] {
        assert!(shown.lines().any(|shown| shown == line), "no {line:?} in\n{shown}");
    }
    let faults = [
        "MEMALERTS_SECRET is too short",
        "MEMALERTS_INTERNAL_SECRET is not set",
        "MEMALERTS_DATA_KEY is not set",
        "PORT must be",
        "DATABASE_URL must",
        "SMTP_URL must",
        "MAIL_FROM is not set",
    ];
    for fault in faults {
        assert!(said.contains(&format!("  - {fault}")), "no {fault:?} in\n{said}");
    }
    assert!(said.contains(&format!("has {} problems", faults.len())), "{said}");
    assert!(!shown.contains("geheim") && !said.contains("geheim"), "{shown}\n{said}");
}

#[tokio::test]
async fn a_command_without_its_database_fails_at_once_and_says_where_it_looked() {
    let port = free_port();
    let nowhere = format!("postgres://me:geheim@127.0.0.1:{port}/x");
    let unknown = "postgres://me:geheim@no-such-host.invalid/x".to_owned();
    let database = harness::TestDatabase::create().await;
    let missing = format!("{}_not", database.url());
    let stranger = database.url().replacen("memalerts@", "stranger@", 1);
    for (url, expected) in [
        (&nowhere, format!("no connection to PostgreSQL at 127.0.0.1:{port}: connection refused")),
        (&unknown, "no connection to PostgreSQL at no-such-host.invalid:5432: the host name is not known".to_owned()),
        (&missing, "does not exist (make it: createdb ".to_owned()),
        (&stranger, "authentication failed for user stranger".to_owned()),
    ] {
        let said = MemalertsProcess::spawn(&["jobs", "list"], &[("DATABASE_URL", url)]).failure().await.join("\n");
        assert!(said.starts_with("memalerts: ") && said.contains(&expected), "{url}: {said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[tokio::test]
async fn a_process_that_stays_waits_for_its_database_and_says_so() {
    let database = harness::TestDatabase::create().await;
    let port = free_port();
    let mut api = MemalertsProcess::spawn(&["api"], &[("DATABASE_URL", database.url_at(port))]);
    harness::wait_until("it says that it waits", async || {
        let waits = format!("no connection to PostgreSQL at 127.0.0.1:{port}: connection refused");
        api.log().iter().any(|line| line["msg"].as_str().is_some_and(|msg| msg.starts_with(&waits))).then_some(())
    })
    .await;
    database.listen_at(port).await;
    api.logged("PostgreSQL is there").await;
    api.base_url().await;
    assert!(api.stop().await.success());

    // A signal ends the waiting.
    let mut waiting = MemalertsProcess::spawn(&["work", "dispatch"], &[("DATABASE_URL", "postgres://127.0.0.1:1/x")]);
    harness::wait_until("it waits", async || (!waiting.log().is_empty()).then_some(())).await;
    assert!(!waiting.stop().await.success());
}

#[tokio::test]
async fn pool_media_does_not_start_without_the_programs_it_runs() {
    for arguments in [&["work", "media"][..], &["all"]] {
        let refusal =
            MemalertsProcess::spawn(arguments, &[("FFMPEG_PATH", "/nowhere/ffmpeg")]).failure().await.join("\n");
        assert!(refusal.contains("/nowhere/ffmpeg (FFMPEG_PATH)") && refusal.contains("apt-get install"), "{refusal}");
        assert!(!refusal.contains("FFPROBE_PATH"), "only what is missing: {refusal}");
        let (log, words) = refusal.split_once("\nmemalerts: ").expect("the reason in plain words, after the log");
        assert!(words.starts_with("pool media cannot work on this machine"), "{words}");
        let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).expect("a line of JSON");
        assert_eq!(last["msg"], words, "the same reason for a collector of logs");
    }
}

#[tokio::test]
async fn production_without_a_public_address_or_mails_says_what_will_not_work() {
    let database = harness::TestDatabase::create().await;
    let url = database.url();
    let prod = [("DATABASE_URL", url.as_str()), ("MEMALERTS_ENV", "prod"), ("LISTEN_ADDRESS", "127.0.0.1")];
    let prod = [&prod[..], &SECRETS].concat();
    let warnings = |api: &MemalertsProcess| {
        let log = api.log();
        log.iter().filter(|line| line["level"] == "warn").map(|line| line["msg"].to_string()).collect::<Vec<_>>()
    };
    let told = [
        ("PUBLIC_BASE_URL", "https://x.example"),
        ("SMTP_URL", "smtp://127.0.0.1:2525"),
        ("MAIL_FROM", "memes@x.example"),
    ];
    let mut silent = MemalertsProcess::spawn(&["api"], &[&prod[..], &told].concat());
    silent.base_url().await;
    assert_eq!(warnings(&silent), [""; 0]);
    assert!(silent.stop().await.success());
    let mut api = MemalertsProcess::spawn(&["api"], &prod);
    api.base_url().await;
    let warnings = warnings(&api);
    for setting in ["PUBLIC_BASE_URL", "SMTP_URL"] {
        let of = warnings.iter().filter(|warning| warning.contains(&format!("{setting} is not set")));
        assert_eq!(of.count(), 1, "{setting}: {warnings:?}");
    }
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(api.stop().await.success());
}

#[tokio::test]
async fn processes_of_one_machine_start_without_a_warning() {
    let database = harness::TestDatabase::create().await;
    let url = database.url();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let env = [("DATABASE_URL", url.as_str()), ("METRICS_PORT", &port)];
    let mut chat = MemalertsProcess::spawn(&["work", "chat", "outbox"], &env);
    chat.logged("METRICS_PORT is taken; using the next free one").await;
    chat.logged("the pools take jobs").await;
    assert!(chat.stop().await.success());
    let log = chat.log();
    assert!(log.iter().all(|line| line["level"] == "info"), "{log:?}");
    assert!(!format!("{log:?}").contains("no connector"), "platforms that are not built are no news: {log:?}");
}

#[tokio::test]
async fn data_survives_a_stop_and_a_kill_and_a_second_process_is_refused() {
    let dir = DataDir::new();
    let mut first = dir.spawn();
    let base = first.base_url().await;
    let login = |base: String| async move {
        let body = serde_json::json!({ "login": "demo", "role": "streamer" });
        let answer = reqwest::Client::new().post(format!("{base}/auth/dev/login")).json(&body).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()["userId"].as_str().unwrap().to_owned()
    };
    let user = login(base).await;

    let mut second = dir.spawn();
    assert!(!second.ended().await.success());
    let refusal = second.raw_log().join("\n");
    assert!(refusal.contains("already running") && refusal.contains(&first.pid().to_string()), "{refusal}");

    first.kill();
    let mut third = dir.spawn();
    assert_eq!(login(third.base_url().await).await, user);
    assert!(third.stop().await.success());

    let mut fourth = dir.spawn();
    assert_eq!(login(fourth.base_url().await).await, user);
    assert!(fourth.stop().await.success());
}

#[tokio::test]
async fn the_demo_happens_whole_and_a_second_start_finds_its_data() {
    let dir = DataDir::new();
    for start in ["first", "second"] {
        let mut system = dir.spawn();
        let base = system.base_url().await;
        harness::wait_until("the links are printed", async || {
            system.stdout().iter().any(|line| line.contains("Try it")).then_some(())
        })
        .await;
        let printed = system.stdout().join("\n");
        assert!(printed.contains("/overlay/t/ot_"), "{printed}");
        assert_eq!(printed.contains("making the meme"), start == "first", "{printed}");
        let mut demo = MemalertsProcess::spawn(&["demo", "--base-url", &base], &[("PORT", "0")]);
        let status = demo.ended().await;
        assert!(status.success(), "{}\n{}", demo.stdout().join("\n"), demo.raw_log().join("\n"));
        assert!(system.stop().await.success());
    }
}

#[tokio::test]
async fn processes_of_the_procfile_share_one_system() {
    let dir = DataDir::new();
    let mut all = dir.spawn();
    all.base_url().await;
    // Without DATABASE_URL, further roles join the private PostgreSQL of the same data directory.
    let data_dir = dir.0.to_str().unwrap();
    let mut pools = ["dispatch", "media", "chat", "outbox", "credits", "imports"]
        .map(|pool| MemalertsProcess::spawn(&["work", pool], &[("MEMALERTS_DATA_DIR", data_dir)]));
    for pool in &mut pools {
        pool.logged("the pools take jobs").await;
    }
    harness::wait_until("two processes serve each pool", async || {
        let queues = MemalertsProcess::spawn(&["queues", "list", "--json"], &[("MEMALERTS_DATA_DIR", data_dir)]);
        let queues: serde_json::Value = serde_json::from_str(&queues.output().await).unwrap();
        queues.as_array().unwrap().iter().all(|queue| queue["workers"] == 2).then_some(())
    })
    .await;
    for pool in &mut pools {
        assert!(pool.stop().await.success());
    }
    assert!(all.stop().await.success());
}

#[tokio::test]
async fn a_database_stays_in_its_environment() {
    let database = harness::TestDatabase::create().await;
    let url = database.url();
    let mut dev = MemalertsProcess::spawn(&["api"], &[("DATABASE_URL", &url)]);
    dev.base_url().await;
    assert!(dev.stop().await.success());
    let prod = [&[("DATABASE_URL", url.as_str()), ("MEMALERTS_ENV", "prod")], &SECRETS[..]].concat();
    let mut prod = MemalertsProcess::spawn(&["api"], &prod);
    assert!(!prod.ended().await.success());
    let refusal = prod.raw_log().join("\n");
    assert!(refusal.contains("belongs to the environment dev"), "{refusal}");
    assert!(SECRETS.iter().all(|(_, secret)| !refusal.contains(secret)));
}

#[tokio::test]
async fn a_role_without_a_database_names_where_it_looked() {
    let dir = DataDir::new();
    let mut api = MemalertsProcess::spawn(&["api"], &[("MEMALERTS_DATA_DIR", dir.0.to_str().unwrap())]);
    assert!(!api.ended().await.success());
    let refusal = api.raw_log().join("\n");
    assert!(refusal.contains("DATABASE_URL") && refusal.contains(dir.0.to_str().unwrap()), "{refusal}");
}

#[tokio::test]
async fn a_second_signal_means_now() {
    let dir = DataDir::new();
    let mut process = dir.spawn();
    let base = process.base_url().await;
    // An open request holds the drain up.
    let mut slow = tokio::net::TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut slow,
        b"POST /auth/dev/login HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
    )
    .await
    .unwrap();
    process.signal(Signal::SIGINT);
    process.logged("first signal: finishing what runs; a second one stops at once").await;
    process.signal(Signal::SIGINT);
    assert_eq!(process.ended().await.code(), Some(130));
}

#[tokio::test]
async fn the_work_is_looked_at_and_ordered_without_the_folder_of_uploads() {
    let app = TestApp::start().await;
    let admin = app.login("boss", "admin").await;
    let demo = app.login("demo", "streamer").await;
    demo.post("/streamer/queue/playback/pause", &serde_json::json!({})).await.expect(200);
    app.drain().await;
    let shared = app.process_env();
    let mut env: Vec<(&str, &str)> = shared.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // The last word counts: a folder that nobody can make.
    env.push(("UPLOAD_DIR", "/proc/nowhere"));
    let ask = async |arguments: &[&str]| MemalertsProcess::spawn(arguments, &env).outcome().await;

    let (paused, said, _) = ask(&["queues", "pause", "media"]).await;
    assert!(paused.success() && said.starts_with("pool media is paused"), "{said}");
    let queues = admin.get("/admin/queues").await.expect(200);
    let media = queues.as_array().unwrap().iter().find(|queue| queue["pool"] == "media").unwrap();
    assert_eq!(media["workers"], 1, "{media}");
    assert!(ask(&["queues", "list"]).await.1.lines().any(|line| line.starts_with("media") && line.ends_with("paused")));
    assert!(ask(&["queues", "resume", "media"]).await.0.success());

    let done: i64 = sqlx::query_scalar("select max(id) from jobs_done").fetch_one(app.pool()).await.unwrap();
    let (retried, _, refusal) = ask(&["jobs", "retry", &done.to_string()]).await;
    assert!(!retried.success() && refusal.contains(&format!("job {done} is finished: done")), "{refusal}");
    let unknown = ask(&["jobs", "discard", "999999"]).await.2;
    assert!(unknown.contains("there is no job 999999"), "{unknown}");

    // What is finished is shown to whoever asks for it; what is dead stands before what waits.
    let insert = "insert into jobs (kind, version, pool, payload, max_attempts, state, run_at, died_at)
                  values ('note', 1, 'desk', '{}', 1, 'dead', app_now(), app_now()),
                         ('note', 1, 'desk', '{}', 1, 'ready', app_now() + interval '1 day', null)";
    sqlx::query(insert).execute(app.pool()).await.unwrap();
    let list = async |more: &[&str]| ask(&[&["jobs", "list"], more].concat()).await.1;
    let unfinished = list(&["--kind", "note"]).await;
    let states: Vec<&str> = unfinished.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(states, ["dead", "scheduled"], "{unfinished}");
    let short = list(&["--kind", "note", "--limit", "1"]).await;
    assert!(short.contains("dead"), "a newer one must not hide it: {short}");
    assert!(!list(&[]).await.contains("done"));
    assert!(list(&["--state", "any"]).await.contains("done"));
    sqlx::query("delete from jobs where pool = 'desk'").execute(app.pool()).await.unwrap();
}

#[tokio::test]
async fn a_killed_process_counts_as_silent_at_once_and_no_longer_as_a_worker() {
    let app = TestApp::builder().pools(&[]).start().await;
    let env = app.process_env();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut pool = MemalertsProcess::spawn(&["work", "outbox"], &env);
    pool.logged("the pools take jobs").await;
    let outbox = async || {
        let queues = MemalertsProcess::spawn(&["queues", "list", "--json"], &env).output().await;
        let queues: serde_json::Value = serde_json::from_str(&queues).unwrap();
        let outbox = queues.as_array().unwrap().iter().find(|queue| queue["pool"] == "outbox").unwrap().clone();
        (outbox["workers"].as_i64().unwrap(), outbox["silent"].as_i64().unwrap())
    };
    harness::wait_until("it serves the pool", async || (outbox().await == (1, 0)).then_some(())).await;
    pool.kill();
    // Nobody is there who would remove its row.
    harness::wait_until("it is silent", async || (outbox().await == (0, 1)).then_some(())).await;
}

#[tokio::test]
async fn a_platforms_chats_that_are_switched_off_leave_their_process_nothing_to_do() {
    for switch in ["0", "off", "false"] {
        let env = [("VKVIDEO_CHAT_BOT_ENABLED", switch)];
        let process = MemalertsProcess::spawn(&["work", "chat", "--platform", "vkvideo"], &env);
        let (status, _, told) = process.outcome().await;
        assert!(status.success() && told.contains("VKVIDEO_CHAT_BOT_ENABLED is not 1"), "{switch}: {status} {told}");
    }
    let wrong = MemalertsProcess::spawn(&["work", "chat"], &[("VKVIDEO_CHAT_BOT_ENABLED", "maybe")]).failure().await;
    assert!(wrong.join("\n").contains("VKVIDEO_CHAT_BOT_ENABLED must be 1 or 0, not \"maybe\""), "{wrong:?}");
}
