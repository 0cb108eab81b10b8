//! The PostgreSQL server of the bench: as `memalerts all` runs it, with nothing softened.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use embedded::{Embedded, Options};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::task::JoinHandle;

use crate::samples::Samples;

pub(crate) struct Cluster {
    server: Embedded,
    admin: PgPool,
    dir: PathBuf,
    /// With statistics of statements.
    statements: bool,
}

impl Cluster {
    /// Makes and starts it in `dir`.
    pub(crate) async fn start(dir: &Path, settings: &[String], statements: bool) -> anyhow::Result<Self> {
        let preload = statements.then(|| "shared_preload_libraries=pg_stat_statements".to_owned());
        let settings = settings
            .iter()
            .chain(&preload)
            .map(|setting| {
                let (name, value) = setting.split_once('=').context("a PostgreSQL setting is name=value")?;
                Ok((name.to_owned(), value.to_owned()))
            })
            .collect::<anyhow::Result<_>>()?;
        let owned = dir.to_owned();
        let server =
            tokio::task::spawn_blocking(move || Embedded::start(&owned, &Options { throwaway: false, settings }))
                .await??;
        let options = server.connect_options().database("postgres");
        let admin = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        if statements {
            admin.execute("create extension pg_stat_statements").await?;
        }
        let cluster = Self { server, admin, dir: dir.to_owned(), statements };
        for name in ["fsync", "synchronous_commit"] {
            ensure!(cluster.setting(name).await? == "on", "{name} is off: such figures mean nothing");
        }
        Ok(cluster)
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.admin.close().await;
        tokio::task::spawn_blocking(move || self.server.stop()).await?
    }

    pub(crate) fn options(&self, database: &str) -> PgConnectOptions {
        self.server.connect_options().database(database).application_name("bench")
    }

    /// As a server's `DATABASE_URL`; over the Unix socket, which both servers know.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.server.socket_dir().display().to_string().replace('/', "%2F");
        format!("postgres://memalerts@{socket}/{database}")
    }

    pub(crate) async fn pool(&self, database: &str) -> anyhow::Result<PgPool> {
        Ok(PgPoolOptions::new().max_connections(2).connect_with(self.options(database)).await?)
    }

    /// A new, empty database.
    pub(crate) async fn create(&self, database: &str) -> anyhow::Result<()> {
        self.run(&format!("create database {database}")).await
    }

    /// A copy of another database, made anew. A checkpoint follows, so that every round begins with the same log.
    pub(crate) async fn copy(&self, template: &str, database: &str) -> anyhow::Result<()> {
        self.run(&format!("drop database if exists {database} with (force)")).await?;
        self.run(&format!("create database {database} template {template} strategy file_copy")).await?;
        self.run("checkpoint").await
    }

    pub(crate) async fn drop(&self, database: &str) -> anyhow::Result<()> {
        self.run(&format!("drop database if exists {database} with (force)")).await
    }

    async fn run(&self, sql: &str) -> anyhow::Result<()> {
        // Names are the bench's own constants.
        self.admin.execute(AssertSqlSafe(sql.to_owned())).await.with_context(|| sql.to_owned())?;
        Ok(())
    }

    pub(crate) async fn setting(&self, name: &str) -> anyhow::Result<String> {
        let row = self.admin.fetch_one(AssertSqlSafe(format!("show {name}"))).await?;
        Ok(row.try_get(0)?)
    }

    pub(crate) async fn settings(&self, names: &[&str]) -> anyhow::Result<BTreeMap<String, String>> {
        let mut settings = BTreeMap::new();
        for name in names {
            settings.insert((*name).to_owned(), self.setting(name).await?);
        }
        Ok(settings)
    }

    /// Forgets which statements took how long.
    pub(crate) async fn forget_statements(&self) -> anyhow::Result<()> {
        if self.statements {
            self.admin.execute("select pg_stat_statements_reset()").await?;
        }
        Ok(())
    }

    /// Which statements took how long since [`Cluster::forget_statements`], the longest first, for people.
    pub(crate) async fn told_statements(&self) -> anyhow::Result<String> {
        if !self.statements {
            return Ok(String::new());
        }
        let rows = self
            .admin
            .fetch_all(
                "select format('%8s ms %8s calls %8s rows  %s us each  %s', round(total_exec_time), calls, rows,
                        round(mean_exec_time * 1000), regexp_replace(left(query, 150), '\\s+', ' ', 'g'))
                 from pg_stat_statements order by total_exec_time desc limit 25",
            )
            .await?;
        let lines = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(lines.join("\n"))
    }

    /// The process id of the server's first process.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        let file = std::fs::read_to_string(self.dir.join("pg/postmaster.pid")).context("read postmaster.pid")?;
        file.lines().next().context("postmaster.pid is empty")?.trim().parse().context("the pid of PostgreSQL")
    }

    /// How long a bare commit takes here and now: one row into a narrow table, one connection, prepared, one after another.
    pub(crate) async fn bare_commits(&self, database: &str, count: usize) -> anyhow::Result<Samples> {
        let mut committer = self.committer(database).await?;
        let mut samples = Samples::default();
        for _ in 0..count {
            samples.add(committer.commit().await?);
        }
        Ok(samples)
    }

    /// The same while other load goes on: a commit each `pause` until dropped, told to `samples`.
    pub(crate) async fn bare_commits_beside(
        &self,
        database: &str,
        pause: Duration,
        samples: Arc<Mutex<Samples>>,
    ) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
        let mut committer = self.committer(database).await?;
        Ok(tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let took = committer.commit().await?;
                samples.lock().unwrap_or_else(PoisonError::into_inner).add(took);
            }
        }))
    }

    /// The first commits warm caches and extend the table.
    async fn committer(&self, database: &str) -> anyhow::Result<Committer> {
        let mut connection: PgConnection = self.options(database).connect().await?;
        connection.execute("create table if not exists bare_commits (value bigint not null)").await?;
        let mut committer = Committer { connection, value: 0 };
        for _ in 0..50 {
            committer.commit().await?;
        }
        Ok(committer)
    }
}

struct Committer {
    connection: PgConnection,
    value: i64,
}

impl Committer {
    async fn commit(&mut self) -> anyhow::Result<Duration> {
        self.value += 1;
        let begun = Instant::now();
        #[expect(clippy::disallowed_methods, reason = "the table is the bench's own")]
        sqlx::query("insert into bare_commits (value) values ($1)")
            .bind(self.value)
            .execute(&mut self.connection)
            .await?;
        Ok(begun.elapsed())
    }
}
