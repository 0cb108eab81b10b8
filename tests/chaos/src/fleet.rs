//! The system's processes as ops run them: each a process of its own that is started again when it ends.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// A process that takes longer than this to come or go is a finding.
const PATIENCE: Duration = Duration::from_secs(30);

/// Name and arguments of each process.
pub(crate) const ROLES: [(&str, &[&str]); 8] = [
    ("api", &["api"]),
    ("dispatch-1", &["work", "dispatch"]),
    ("dispatch-2", &["work", "dispatch"]),
    ("media", &["work", "media"]),
    ("chat", &["work", "chat", "--platform", "twitch"]),
    ("outbox", &["work", "outbox"]),
    ("credits", &["work", "credits"]),
    ("imports", &["work", "imports"]),
];
/// Processes that only some faults start, beside the others of their kind.
const GUESTS: [(&str, &[&str]); 2] = [("api-2", &["api"]), ("chat-2", &["work", "chat", "--platform", "twitch"])];
/// The processes that run jobs of the main path.
pub(crate) const DISPATCHERS: [&str; 2] = ["dispatch-1", "dispatch-2"];

#[derive(Debug)]
pub(crate) struct Fleet {
    binary: PathBuf,
    environment: BTreeMap<String, String>,
    logs: PathBuf,
    pub(crate) api: SocketAddr,
    /// Of the second instance, where a fault has one.
    second_api: SocketAddr,
    /// Process `api` runs the pools, too, as `memalerts all` does: only there a job is handed over in its own process.
    pub(crate) together: bool,
    running: BTreeMap<&'static str, Child>,
    /// How each was started last, and is started again.
    extras: BTreeMap<&'static str, Extra>,
}

/// What one process has beside its line of the Procfile.
#[derive(Debug, Default, Clone)]
pub(crate) struct Extra {
    /// As `FAILPOINTS` names them.
    pub(crate) failpoints: String,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// KiB of address space.
    pub(crate) room_kib: Option<u64>,
    /// Open files.
    pub(crate) files: Option<u64>,
}

impl Fleet {
    pub(crate) fn new(binary: PathBuf, environment: BTreeMap<String, String>, logs: PathBuf) -> anyhow::Result<Self> {
        let port = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (api, second_api) = (port()?, port()?);
        let (api, second_api) = (api.local_addr()?, second_api.local_addr()?);
        Ok(Self {
            binary,
            environment,
            logs,
            api,
            second_api,
            together: false,
            running: BTreeMap::new(),
            extras: BTreeMap::new(),
        })
    }

    /// One more variable for all that start from now on.
    pub(crate) fn add(&mut self, name: &str, value: String) {
        self.environment.insert(name.to_owned(), value);
    }

    pub(crate) async fn start_all(&mut self) -> anyhow::Result<()> {
        for (role, _) in ROLES {
            self.start(role, "")?;
        }
        self.api_is_up().await
    }

    /// Starts the process, with these failpoints armed.
    pub(crate) fn start(&mut self, role: &'static str, failpoints: &str) -> anyhow::Result<()> {
        self.start_with(role, &Extra { failpoints: failpoints.to_owned(), ..Extra::default() })
    }

    pub(crate) fn start_with(&mut self, role: &'static str, extra: &Extra) -> anyhow::Result<()> {
        let limit = |flag, most: Option<u64>| most.map_or(String::new(), |most| format!("ulimit -{flag} {most}; "));
        let limits = limit("v", extra.room_kib) + &limit("n", extra.files);
        let mut command = if limits.is_empty() { bare(&self.binary) } else { bare(Path::new("sh")) };
        if !limits.is_empty() {
            command.args(["-c", &format!(r#"{limits}exec "$0" "$@""#)]).arg(&self.binary);
        }
        command.env("FAILPOINTS", &extra.failpoints);
        self.spawn(role, command, &extra.environment)?;
        self.extras.insert(role, extra.clone());
        Ok(())
    }

    /// Has process `api` run the pools or not, by an orderly restart where that is a change.
    pub(crate) async fn reshape(&mut self, together: bool) -> anyhow::Result<()> {
        if self.together == together {
            return Ok(());
        }
        self.together = together;
        self.signal("api", Signal::SIGTERM)?;
        if self.ends("api", PATIENCE).await?.is_none() {
            bail!("api did not drain within {PATIENCE:?}");
        }
        self.start("api", "")?;
        self.api_is_up().await
    }

    fn spawn(
        &mut self,
        role: &'static str,
        mut command: Command,
        environment: &[(&'static str, String)],
    ) -> anyhow::Result<()> {
        let (_, arguments) = ROLES.iter().chain(&GUESTS).find(|(name, _)| *name == role).context("no such role")?;
        let log = OpenOptions::new().create(true).append(true).open(self.logs.join(format!("{role}.log")))?;
        let port = match role {
            "api" => self.api.port(),
            "api-2" => self.second_api.port(),
            _ => 0,
        };
        let arguments = if role == "api" && self.together { &["all"][..] } else { *arguments };
        let child = command
            .args(arguments)
            .env("PORT", port.to_string())
            .env("METRICS_PORT", "0")
            .envs(&self.environment)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {role}"))?;
        self.running.insert(role, child);
        Ok(())
    }

    /// Starts again what has ended, as a runner would: with what it had; says which.
    pub(crate) fn tend(&mut self) -> anyhow::Result<Vec<&'static str>> {
        let mut ended = Vec::new();
        for (role, child) in &mut self.running {
            if child.try_wait()?.is_some() {
                ended.push(*role);
            }
        }
        for role in &ended {
            let extra = self.extras.get(role).cloned().unwrap_or_default();
            self.start_with(role, &extra)?;
        }
        Ok(ended)
    }

    pub(crate) fn signal(&self, role: &str, signal: Signal) -> anyhow::Result<()> {
        let pid = self.running.get(role).and_then(Child::id).context("the process has ended")?;
        kill(Pid::from_raw(i32::try_from(pid)?), signal)?;
        Ok(())
    }

    /// Waits for the process to end by itself; none when it did not in that time.
    pub(crate) async fn ends(&mut self, role: &str, within: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let child = self.running.get_mut(role).context("no such process")?;
        match timeout(within, child.wait()).await {
            Ok(status) => Ok(Some(status?)),
            Err(_) => Ok(None),
        }
    }

    /// Resident memory of the process; none when it has ended.
    pub(crate) fn resident_kib(&self, role: &str) -> Option<u64> {
        let pid = self.running.get(role)?.id()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Files and sockets that the process has open; none when it has ended.
    pub(crate) fn descriptors(&self, role: &str) -> Option<usize> {
        let pid = self.running.get(role)?.id()?;
        Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
    }

    /// Children of the process that have ended and that it has not buried.
    pub(crate) fn zombies(&self, role: &str) -> anyhow::Result<usize> {
        let pid = self.running.get(role).and_then(Child::id).context("the process has ended")?;
        let mut zombies = 0;
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace() {
                let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
                zombies += usize::from(stat.contains(") Z "));
            }
        }
        Ok(zombies)
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) async fn kill(&mut self, role: &str) -> anyhow::Result<()> {
        let child = self.running.get_mut(role).context("no such process")?;
        child.kill().await?;
        Ok(())
    }

    /// Another instance of the API on the same database.
    pub(crate) async fn start_second_api(&mut self) -> anyhow::Result<SocketAddr> {
        self.start("api-2", "")?;
        is_up(self.second_api).await?;
        Ok(self.second_api)
    }

    pub(crate) async fn second_api_is_up(&self) -> anyhow::Result<()> {
        is_up(self.second_api).await
    }

    /// Ends a process that is not one of the usual ones, for good.
    pub(crate) async fn dismiss(&mut self, role: &str) -> anyhow::Result<()> {
        self.kill(role).await?;
        self.running.remove(role);
        Ok(())
    }

    pub(crate) async fn api_is_up(&self) -> anyhow::Result<()> {
        is_up(self.api).await
    }

    /// Asks all to drain, and waits.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let roles: Vec<&'static str> = self.running.keys().copied().collect();
        for role in &roles {
            // It may have ended already.
            drop(self.signal(role, Signal::SIGTERM));
        }
        for role in roles {
            if self.ends(role, PATIENCE).await?.is_none() {
                bail!("{role} did not drain within {PATIENCE:?}");
            }
        }
        self.running.clear();
        Ok(())
    }
}

async fn is_up(api: SocketAddr) -> anyhow::Result<()> {
    let url = format!("http://{api}/health");
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let answer = reqwest::Client::new().get(&url).timeout(Duration::from_secs(2)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    bail!("the API was not up within {PATIENCE:?}")
}

/// A command that inherits nothing but where programs are.
fn bare(program: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "where ffmpeg is found; not a setting")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path);
    command
}
