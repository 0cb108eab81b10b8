//! A server under test as a process of its own, with its log in a file.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::http::Connection;

/// A server that takes longer than this to answer is not coming.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
    /// From the start of the process to its first good `GET /health`.
    pub(crate) came_up_in: Duration,
}

impl Server {
    /// Starts the command with `PORT` and `environment` only, and waits until it is healthy.
    pub(crate) async fn start(mut command: Command, environment: &[(&str, &str)], log: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let output = File::create(log).with_context(|| format!("create {}", log.display()))?;
        #[expect(clippy::disallowed_methods, reason = "where node is found; not a setting")]
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("PORT", address.port().to_string())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("start {command:?}"))?;
        let mut server = Self { child, address, log: log.to_owned(), came_up_in: Duration::ZERO };
        match timeout(PATIENCE, server.becomes_healthy()).await {
            Ok(result) => result?,
            Err(_) => bail!("not healthy within {PATIENCE:?}, see {}", log.display()),
        }
        server.came_up_in = begun.elapsed();
        Ok(server)
    }

    async fn becomes_healthy(&mut self) -> anyhow::Result<()> {
        loop {
            if let Ok(mut connection) = Connection::open(self.address).await
                && let Ok((200, _)) = connection.exchange(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await
            {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}, see {}", self.log.display());
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until the log holds the text.
    pub(crate) async fn says(&self, text: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !std::fs::read_to_string(&self.log)?.contains(text) {
            ensure!(begun.elapsed() < PATIENCE, "the server does not say {text:?}, see {}", self.log.display());
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// Resident memory of the process now, MiB.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid()?)?), Signal::SIGTERM)?;
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => drop(status?),
            Err(_) => bail!("the server did not stop within {PATIENCE:?}, see {}", self.log.display()),
        }
        Ok(())
    }
}

/// A port that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
