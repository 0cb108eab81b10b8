//! The Procfile under a public runner: every line starts, shares one system, and ends with the others.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use harness::{MemalertsProcess, TestDatabase, binary, wait_until};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// Ends what it started also when the story fails; killed, it would leave its processes behind.
struct Runner(Child);

impl Runner {
    fn end(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), Signal::SIGTERM);
            self.0.wait().unwrap();
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.end();
    }
}

/// Processes that serve each pool, in the order of `Pool::ALL`.
async fn workers(env: &[(&str, &str)]) -> Vec<(String, i64)> {
    let queues = MemalertsProcess::spawn(&["queues", "list", "--json"], env).output().await;
    let queues: Vec<Value> = serde_json::from_str(&queues).unwrap();
    let of = |queue: &Value| (queue["pool"].as_str().unwrap().to_owned(), queue["workers"].as_i64().unwrap());
    queues.iter().map(of).collect()
}

#[tokio::test]
async fn a_runner_of_procfiles_starts_every_line_and_stops_them_all() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let honcho = root.join("tests/procfile/.venv/bin/honcho");
    if !honcho.is_file() {
        assert!(
            std::env::var_os("CI").is_none(),
            "tests/procfile/install.sh was not run, and in CI nothing is skipped"
        );
        eprintln!("SKIPPED a_runner_of_procfiles_starts_every_line: tests/procfile/install.sh was not run");
        return;
    }
    let database = TestDatabase::create().await;
    let data = tempfile::TempDir::new().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (url, port) = (database.url(), port.to_string());
    let base = format!("http://127.0.0.1:{port}");
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("MEMALERTS_ENV", "dev"),
        ("MEMALERTS_DATA_DIR", data.path().to_str().unwrap()),
        ("PORT", &port),
        ("CHATBOT_BACKEND_BASE_URLS", &base),
    ];
    let path = format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let runner = Command::new(honcho)
        .args(["start", "--no-colour", "--concurrency", "media=2,dispatch=2"])
        .current_dir(&root)
        .env_clear()
        .env("PATH", path)
        .envs(env)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(data.path().join("said")).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("start honcho");
    let mut runner = Runner(runner);

    // Who answers has migrated, so that the work can be looked at.
    wait_until("the API answers", async || {
        if let Some(status) = runner.0.try_wait().unwrap() {
            panic!("it ended with {status}:\n{}", std::fs::read_to_string(data.path().join("said")).unwrap());
        }
        reqwest::get(format!("{base}/health")).await.ok()?.error_for_status().ok()
    })
    .await;
    wait_until("every line of the Procfile works", async || {
        let found = workers(&env).await;
        found.iter().all(|(pool, count)| *count == 1 + i64::from(pool == "media" || pool == "dispatch")).then_some(())
    })
    .await;

    runner.end();
    let left = workers(&env).await;
    assert!(left.iter().all(|(_, count)| *count == 0), "{left:?}");
    assert!(reqwest::get(format!("{base}/health")).await.is_err(), "the API is still there");
}
