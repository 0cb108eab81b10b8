//! One command brings a build into service: migrated, restarted, and seen to answer.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use harness::{TestDatabase, binary};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

/// What was deployed runs on in the background; killed also when the story fails.
struct Deployed {
    data: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
    base: String,
}

impl Deployed {
    fn script(&self, more: &[(&str, &str)]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let script = Command::new(root.join("scripts/deploy.sh"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .output();
        script.expect("start the script")
    }

    fn process(&self) -> Option<Pid> {
        let note = std::fs::read_to_string(self.note()).ok()?;
        Some(Pid::from_raw(note.split_whitespace().next()?.parse().ok()?))
    }

    fn note(&self) -> PathBuf {
        self.data.path().join("deployed")
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base)).bearer_auth(token);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        if let Some(process) = self.process() {
            let _ = kill(process, Signal::SIGKILL);
        }
    }
}

#[tokio::test]
async fn one_command_restarts_with_a_drain_and_ends_when_the_new_build_answers() {
    let database = TestDatabase::create().await;
    let data = tempfile::TempDir::new().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let deployed = Deployed {
        base: format!("http://127.0.0.1:{port}"),
        env: vec![
            ("BIN", binary().display().to_string()),
            ("DATABASE_URL", database.url()),
            ("MEMALERTS_ENV", "dev".to_owned()),
            ("MEMALERTS_DATA_DIR", data.path().display().to_string()),
            ("PORT", port.to_string()),
            ("RUN", "memalerts api".to_owned()),
        ],
        data,
    };
    let wrong = deployed.script(&[("LOG_LEVEL", "lala")]);
    assert!(!wrong.status.success() && deployed.process().is_none(), "{wrong:?}");

    let first = deployed.script(&[]);
    assert!(first.status.success(), "{first:?}");
    let version = Command::new(binary()).arg("--version").output().unwrap().stdout;
    let build = String::from_utf8(version).unwrap().trim().trim_start_matches("memalerts ").to_owned();
    assert_eq!(deployed.get("/health", "").await["build"], build);
    let old = deployed.process().expect("a process");
    let login = json!({ "login": "anna", "role": "viewer" });
    let login = reqwest::Client::new().post(format!("{}/auth/dev/login", deployed.base)).json(&login);
    let session: Value = login.send().await.unwrap().json().await.unwrap();
    let token = session["token"].as_str().unwrap();

    let second = deployed.script(&[]);
    assert!(second.status.success(), "{second:?}");
    let said = String::from_utf8_lossy(&second.stdout);
    assert!(said.contains("migrating") && said.contains(&format!("answers as {build}")), "{said}");
    assert_ne!(deployed.process().unwrap(), old);
    let log = std::fs::read_to_string(deployed.data.path().join("deployed.log")).unwrap();
    assert_eq!(log.matches("first signal: finishing what runs").count(), 1, "{log}");
    assert_eq!(deployed.get("/me", token).await["login"], "anna", "whoever was logged in still is");

    // Somebody else runs it: asked to restart, and not believed before the build answers.
    let process = deployed.process().unwrap();
    let elsewhere = deployed.script(&[("RESTART", "echo restarted by hand")]);
    assert!(elsewhere.status.success(), "{elsewhere:?}");
    assert!(String::from_utf8_lossy(&elsewhere.stdout).contains("restarted by hand"));
    assert_eq!(deployed.process().unwrap(), process);
}
