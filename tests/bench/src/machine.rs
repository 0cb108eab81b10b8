//! Where the figures were taken, and what the bench needs of the machine.

use std::{collections::BTreeMap, fmt, fs, path::Path, process::Command};

use anyhow::{Context as _, bail};
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    statfs::{TMPFS_MAGIC, statfs},
};
use serde::Serialize;

use crate::cluster::Cluster;

/// Facts without which a figure says nothing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    /// MiB.
    memory: u64,
    kernel: String,
    commit: String,
    /// The build of memalerts: release or dev.
    profile: &'static str,
    node: String,
    postgres: String,
    postgres_settings: BTreeMap<String, String>,
}

impl Machine {
    pub(crate) async fn look(root: &Path, cluster: &Cluster) -> anyhow::Result<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let models: Vec<&str> = cpus
            .lines()
            .filter(|line| line.starts_with("model name"))
            .filter_map(|line| Some(line.split_once(':')?.1.trim()))
            .collect();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        let dirty = said(Command::new("git").current_dir(root).args(["status", "--porcelain"]));
        let commit = said(Command::new("git").current_dir(root).args(["rev-parse", "--short=12", "HEAD"]));
        Ok(Self {
            cpu: models.first().map_or_else(|| std::env::consts::ARCH.to_owned(), ToString::to_string),
            cores: std::thread::available_parallelism()?.get(),
            memory: total.unwrap_or(0) / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            commit: if dirty.is_empty() { commit } else { format!("{commit} with changes") },
            profile: if cfg!(debug_assertions) { "dev" } else { "release" },
            node: said(Command::new("node").arg("--version")),
            postgres: cluster.setting("server_version").await?,
            postgres_settings: cluster
                .settings(&[
                    "fsync",
                    "synchronous_commit",
                    "full_page_writes",
                    "wal_sync_method",
                    "shared_buffers",
                    "max_connections",
                    "jit",
                ])
                .await?,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cores of {}, {} MiB, Linux {}", self.cores, self.cpu, self.memory, self.kernel)?;
        writeln!(f, "memalerts {} ({} build), Node.js {}", self.commit, self.profile, self.node)?;
        write!(f, "PostgreSQL {}:", self.postgres)?;
        for (name, value) in &self.postgres_settings {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// What a command prints; empty when it cannot be run.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

/// Five thousand subscribers are five thousand sockets here and as many in the server, which inherits the limit.
pub(crate) fn raise_file_limit() -> anyhow::Result<()> {
    const NEEDED: u64 = 8192;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= NEEDED {
        return Ok(());
    }
    if hard < NEEDED {
        bail!("this process may open {hard} files only, {NEEDED} are needed: raise the limit (`ulimit -Hn`)");
    }
    setrlimit(Resource::RLIMIT_NOFILE, NEEDED, hard).context("raise the limit of open files")
}

/// Commits that do not wait for a disk would make every figure a lie.
pub(crate) fn refuse_memory(disk: &Path) -> anyhow::Result<()> {
    let system = statfs(disk).with_context(|| format!("look at {}", disk.display()))?;
    if system.filesystem_type() == TMPFS_MAGIC {
        bail!("{} lies in memory: name a folder on a disk with --disk", disk.display());
    }
    Ok(())
}
