//! A private PostgreSQL, run as a child of this process when no `DATABASE_URL` is given.
//!
//! - The cluster lives in `<data directory>/pg`, listens on a Unix socket in a folder that only its user may enter, and
//!   runs with fsync on: what was committed survives a power cut.
//! - It never runs as root. Started by root, it becomes the user `postgres` (else `nobody`), see [`account`].
//! - `kill -9` of this process stops it cleanly all the same: the kernel sends it SIGINT (fast shutdown), see [`launcher`].
//! - One process a data directory: a lock file says who, see [`lock`].
//! - When the server dies, [`server`] starts it again; the pools of the process reconnect.
//!
//! Decided by hand, because the crates that embed PostgreSQL turn fsync off, fail as root or download at first start.

#![expect(clippy::disallowed_methods, reason = "threads of its own that may block; programs are found on the PATH")]

mod account;
mod binaries;
mod initialize;
pub mod launcher;
mod lock;
mod pidfile;
mod server;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

pub use binaries::{Binaries, NotFound};
use server::Server;

/// Name of the superuser and of the house's database in the private cluster.
const NAME: &str = "memalerts";

/// What differs between a cluster that must survive and one that tests throw away.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// No fsync, for clusters that live as long as one test run.
    pub throwaway: bool,
    /// Further server settings, e.g. `("max_connections", "300")`.
    pub settings: Vec<(String, String)>,
}

/// A running private cluster. Call [`Embedded::stop`] at the end; a drop tells the server to stop without waiting.
#[derive(Debug)]
pub struct Embedded {
    server: Server,
    layout: Layout,
    /// Held as long as the cluster is ours.
    _lock: lock::Lock,
}

impl Embedded {
    /// Starts the cluster of the data directory, making it first if there is none. Blocks for about 0.2 s when there is
    /// one and 1.5 s when there is none; longer after a crash of the machine, while PostgreSQL recovers.
    ///
    /// # Errors
    /// With a text for people: no binaries, another process owns the directory, another major version made the data, ...
    pub fn start(data_dir: &Path, options: &Options) -> anyhow::Result<Self> {
        let account = account::Account::choose()?;
        account.prepare(data_dir)?;
        let lock = lock::Lock::take(data_dir)?;
        let layout = Layout::new(data_dir);
        let binaries = Binaries::find(initialize::version_of(&layout.pg)?.as_deref())?;
        account.own(&layout.socket_dir)?;
        initialize::ensure(&layout, &binaries, &account)?;
        pidfile::settle(&layout)?;
        let server = Server::start(&layout, &binaries, &account, options)?;
        Ok(Self { server, layout, _lock: lock })
    }

    /// How to reach the database `memalerts` of this cluster (the caller makes it).
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.layout.connect_options()
    }

    /// The folder of the server's Unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.layout.socket_dir
    }

    /// Stops the server (fast shutdown) and waits until it is gone.
    ///
    /// # Errors
    /// It did not stop within a minute.
    pub fn stop(self) -> anyhow::Result<()> {
        self.server.stop()
    }
}

/// How to reach the cluster that another process (`memalerts all`) runs in the data directory.
///
/// # Errors
/// No server is ready there; the text says what to do.
pub fn attach(data_dir: &Path) -> anyhow::Result<PgConnectOptions> {
    let layout = Layout::new(data_dir);
    match pidfile::read(&layout.pg).context("look at the private PostgreSQL")? {
        Some(file) if file.ready && pidfile::is_ours(file.pid, &layout.pg) => Ok(layout.connect_options()),
        _ => bail!(
            "DATABASE_URL is not set and no private PostgreSQL is running in {}: set DATABASE_URL, or start `memalerts all` \
             with this data directory (MEMALERTS_DATA_DIR) first",
            data_dir.display()
        ),
    }
}

/// The places inside a data directory.
#[derive(Debug, Clone)]
struct Layout {
    data_dir: PathBuf,
    /// PGDATA.
    pg: PathBuf,
    socket_dir: PathBuf,
    log: PathBuf,
}

impl Layout {
    fn new(data_dir: &Path) -> Self {
        let mut socket_dir = data_dir.join("run");
        // The kernel takes 107 bytes of socket path; a deep checkout gets a short name that all its processes derive alike.
        if socket_dir.as_os_str().len() > 85 {
            let mut hasher = DefaultHasher::new();
            data_dir.hash(&mut hasher);
            socket_dir = std::env::temp_dir().join(format!("memalerts-{:016x}", hasher.finish()));
        }
        Self { data_dir: data_dir.to_owned(), pg: data_dir.join("pg"), socket_dir, log: data_dir.join("postgres.log") }
    }

    fn connect_options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(5432)
            .username(NAME)
            .database(NAME)
            .ssl_mode(PgSslMode::Disable)
    }
}
