//! `postmaster.pid`: who serves a cluster, and whether that is still true.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use nix::{sys::signal::kill, unistd::Pid};

use super::Layout;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: i32,
    /// The server takes connections.
    pub(super) ready: bool,
}

/// The file of the cluster; `None` when there is none (or it is just being written).
pub(super) fn read(pg: &Path) -> io::Result<Option<PidFile>> {
    match fs::read_to_string(pg.join("postmaster.pid")) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    Some(PidFile { pid, ready: lines.nth(6).is_some_and(|status| status.trim() == "ready") })
}

/// Whether the process is alive and a server of this cluster. A pid alone proves nothing: after a restart of a container
/// the same small number belongs to someone else.
pub(super) fn is_ours(pid: i32, pg: &Path) -> bool {
    if kill(Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH) {
        return false;
    }
    match fs::read_link(format!("/proc/{pid}/cwd")) {
        // A server's working directory is its data directory.
        Ok(cwd) => fs::canonicalize(pg).is_ok_and(|pg| pg == cwd),
        // Not permitted to look (or no /proc): believe the file.
        Err(_) => true,
    }
}

/// Makes the way free for a new server: waits for the one of a killed parent, which is shutting down, and removes what a
/// killed server left behind. The caller holds the lock of the data directory.
pub(super) fn settle(layout: &Layout) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Some(file) = read(&layout.pg).context("read postmaster.pid")? {
        if !is_ours(file.pid, &layout.pg) {
            tracing::info!(pid = file.pid, "removing the postmaster.pid of a server that was killed");
            fs::remove_file(layout.pg.join("postmaster.pid")).context("remove the stale postmaster.pid")?;
            break;
        }
        if Instant::now() > deadline {
            bail!(
                "a PostgreSQL server (process {}) that we did not start uses {}: stop it first",
                file.pid,
                layout.pg.display()
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Its socket's lock file would be believed by pid alone, too.
    for leftover in fs::read_dir(&layout.socket_dir).into_iter().flatten().flatten() {
        drop(fs::remove_file(leftover.path()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_line_eight_says_so() {
        let starting = "4711\n/data/pg\n1700000000\n5432\n/data/run\n\n 123 456\nstarting\n";
        let ready = "4711\n/data/pg\n1700000000\n5432\n/data/run\n\n 123 456\nready   \n";
        assert_eq!(parse(starting), Some(PidFile { pid: 4711, ready: false }));
        assert_eq!(parse(ready), Some(PidFile { pid: 4711, ready: true }));
        assert_eq!(parse(""), None);
    }
}
