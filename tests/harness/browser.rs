//! A real browser: headless Chromium, driven through `tests/browser/driver.mjs`.

use std::{env, path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::DEADLINE;

/// A page in a browser. The browser ends with this value.
#[derive(Debug)]
pub struct Browser {
    /// Killed when dropped; the driver takes the browser with it.
    _child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// What is on the screen.
#[derive(Debug, Clone)]
pub struct Look {
    /// How much of the screen is not transparent, 0 to 1.
    pub covered: f64,
    /// Red, green, blue and alpha in the middle.
    pub middle: [u8; 4],
    /// The plays that can be seen: `activation`, `tag`, `at` (seconds), `paused`, `muted`, `volume`, `boost`, `sender`.
    pub plays: Vec<Value>,
    /// All text on the page.
    pub text: String,
    /// Errors of scripts, and requests to elsewhere: never any.
    pub complaints: Vec<String>,
}

impl Browser {
    /// A browser without a page. None, with the story's name on stderr, when there is nothing to run it with: `make test`
    /// installs what it takes. In CI that is a failure.
    pub async fn start(story: &str) -> Option<Self> {
        Self::start_with(story, "no-user-gesture-required")
    }

    /// One that plays no sound before somebody clicks, as people's browsers are.
    pub async fn start_without_sound(story: &str) -> Option<Self> {
        Self::start_with(story, "document-user-activation-required")
    }

    fn start_with(story: &str, autoplay: &str) -> Option<Self> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        let chromium = env::var_os("MEMALERTS_TEST_BROWSER").or_else(|| in_path("chromium"));
        let missing = if chromium.is_none() {
            "no chromium"
        } else if in_path("node").is_none() {
            "no node"
        } else if !dir.join("node_modules").is_dir() {
            "`npm ci` was not run in tests/browser"
        } else {
            ""
        };
        if !missing.is_empty() {
            assert!(env::var_os("CI").is_none(), "{story}: {missing}, and in CI nothing is skipped");
            eprintln!("SKIPPED {story}: {missing}");
            return None;
        }
        let mut child = Command::new("node")
            .args(["driver.mjs", autoplay])
            .current_dir(&dir)
            .env("MEMALERTS_TEST_BROWSER", chromium?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("start node");
        let orders = child.stdin.take().expect("stdin");
        let answers = BufReader::new(child.stdout.take().expect("stdout")).lines();
        Some(Self { _child: child, orders, answers })
    }

    /// Opens the address, as OBS would or as a browser's tab; the status of the page.
    pub async fn open(&mut self, url: &str, obs: bool) -> u64 {
        let opened = self.order(&json!({ "do": "open", "url": url, "obs": obs })).await;
        opened["status"].as_u64().expect("a status")
    }

    /// What OBS calls "refresh".
    pub async fn reload(&mut self) {
        self.order(&json!({ "do": "reload" })).await;
    }

    /// Writes a text into the field that this selector names.
    pub async fn fill(&mut self, what: &str, text: &str) {
        self.order(&json!({ "do": "fill", "what": what, "text": text })).await;
    }

    /// Clicks on what this selector names.
    pub async fn click(&mut self, what: &str) {
        self.order(&json!({ "do": "click", "what": what })).await;
    }

    /// What is on the screen now.
    pub async fn look(&mut self) -> Look {
        let look = self.order(&json!({ "do": "look" })).await;
        let strings = |name: &str| look[name].as_array().unwrap().iter().map(ToString::to_string).collect();
        Look {
            covered: look["covered"].as_f64().unwrap(),
            middle: serde_json::from_value(look["middle"].clone()).unwrap(),
            plays: look["plays"].as_array().unwrap().clone(),
            text: look["text"].as_str().unwrap().to_owned(),
            complaints: strings("complaints"),
        }
    }

    async fn order(&mut self, order: &Value) -> Value {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.expect("the driver listens");
        // The first order waits for Chromium to start.
        let line = tokio::time::timeout(DEADLINE * 2, self.answers.next_line()).await.expect("the driver is too slow");
        let line = line.expect("read from the driver").expect("the driver ended: see above");
        let mut answer: Value = serde_json::from_str(&line).expect("the driver speaks JSON");
        assert!(answer.get("error").is_none(), "{order}: {answer}");
        answer["ok"].take()
    }
}

fn in_path(name: &str) -> Option<std::ffi::OsString> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file()).map(Into::into)
}
