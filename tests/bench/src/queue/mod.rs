//! `make bench-queue`: crate `queue` beside other queues on PostgreSQL, and beside the limit, a loop written by hand.
//!
//! Each contender is a program of its own with the same words (`tests/peers/README.md`), ours too ([`ours`]). One runs at
//! a time, on a database of its own on the same server; rounds alternate.

mod contenders;
mod drain;
mod enqueue;
pub(crate) mod faults;
mod history;
pub(crate) mod ours;
mod pickup;
mod program;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};

use crate::{
    cluster::Cluster,
    queue::{
        contenders::{CONTENDERS, Contender},
        program::Program,
    },
    report::{Report, Section},
};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these figures
    #[arg(long = "parts", value_enum, value_delimiter = ',', default_value = "drain,pickup,enqueue,history")]
    parts: Vec<Part>,
    /// Only contenders whose name contains one of these; no target is judged then
    #[arg(long, value_delimiter = ',')]
    contenders: Vec<String>,
    /// Jobs of a drain (a part of them for slow contenders)
    #[arg(long)]
    jobs: Option<u32>,
    /// Rounds, of which medians are told
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of enqueuing and running before the last drains
    #[arg(long)]
    churn: Option<u64>,
    /// Node.js 22.18 or newer, for the peers that run on it
    #[arg(long, default_value = "node")]
    node: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Drain,
    Pickup,
    Enqueue,
    History,
}

/// What the measurements share.
struct Scene<'a> {
    cluster: &'a Cluster,
    plan: Plan,
    contenders: Vec<&'static Contender>,
    places: Places,
}

/// Where programs are found.
struct Places {
    /// `tests/peers`.
    peers: PathBuf,
    /// `target/peers`.
    built: PathBuf,
    node: PathBuf,
    /// For the programs' complaints.
    out: PathBuf,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    rounds: usize,
    jobs: u32,
    pickup: Duration,
    enqueue: Duration,
    finished: u32,
    churn: Duration,
}

pub(crate) async fn measure(
    options: &Options,
    quick: bool,
    cluster: &Cluster,
    root: &Path,
    target: &Path,
    report: &mut Report,
) -> anyhow::Result<PathBuf> {
    let seconds = Duration::from_secs;
    let plan = Plan {
        rounds: options.rounds.unwrap_or(if quick { 1 } else { 5 }),
        jobs: options.jobs.unwrap_or(if quick { 5000 } else { 50_000 }),
        pickup: seconds(if quick { 5 } else { 20 }),
        enqueue: seconds(if quick { 1 } else { 5 }),
        finished: if quick { 50_000 } else { 1_000_000 },
        churn: seconds(options.churn.unwrap_or(if quick { 5 } else { 60 })),
    };
    let out = target.join("bench-queue");
    std::fs::create_dir_all(&out)?;
    let wanted = |contender: &&Contender| {
        options.contenders.is_empty() || options.contenders.iter().any(|name| contender.name.contains(name.as_str()))
    };
    let scene = Scene {
        cluster,
        plan,
        contenders: CONTENDERS.iter().filter(wanted).collect(),
        places: Places {
            peers: root.join("tests/peers"),
            built: target.join("peers"),
            node: options.node.clone(),
            out: out.clone(),
        },
    };
    ensure!(!scene.contenders.is_empty(), "no contender has such a name");
    report.tell(scene.introduce()?);
    for contender in &scene.contenders {
        scene.prepare(contender).await.with_context(|| format!("prepare {}", contender.name))?;
    }
    for part in &options.parts {
        let section = match part {
            Part::Drain => drain::measure(&scene).await.context("measure the drain"),
            Part::Pickup => pickup::measure(&scene).await.context("measure the pickup"),
            Part::Enqueue => enqueue::measure(&scene).await.context("measure enqueuing"),
            Part::History => history::measure(&scene).await.context("measure beside history"),
        };
        report.tell(section?);
    }
    Ok(out)
}

impl Scene<'_> {
    fn introduce(&self) -> anyhow::Result<Section> {
        let mut section = Section::new("Contenders".to_owned());
        section.columns(&["", "version", "at once"]);
        for contender in &self.contenders {
            section.row(vec![
                contender.name.to_owned(),
                contender.version(&self.places.peers)?,
                contender.concurrency.to_string(),
            ]);
            section.note(format!("{}: {}", contender.name, contender.told));
        }
        Ok(section)
    }

    /// Makes the database of which its rounds get copies.
    async fn prepare(&self, contender: &Contender) -> anyhow::Result<()> {
        self.cluster.create(&contender.template()).await?;
        self.run_to_end(contender, "prepare", &contender.template(), &[]).await
    }

    /// Fills a new database with jobs, and makes it one of which rounds get copies.
    async fn fill(&self, contender: &Contender, template: &str, database: &str, jobs: u32) -> anyhow::Result<()> {
        self.fill_as_is(contender, template, database, jobs).await?;
        let mut connection = self.connect(database).await?;
        // As autovacuum would have left it by now.
        connection.execute("vacuum (analyze)").await?;
        connection.close().await?;
        Ok(())
    }

    /// [`Scene::fill`], but nobody cleans up before the rounds.
    async fn fill_as_is(&self, contender: &Contender, template: &str, database: &str, jobs: u32) -> anyhow::Result<()> {
        self.cluster.copy(template, database).await?;
        self.run_to_end(contender, "fill", database, &["--jobs", &jobs.to_string()]).await?;
        let mut connection = self.connect(database).await?;
        let found: i64 = ask(&mut connection, contender.unfinished).await?;
        connection.close().await?;
        ensure!(found == i64::from(jobs), "{jobs} jobs were enqueued, {found} are there");
        Ok(())
    }

    /// Whether all of these are measured, so that they can be compared.
    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.contenders.iter().any(|contender| contender.name == *name))
    }

    async fn run_to_end(
        &self,
        contender: &Contender,
        mode: &str,
        database: &str,
        words: &[&str],
    ) -> anyhow::Result<()> {
        Program::start(self, contender, mode, database, words)?.ends().await
    }

    async fn connect(&self, database: &str) -> anyhow::Result<PgConnection> {
        Ok(self.cluster.options(database).connect().await?)
    }
}

/// The one number that a query of the bench's own yields.
async fn ask<T>(connection: &mut PgConnection, sql: &str) -> anyhow::Result<T>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let row = connection.fetch_one(AssertSqlSafe(sql.to_owned())).await.with_context(|| sql.to_owned())?;
    Ok(row.try_get(0)?)
}

/// Nothing of the contender is unfinished.
async fn nothing_left(connection: &mut PgConnection, contender: &Contender) -> anyhow::Result<bool> {
    // The row that is found first says no.
    let sql = contender.unfinished.replacen("count(*)", "1", 1);
    Ok(connection.fetch_optional(AssertSqlSafe(format!("{sql} limit 1"))).await?.is_none())
}
