//! A process group that can be killed at any time, and never after its number might belong to somebody else.

use std::{
    io,
    process::{Child, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};

/// Where the child stands.
#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    NotStarted,
    /// Leader of its own group; not reaped, so the number is surely its own.
    Alive(Pid),
    /// Killed before it started, or reaped.
    Over,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    state: Mutex<State>,
}

impl Group {
    /// Waits for the child to end, then kills what is left of its group, then reaps it.
    pub(super) fn live(&self, mut child: Child) -> io::Result<ExitStatus> {
        let pid = Pid::from_raw(child.id().cast_signed());
        {
            let mut state = self.state();
            if matches!(*state, State::Over) {
                kill_group(pid);
            }
            *state = State::Alive(pid);
        }
        // Not reaped yet: the dead leader keeps the group's number ours.
        let waited = loop {
            match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
                Err(Errno::EINTR) => {}
                waited => break waited,
            }
        };
        let mut state = self.state();
        kill_group(pid);
        let status = child.wait();
        *state = State::Over;
        waited?;
        status
    }

    /// Kills the whole group; one that has not started yet will not live.
    pub(super) fn kill(&self) {
        let mut state = self.state();
        match *state {
            State::Alive(pid) => kill_group(pid),
            State::NotStarted | State::Over => *state = State::Over,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kill_group(leader: Pid) {
    // An empty group is what we want.
    let _ = killpg(leader, Signal::SIGKILL);
}

/// Kills when the wait for it is given up.
pub(super) struct KillOnDrop(pub(super) Arc<Group>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}
