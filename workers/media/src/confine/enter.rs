//! The walls themselves, put up by the child between fork and exec. The only unsafe code of the pool.
#![allow(unsafe_code, reason = "pre_exec; the proof stands at its call")]

use std::{os::unix::process::CommandExt as _, process::Command};

use nix::{
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
    },
    unistd::{Gid, Uid, setgid, setgroups, setuid},
};

use super::Limits;

/// Open files: two of ours, the libraries that are being loaded, and little else.
const DESCRIPTORS: u64 = 64;
/// Processes and threads of the confined user, all runs together: ffmpeg needs some twenty threads, a fork bomb more.
const PROCESSES: u64 = 512;

pub(super) fn behind_walls(command: &mut Command, limits: Limits, user: Option<u32>) {
    // SAFETY: between fork and exec only async-signal-safe work is allowed, because other threads may have held any lock
    // when the process was copied. `enter` makes system calls and nothing else: nix's functions here are thin wrappers
    // over one call each, its inputs are copied into the closure, and neither it nor its errors (`io::Error` from an
    // errno) allocates, locks or panics.
    unsafe { command.pre_exec(move || Ok(enter(limits, user)?)) };
}

fn enter(limits: Limits, user: Option<u32>) -> nix::Result<()> {
    match user {
        Some(uid) => {
            // While we are still root. Refused in containers without the capability: see the module's words.
            let _ = unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC);
            setgroups(&[])?;
            setgid(Gid::from_raw(uid))?;
            setuid(Uid::from_raw(uid))?;
            limit(Resource::RLIMIT_NPROC, PROCESSES)?;
        }
        None => {
            let _ = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET);
        }
    }
    limit(Resource::RLIMIT_CORE, 0)?;
    // A second between them: the first is told apart from other kills (SIGXCPU), the second cannot be ignored.
    let cpu = limits.cpu.as_secs().max(1);
    setrlimit(Resource::RLIMIT_CPU, cpu, cpu + 1)?;
    limit(Resource::RLIMIT_AS, limits.memory)?;
    limit(Resource::RLIMIT_FSIZE, limits.output)?;
    limit(Resource::RLIMIT_NOFILE, DESCRIPTORS)?;
    prctl::set_no_new_privs()?;
    // Last: a change of user clears it. Ours dies with the thread that started it, so `kill -9` of a worker leaves none.
    prctl::set_pdeathsig(Signal::SIGKILL)
}

/// Soft and hard at once, so that it cannot be raised again.
fn limit(resource: Resource, most: u64) -> nix::Result<()> {
    setrlimit(resource, most, most)
}
