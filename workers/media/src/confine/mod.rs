//! Running ffprobe and ffmpeg on files that strangers sent.
//!
//! | wall | how | as root | as an ordinary user |
//! |---|---|---|---|
//! | identity | a uid of its own, no groups, `no_new_privs` | yes | runs as we do |
//! | network | a network namespace with nothing in it | yes | in a user namespace, where the kernel allows it |
//! | files | source and result are open descriptors (`/proc/self/fd/0`, `/1`); protocol allow-list `file` | can open nothing of ours by path | by the allow-list only |
//! | memory, CPU, output, descriptors | rlimits | yes | yes |
//! | processes | `RLIMIT_NPROC` | yes (the uid is its own) | no: the limit would count our other processes |
//! | environment | nothing but a `PATH`: no secret to read | yes | yes |
//! | time | killed as a process group at the deadline, and when we die | yes | yes |
//!
//! A wall that a container's own rules forbid (namespaces, mostly) is left out in silence: the protocol allow-list still
//! refuses every address. Changing the user is not optional: as root, a program that cannot leave root does not start.

mod enter;
mod group;

use std::{
    fs::File,
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use self::group::{Group, KillOnDrop};

/// Where a program without a path is looked for.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What one run may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// By the clock on the wall; then the whole group is killed.
    pub wall: Duration,
    /// Of all its threads.
    pub cpu: Duration,
    /// Bytes of address space.
    pub memory: u64,
    /// Bytes of any file that it writes.
    pub output: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself (or by a limit of the kernel's).
    Exited(ExitStatus),
    /// We killed it at its deadline.
    TimedOut,
    /// We killed it because the worker stops.
    Cancelled,
}

/// A command that will run behind the walls, reading `source` as descriptor 0 and writing `result` as descriptor 1.
///
/// # Errors
/// The result's file cannot be given to the confined user.
pub(crate) fn command(program: &Path, limits: Limits, uid: u32, source: File, result: File) -> io::Result<Command> {
    let user = nix::unistd::geteuid().is_root().then_some(uid);
    if let Some(uid) = user {
        // It is opened anew through /proc/self/fd, where the file's own mode counts.
        std::os::unix::fs::fchown(&result, Some(uid), Some(uid))?;
    }
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("PATH", PATH).current_dir("/").process_group(0);
    command.stdin(source).stdout(result).stderr(Stdio::null());
    enter::behind_walls(&mut command, limits, user);
    Ok(command)
}

/// Runs what `spawn` starts until it ends, its time is over, or `cancelled` fires. Dropped, it kills. In each case nothing
/// of the process group is left.
///
/// # Errors
/// It could not be started or waited for.
pub(crate) async fn run(
    limits: Limits,
    cancelled: &CancellationToken,
    spawn: impl FnOnce() -> io::Result<Child> + Send + 'static,
) -> io::Result<Ended> {
    let group = Arc::new(Group::default());
    let _kill = KillOnDrop(group.clone());
    // One thread starts and buries it: the kernel ties the child's life to the thread that started it.
    let mut owner = tokio::task::spawn_blocking({
        let group = group.clone();
        move || group.live(spawn()?)
    });
    let why = tokio::select! {
        biased;
        status = &mut owner => return Ok(Ended::Exited(status.map_err(io::Error::other)??)),
        () = cancelled.cancelled() => Ended::Cancelled,
        () = tokio::time::sleep(limits.wall) => Ended::TimedOut,
    };
    group.kill();
    owner.await.map_err(io::Error::other)??;
    Ok(why)
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt as _, time::Instant};

    use super::*;

    const UID: u32 = 64_117;

    fn limits(wall: Duration) -> Limits {
        Limits { wall, cpu: Duration::from_secs(2), memory: 1 << 30, output: 1000 }
    }

    /// Runs a shell script behind the walls; returns how it ended and what it wrote.
    async fn shell(script: &str, wall: Duration, cancelled: &CancellationToken) -> (Ended, String) {
        let result = tempfile::NamedTempFile::new().unwrap();
        let file = result.reopen().unwrap();
        let source = File::open("/dev/null").unwrap();
        let mut command = command(Path::new("/bin/sh"), limits(wall), UID, source, file).unwrap();
        command.args(["-c", script]);
        let ended = run(limits(wall), cancelled, move || command.spawn()).await.unwrap();
        (ended, std::fs::read_to_string(result.path()).unwrap())
    }

    async fn quick(script: &str) -> (Ended, String) {
        shell(script, Duration::from_secs(60), &CancellationToken::new()).await
    }

    fn is_alive(pid: &str) -> bool {
        // A zombie that its reaper has not met yet is dead too.
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// A signal is delivered soon, not at once.
    async fn dies(pid: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "still alive: {pid}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn is_nobody_we_know_and_reads_no_secret() {
        let (ended, out) = quick("id -u; env; ulimit -c; cat /proc/self/status | grep NoNewPrivs").await;
        assert!(matches!(ended, Ended::Exited(status) if status.success()), "{ended:?}");
        if nix::unistd::geteuid().is_root() {
            assert!(out.starts_with("64117\n"), "{out}");
        }
        assert!(!out.contains("HOME="), "{out}");
        assert!(out.contains("NoNewPrivs:\t1"), "{out}");
    }

    #[tokio::test]
    async fn has_no_network() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        // Interfaces that are up: none, not even loopback.
        let (_, out) = quick("readlink /proc/self/ns/net; tail -n +2 /proc/self/net/route").await;
        let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_eq!(out.lines().count(), 1, "there is a way out: {out}");
        assert_ne!(out.trim(), ours.to_str().unwrap());
    }

    #[tokio::test]
    async fn is_killed_at_its_deadline_with_all_its_children() {
        let started = Instant::now();
        let wall = Duration::from_millis(300);
        let (ended, out) = shell("sleep 60 & echo $!; sleep 60", wall, &CancellationToken::new()).await;
        assert_eq!(ended, Ended::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(5));
        dies(out.trim()).await;
    }

    #[tokio::test]
    async fn is_killed_when_the_worker_stops() {
        let stop = CancellationToken::new();
        tokio::spawn({
            let stop = stop.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                stop.cancel();
            }
        });
        assert_eq!(shell("sleep 60", Duration::from_secs(30), &stop).await.0, Ended::Cancelled);
    }

    #[tokio::test]
    async fn leaves_no_child_behind_when_it_exits_first() {
        let (ended, out) = quick("sleep 60 & echo $!").await;
        assert!(matches!(ended, Ended::Exited(_)));
        dies(out.trim()).await;
    }

    #[tokio::test]
    async fn is_stopped_by_the_kernel_when_it_eats_too_much() {
        let (cpu, _) = quick("while :; do :; done").await;
        assert!(matches!(cpu, Ended::Exited(status) if status.signal().is_some()), "{cpu:?}");
        let (_, out) = quick("head -c 100000 /dev/zero").await;
        assert!(out.len() <= 1000, "{}", out.len());
        let (_, out) = quick("ulimit -v; ulimit -n").await;
        assert_eq!(out, "1048576\n64\n");
    }

    #[tokio::test]
    async fn is_killed_when_its_future_is_dropped() {
        let pid = tempfile::NamedTempFile::new().unwrap();
        let script = "echo $$; exec sleep 60";
        let file = pid.reopen().unwrap();
        let source = File::open("/dev/null").unwrap();
        let wall = Duration::from_secs(30);
        let mut command = command(Path::new("/bin/sh"), limits(wall), UID, source, file).unwrap();
        command.args(["-c", script]);
        let stop = CancellationToken::new();
        let run = run(limits(wall), &stop, move || command.spawn());
        assert!(tokio::time::timeout(Duration::from_millis(500), run).await.is_err());
        let pid = std::fs::read_to_string(pid.path()).unwrap();
        dies(pid.trim()).await;
    }
}
