//! The binary from outside: what an empty environment does, private PostgreSQL, signals, kills.

use std::path::PathBuf;

use harness::MemalertsProcess;
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

#[tokio::test]
async fn an_empty_environment_is_refused_with_one_message_that_lists_all_that_is_missing() {
    let mut process = MemalertsProcess::spawn(&["all"], &[("MEMALERTS_ENV", "")]);
    assert!(!process.ended().await.success());
    let log = process.log();
    assert_eq!(log.len(), 1, "{log:?}");
    let message = log[0]["msg"].as_str().unwrap();
    assert!(message.contains("MEMALERTS_SECRET") && message.contains("MEMALERTS_INTERNAL_SECRET"), "{message}");
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
    let mut pools = ["dispatch", "media", "chat", "outbox", "credits"]
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
    let secret = "0123456789abcdef0123456789abcdef";
    let prod = [
        ("DATABASE_URL", url.as_str()),
        ("MEMALERTS_ENV", "prod"),
        ("MEMALERTS_SECRET", secret),
        ("MEMALERTS_INTERNAL_SECRET", secret),
    ];
    let mut prod = MemalertsProcess::spawn(&["api"], &prod);
    assert!(!prod.ended().await.success());
    let refusal = prod.raw_log().join("\n");
    assert!(refusal.contains("belongs to the environment dev"), "{refusal}");
    assert!(!refusal.contains(secret));
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
