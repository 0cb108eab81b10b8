//! The server process: started, watched, started again when it dies, stopped.
//!
//! One thread owns it from birth to death. The kernel ties "signal the child when its parent dies" to the spawning
//! thread, so this thread lives as long as the server shall.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};

use super::{Binaries, Layout, Options, account::Account, launcher, pidfile};

/// Recovery after a crash of the machine may take long; a server that is not ready after this is not coming.
const START_DEADLINE: Duration = Duration::from_secs(180);
const STOP_DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Server {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    /// Present only while the process is not reaped, so that a signal never hits a stranger with the same pid.
    pid: Mutex<Option<Pid>>,
}

/// All that is needed to start the server, again and again.
struct Recipe {
    layout: Layout,
    program: PathBuf,
    account: Account,
    settings: Vec<(String, String)>,
}

impl Server {
    pub(super) fn start(
        layout: &Layout,
        binaries: &Binaries,
        account: &Account,
        options: &Options,
    ) -> anyhow::Result<Self> {
        let recipe = Recipe {
            layout: layout.clone(),
            program: binaries.postgres(),
            account: *account,
            settings: settings(layout, options),
        };
        let shared = Arc::new(Shared::default());
        let (report, started) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("postgres".to_owned())
            .spawn({
                let shared = shared.clone();
                move || supervise(&recipe, &shared, &report)
            })
            .context("start the thread of PostgreSQL")?;
        started.recv().context("the thread of PostgreSQL ended")??;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.shared.stop();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let deadline = Instant::now() + STOP_DEADLINE;
        while !thread.is_finished() {
            if Instant::now() > deadline {
                bail!("PostgreSQL did not stop within {STOP_DEADLINE:?}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Shared {
    /// Fast shutdown: sessions are ended, everything committed is kept.
    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(pid) = *self.pid.lock().unwrap_or_else(PoisonError::into_inner) {
            // It may have ended in this moment.
            let _ = kill(pid, Signal::SIGINT);
        }
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn set(&self, pid: Option<Pid>) {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner) = pid;
    }
}

fn settings(layout: &Layout, options: &Options) -> Vec<(String, String)> {
    let durable = if options.throwaway { "off" } else { "on" };
    let socket_dir = layout.socket_dir.display().to_string();
    let mut settings: Vec<(String, String)> = [
        ("listen_addresses", ""),
        ("port", "5432"),
        ("unix_socket_directories", socket_dir.as_str()),
        ("unix_socket_permissions", "0700"),
        ("fsync", durable),
        ("synchronous_commit", durable),
        ("full_page_writes", durable),
        ("max_connections", "200"),
        // Our queries are short: compiling them costs more than it saves.
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_checkpoints", "off"),
        ("log_line_prefix", "%m [%p] "),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    settings.extend(options.settings.iter().cloned());
    settings
}

/// The thread: keeps the server running until told to stop. Reports the first start; later ones are logged.
fn supervise(recipe: &Recipe, shared: &Shared, report: &mpsc::Sender<anyhow::Result<()>>) {
    let mut first = true;
    let mut backoff = Duration::from_millis(100);
    while !shared.stopping() {
        match recipe.start(shared) {
            Ok(mut child) => {
                if first {
                    first = false;
                    drop(report.send(Ok(())));
                } else {
                    tracing::warn!(pid = child.id(), "PostgreSQL runs again");
                }
                backoff = Duration::from_millis(100);
                reap(&mut child, shared);
                if !shared.stopping() {
                    tracing::error!(log = %recipe.layout.log.display(), "PostgreSQL ended by itself; starting it again");
                }
            }
            Err(error) if first => {
                drop(report.send(Err(error)));
                return;
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "PostgreSQL does not start; trying again");
                thread::sleep(backoff);
                backoff = (backoff * 2).min(Duration::from_secs(10));
            }
        }
    }
}

/// Waits for the end of the process; signals are impossible from the moment its pid may be given to another.
fn reap(child: &mut Child, shared: &Shared) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(Pid::from_raw(pid)), flags) == Err(nix::errno::Errno::EINTR) {}
    }
    shared.set(None);
    drop(child.wait());
}

impl Recipe {
    /// Starts the process and waits until it takes connections.
    fn start(&self, shared: &Shared) -> anyhow::Result<Child> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            pidfile::settle(&self.layout)?;
            let log = File::create(&self.layout.log).with_context(|| format!("open {}", self.layout.log.display()))?;
            let mut child = self.command(log)?.spawn().context("start PostgreSQL")?;
            let pid = Pid::from_raw(i32::try_from(child.id()).context("pid of PostgreSQL")?);
            shared.set(Some(pid));
            if self.becomes_ready(&mut child, shared, deadline)? {
                return Ok(child);
            }
            shared.set(None);
            let log = fs::read_to_string(&self.layout.log).unwrap_or_default();
            // Sessions of a server that was killed live on for a moment and hold its shared memory.
            let lingering = log.contains("is still in use") || log.contains("pre-existing shared memory");
            if !lingering || Instant::now() > deadline || shared.stopping() {
                bail!("PostgreSQL did not start; its log ({}) ends with:\n{}", self.layout.log.display(), tail(&log));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn command(&self, log: File) -> anyhow::Result<Command> {
        let mut command = launcher::command(self.account, &self.program, true);
        command.arg("-D").arg(&self.layout.pg);
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.current_dir(&self.layout.pg).stdout(log.try_clone().context("share the log")?).stderr(log);
        Ok(command)
    }

    /// True when it takes connections, false when it ended instead.
    fn becomes_ready(&self, child: &mut Child, shared: &Shared, deadline: Instant) -> anyhow::Result<bool> {
        loop {
            if child.try_wait().context("wait for PostgreSQL")?.is_some() {
                return Ok(false);
            }
            // Line 1 must be our child: a file from before says `ready`, too.
            if let Ok(Some(file)) = pidfile::read(&self.layout.pg)
                && file.ready
                && u32::try_from(file.pid) == Ok(child.id())
            {
                return Ok(true);
            }
            if Instant::now() > deadline {
                shared.stop();
                drop(child.wait());
                bail!("PostgreSQL was not ready within {START_DEADLINE:?}; its log is {}", self.layout.log.display());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
