//! Whose work the machine's time went to.

use std::fs;

use anyhow::Context as _;
use serde::Serialize;

/// CPU seconds by who used them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cpu {
    pub(crate) server: f64,
    pub(crate) postgres: f64,
    pub(crate) load: f64,
}

/// Whom to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    server: u32,
    postgres: u32,
}

impl Meter {
    pub(crate) fn new(server: u32, postgres: u32) -> Self {
        Self { server, postgres }
    }

    /// Used so far.
    pub(crate) fn read(self) -> anyhow::Result<Cpu> {
        let mut postgres = used(self.postgres, true)?;
        for child in children(self.postgres)? {
            // A session may end while we look.
            postgres += used(child, false).unwrap_or(0.0);
        }
        Ok(Cpu { server: used(self.server, true)?, postgres, load: used(std::process::id(), false)? })
    }
}

impl Cpu {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            server: self.server - before.server,
            postgres: self.postgres - before.postgres,
            load: self.load - before.load,
        }
    }
}

/// Fields of `/proc/PID/stat` after the name, which may hold anything: the first is the state (field 3 of proc(5)).
fn stat(pid: u32) -> anyhow::Result<Vec<u64>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("look at process {pid}"))?;
    let (_, fields) = text.rsplit_once(')').context("a line of /proc/PID/stat")?;
    Ok(fields.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}

/// CPU seconds of the process, with those of its children that have ended if wanted.
fn used(pid: u32, ended_children: bool) -> anyhow::Result<f64> {
    // Clock ticks a second, as the kernel tells user space on every architecture.
    const TICKS: f64 = 100.0;
    const USER: usize = 14 - 3;
    let fields = stat(pid)?;
    let count = if ended_children { 4 } else { 2 };
    let ticks: u64 = fields.iter().skip(USER).take(count).sum();
    #[expect(clippy::cast_precision_loss, reason = "ticks of a process fit")]
    Ok(ticks as f64 / TICKS)
}

fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    const PARENT: usize = 4 - 3;
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if stat(pid).is_ok_and(|fields| fields.get(PARENT) == Some(&u64::from(parent))) {
            children.push(pid);
        }
    }
    Ok(children)
}
