//! The real binary as a process of its own: for stories about kills, restarts and several processes.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use serde_json::Value;

use crate::wait_until;

/// How long the last lines of a process that has ended may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running `memalerts`. Killed when dropped.
#[derive(Debug)]
pub struct MemalertsProcess {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    stdout: Arc<Mutex<Vec<String>>>,
    data_dir: PathBuf,
    readers: Vec<thread::JoinHandle<()>>,
}

/// Where the binary is: `MEMALERTS_BIN` (set by `make test`), else beside this test.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("MEMALERTS_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("our own path");
    let path = test.ancestors().nth(2).expect("target/debug").join("memalerts");
    assert!(path.is_file(), "no {}: run `cargo build -p runtime` first, or `make test`", path.display());
    path
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments);
    command
}

impl MemalertsProcess {
    /// Starts it with these arguments and nothing in its environment but `PATH`, dev mode, random ports, a data directory
    /// of its own and `env`.
    #[must_use]
    pub fn spawn(arguments: &[&str], env: &[(&str, impl AsRef<std::ffi::OsStr>)]) -> Self {
        let (theirs, ours) = std::io::pipe().expect("a pipe");
        Self::spawn_with(command(arguments), env, ours.into(), theirs)
    }

    /// The same with a disk of its own of so many bytes, which nobody else sees at `dir`.
    #[must_use]
    pub fn spawn_on_disk(
        dir: &Path,
        bytes: u64,
        arguments: &[&str],
        env: &[(&str, impl AsRef<std::ffi::OsStr>)],
    ) -> Self {
        let (theirs, ours) = std::io::pipe().expect("a pipe");
        let mut wrapped = Command::new("unshare");
        if !Uid::effective().is_root() {
            wrapped.args(["--user", "--map-root-user"]);
        }
        let mount = format!("mount -t tmpfs -o size={bytes} none {} && exec \"$@\"", dir.display());
        wrapped.args(["--mount", "sh", "-c", &mount, "sh"]).arg(binary()).args(arguments);
        Self::spawn_with(wrapped, env, ours.into(), theirs)
    }

    /// A path as the process sees it, for us.
    #[must_use]
    pub fn sees(&self, path: &Path) -> PathBuf {
        format!("/proc/{}/root{}", self.pid(), path.display()).into()
    }

    /// The same with a terminal as its standard error.
    #[must_use]
    pub fn spawn_at_terminal(arguments: &[&str], env: &[(&str, impl AsRef<std::ffi::OsStr>)]) -> Self {
        let terminal = nix::pty::openpty(None, None).expect("a terminal");
        Self::spawn_with(command(arguments), env, terminal.slave.into(), std::fs::File::from(terminal.master))
    }

    fn spawn_with(
        mut command: Command,
        env: &[(&str, impl AsRef<std::ffi::OsStr>)],
        stderr: Stdio,
        log: impl std::io::Read + Send + 'static,
    ) -> Self {
        // Only made by those who use it, which must not be the one of another test.
        let data_dir = std::env::temp_dir().join(format!("memalerts-it-{}", uuid::Uuid::new_v4().simple()));
        let mut child = command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("MEMALERTS_ENV", "dev")
            .env("PORT", "0")
            .env("METRICS_PORT", "0")
            .env("RATE_LIMIT_FACTOR", "1000000")
            .env("CHATBOT_CHANNEL_INTERVAL_MS", "0")
            .env("MEMALERTS_DATA_DIR", &data_dir)
            .envs(env.iter().map(|(name, value)| (name, value.as_ref())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("start memalerts");
        let (log, first) = collect(log);
        let (stdout, second) = collect(child.stdout.take().expect("stdout"));
        Self { child, log, stdout, data_dir, readers: vec![first, second] }
    }

    /// Waits until the API takes requests, and says where: `http://127.0.0.1:PORT`.
    pub async fn base_url(&mut self) -> String {
        let line = self.logged("the API takes requests").await;
        format!("http://{}", line["address"].as_str().expect("an address"))
    }

    /// Waits for a log line with this `msg`.
    pub async fn logged(&mut self, msg: &str) -> Value {
        wait_until(&format!("the log says {msg:?}"), async || {
            let found = self.log().into_iter().find(|line| line["msg"] == msg);
            if found.is_none()
                && let Ok(Some(status)) = self.child.try_wait()
            {
                panic!("memalerts ended with {status}; its log:\n{}", self.raw_log().join("\n"));
            }
            found
        })
        .await
    }

    /// All log lines so far; every one must be JSON.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| panic!("not a line of JSON: {line}"));
        self.raw_log().iter().map(parse).collect()
    }

    /// Standard error as it came.
    #[must_use]
    pub fn raw_log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Sends a signal; the process may be gone already.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid()), signal);
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Asks it to drain, and waits for the end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended().await
    }

    /// Waits for a good end, and gives the whole standard output.
    pub async fn output(self) -> String {
        let (status, output, log) = self.outcome().await;
        assert!(status.success(), "{status}: {log}");
        output
    }

    /// Waits for the end, and gives the whole standard output and error.
    pub async fn outcome(mut self) -> (ExitStatus, String, String) {
        let status = self.ended().await;
        self.read_to_the_end();
        (
            status,
            self.stdout().join(
                "
",
            ),
            self.raw_log().join(
                "
",
            ),
        )
    }

    /// Waits for a bad end, and gives the lines of the whole standard error.
    pub async fn failure(self) -> Vec<String> {
        let (status, _, log) = self.outcome().await;
        assert!(!status.success(), "it did not fail: {log}");
        log.lines().map(str::to_owned).collect()
    }

    /// The last lines may still be on their way through the pipes' threads when the process has ended.
    fn read_to_the_end(&mut self) {
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
    }

    /// Waits for the end.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = wait_until("memalerts ends", async || self.child.try_wait().expect("wait")).await;
        // Its last words may still be on their way; a child that outlives it would keep the pipe open, so not for ever.
        let read = async || self.readers.iter().all(thread::JoinHandle::is_finished).then_some(());
        drop(tokio::time::timeout(LAST_WORDS, wait_until("its last words", read)).await);
        status
    }
}

impl Drop for MemalertsProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.data_dir));
        if thread::panicking() {
            eprintln!("--- log of memalerts (process {}):\n{}", self.pid(), self.raw_log().join("\n"));
        }
    }
}

type Lines = Arc<Mutex<Vec<String>>>;

fn collect(source: impl std::io::Read + Send + 'static) -> (Lines, thread::JoinHandle<()>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let reader = thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            sink.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    (lines, reader)
}
