//! The step between us and a PostgreSQL program: drop root, arrange for a clean stop when we die, become the program.
//!
//! "Tell me when my parent dies" can only be asked by the child itself, and changing the user would undo it. Doing both
//! between fork and exec needs unsafe code; so the child is this very executable, which calls [`intercept`] first in
//! `main`, does what a child must do, and then turns into the program.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    sys::{prctl, signal::Signal},
    unistd::{Gid, Pid, Uid, getpid, getppid, setgid, setgroups, setuid},
};

use super::account::Account;

/// First argument by which the executable recognises its task.
const MARK: &str = "--become-postgres";

/// A command that runs `program` as `account` in a process group of its own. With `dies_with_us`, the kernel sends it
/// SIGINT when the **thread** that spawned it ends: spawn it from a thread that lives.
pub(super) fn command(account: Account, program: &Path, dies_with_us: bool) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(MARK)
        .arg(match account {
            Account::Ours => "-".to_owned(),
            Account::Other { uid, gid } => format!("{uid}:{gid}"),
        })
        .arg(if dies_with_us { getpid().to_string() } else { "-".to_owned() })
        .arg(program)
        // A Ctrl-C in the terminal is for us; we stop the server when all who need it are gone.
        .process_group(0)
        .stdin(Stdio::null())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    command
}

/// Becomes a PostgreSQL program if this process was started for that; otherwise returns at once. To be called first in
/// `main`, before any thread exists.
pub fn intercept() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MARK) {
        return;
    }
    let error = become_program(arguments);
    write_error(&error);
    std::process::exit(126);
}

#[expect(clippy::print_stderr, reason = "this process is about to be PostgreSQL: its stderr is the server's log file")]
fn write_error(error: &str) {
    eprintln!("FATAL:  {error}");
}

/// Returns only with a reason for failure.
fn become_program(mut arguments: impl Iterator<Item = OsString>) -> String {
    let mut next = || arguments.next().and_then(|argument| argument.into_string().ok()).unwrap_or_default();
    let (user, parent, program) = (next(), next(), next());
    if let Some((uid, gid)) = user.split_once(':') {
        let (Ok(uid), Ok(gid)) = (uid.parse().map(Uid::from_raw), gid.parse().map(Gid::from_raw)) else {
            return format!("not a user: {user}");
        };
        if let Err(error) = setgroups(&[]).and_then(|()| setgid(gid)).and_then(|()| setuid(uid)) {
            return format!("cannot become the user {user}: {error}");
        }
    }
    if let Ok(parent) = parent.parse() {
        if let Err(error) = prctl::set_pdeathsig(Signal::SIGINT) {
            return format!("cannot ask for the parent's death: {error}");
        }
        // It may have died before we asked.
        if getppid() != Pid::from_raw(parent) {
            return "the parent is gone already".to_owned();
        }
    }
    let error = Command::new(&program).args(arguments).exec();
    format!("cannot run {program}: {error}")
}
