//! `test-cluster [--migrated] COMMAND...`: runs the command with a PostgreSQL cluster of its own, which is gone
//! afterwards.
//!
//! nextest runs each test in a process of its own, so somebody else must own the cluster: this. It lies in memory when
//! there is room, and does not wait for the disk in any case: it lives as long as one run. The command finds it in
//! `MEMALERTS_TEST_DATABASE_URL`; when that is set already (a server of yours), it is used and nothing is started.
//!
//! With `--migrated` the command also gets `DATABASE_URL` of a database with all migrations applied, against which
//! queries can be checked (`make sqlx`). This crate has no query itself, so it compiles when `.sqlx` is out of date.

#![expect(clippy::disallowed_methods, reason = "a program of its own: its environment is its interface")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};
use embedded::{Embedded, Options, launcher};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A run needs about 10 MB a database that exists at the same time, plus the write-ahead log.
const ROOM: u64 = 1 << 30;
/// Of the cluster's folder, before the process id of its owner.
const PREFIX: &str = "memalerts-test-";
/// Of the database that `--migrated` makes.
const MIGRATED: &str = "migrated";

fn main() -> anyhow::Result<ExitCode> {
    launcher::intercept();
    let mut arguments = env::args_os().skip(1).peekable();
    let migrated = arguments.next_if(|argument| argument == "--migrated").is_some();
    let Some(program) = arguments.next() else { bail!("usage: test-cluster [--migrated] COMMAND [ARGUMENT]...") };
    let cluster = if env::var_os("MEMALERTS_TEST_DATABASE_URL").is_some() { None } else { Some(Cluster::start()?) };
    let url = match &cluster {
        Some(cluster) => cluster.url(),
        None => env::var("MEMALERTS_TEST_DATABASE_URL").context("MEMALERTS_TEST_DATABASE_URL")?,
    };
    let mut command = Command::new(&program);
    command.args(arguments).env("MEMALERTS_TEST_DATABASE_URL", &url);
    if migrated {
        command.env("DATABASE_URL", tokio::runtime::Runtime::new()?.block_on(migrate(&url))?);
    }
    let status = command.status().with_context(|| format!("run {}", program.display()))?;
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}

/// Makes the migrated database anew; its URL.
async fn migrate(server: &str) -> anyhow::Result<String> {
    let (base, _) = server.rsplit_once('/').context("MEMALERTS_TEST_DATABASE_URL must name a database")?;
    let url = format!("{base}/{MIGRATED}");
    let mut admin = PgConnection::connect(server).await?;
    for statement in ["drop database if exists", "create database"] {
        sqlx::raw_sql(AssertSqlSafe(format!("{statement} {MIGRATED}"))).execute(&mut admin).await?;
    }
    // sqlx reads from the plan which columns an outer join can leave empty. A hash or merge join may be planned with
    // its sides swapped, whenever the statistics say so; a nested loop cannot, so the same query always reads the same.
    for join in ["hashjoin", "mergejoin"] {
        let statement = format!("alter database {MIGRATED} set enable_{join} = off");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await?;
    }
    let mut database = PgConnection::connect(&url).await?;
    sqlx::migrate!("../../migrations").run(&mut database).await.context("apply the migrations")?;
    Ok(url)
}

struct Cluster {
    server: Embedded,
    dir: PathBuf,
}

impl Cluster {
    fn start() -> anyhow::Result<Self> {
        let place = place();
        sweep(&place);
        let dir = place.join(format!("{PREFIX}{}", std::process::id()));
        let settings = [
            // Tests that run side by side, each with a few pools.
            ("max_connections", "500"),
            ("shared_buffers", "64MB"),
            ("max_wal_size", "256MB"),
            ("min_wal_size", "32MB"),
            ("autovacuum_naptime", "60s"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let server = Embedded::start(&dir, &Options { throwaway: true, settings })?;
        Ok(Self { server, dir })
    }

    fn url(&self) -> String {
        let socket = self.server.socket_dir().display().to_string().replace('/', "%2F");
        format!("postgres://memalerts@{socket}/postgres")
    }

    fn stop(self) -> anyhow::Result<()> {
        self.server.stop()?;
        std::fs::remove_dir_all(&self.dir).with_context(|| format!("remove {}", self.dir.display()))
    }
}

/// Removes what runs that were killed left behind: it may be memory.
fn sweep(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX))
            && !Path::new("/proc").join(pid).exists()
        {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// Memory if it has room, else the disk.
fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let free = nix::sys::statvfs::statvfs(memory).map_or(0, |fs| fs.blocks_available() * fs.fragment_size());
    if free >= ROOM { memory.to_owned() } else { env::temp_dir() }
}
