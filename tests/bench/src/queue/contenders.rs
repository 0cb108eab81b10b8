//! Who is measured, and with which settings.

use std::path::Path;

use anyhow::Context as _;
use tokio::process::Command;

use super::Places;

/// How a contender's program is started.
#[derive(Debug, Clone, Copy)]
enum Runs {
    /// This program.
    Itself,
    /// A binary that is built from the crate in the folder of this name.
    Rust(&'static str),
    /// `program.js` in the folder of this name.
    Node(&'static str),
    /// `program.py` in the folder of this name.
    Python(&'static str),
}

/// A queue with its settings.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    runs: Runs,
    pub(crate) settings: &'static str,
    /// The settings in words.
    pub(crate) told: &'static str,
    /// Jobs that it runs at once; the batch of the limit.
    pub(crate) concurrency: u32,
    /// It drains the jobs divided by this: slow ones need longer for a part than others for the whole.
    pub(crate) part: u32,
    /// Counts what is enqueued and not acknowledged: `select count(*) from ...`.
    pub(crate) unfinished: &'static str,
    /// In which figures it has a place.
    pub(crate) drains: bool,
    /// None for those that are not woken for new work, or that differ in nothing else.
    pub(crate) picks_up: bool,
    pub(crate) enqueues: bool,
}

pub(crate) const OURS: &str = "memalerts";
pub(crate) const LIMIT: &str = "skip locked, by hand";
pub(crate) const GRAPHILE: &str = "graphile-worker";
pub(crate) const GRAPHILE_BATCHED: &str = "graphile-worker, batched";

const OUR_UNFINISHED: &str = "select count(*) from jobs";
const GRAPHILE_UNFINISHED: &str = "select count(*) from graphile_worker._private_jobs";

const APALIS_UNFINISHED: &str = "select count(*) from apalis.jobs where status <> 'Done'";

pub(crate) static CONTENDERS: &[Contender] = &[
    Contender {
        name: OURS,
        runs: Runs::Itself,
        settings: "",
        told: "crate queue alone, as the pools run it; finished jobs are kept",
        concurrency: 2000,
        part: 1,
        unfinished: OUR_UNFINISHED,
        drains: true,
        picks_up: true,
        enqueues: true,
    },
    Contender {
        name: LIMIT,
        runs: Runs::Rust("skip-locked"),
        settings: "delete",
        told: "the limit: batches of 500, claim beside acknowledgement; finished jobs are deleted",
        concurrency: 500,
        part: 1,
        unfinished: OUR_UNFINISHED,
        drains: true,
        picks_up: false,
        enqueues: true,
    },
    Contender {
        name: "skip locked, with history",
        runs: Runs::Rust("skip-locked"),
        settings: "keep",
        told: "the same, but finished jobs are kept, as ours does",
        concurrency: 500,
        part: 1,
        unfinished: OUR_UNFINISHED,
        drains: true,
        picks_up: false,
        enqueues: false,
    },
    Contender {
        name: GRAPHILE,
        runs: Runs::Node("graphile-worker"),
        settings: "",
        told: "as it comes",
        concurrency: 24,
        part: 10,
        unfinished: GRAPHILE_UNFINISHED,
        drains: true,
        picks_up: true,
        enqueues: true,
    },
    Contender {
        name: GRAPHILE_BATCHED,
        runs: Runs::Node("graphile-worker"),
        settings: "batched",
        told: "its documented best: local queue of 500, completions and failures batched without delay",
        concurrency: 24,
        part: 1,
        unfinished: GRAPHILE_UNFINISHED,
        drains: true,
        picks_up: true,
        enqueues: false,
    },
    Contender {
        name: "pg-boss",
        runs: Runs::Node("pg-boss"),
        settings: "",
        told: "batches of 500, at once again after a full one; NOTIFY; finished jobs are kept",
        concurrency: 500,
        part: 1,
        unfinished: "select count(*) from pgboss.job where name = 'empty' and state < 'completed'",
        drains: true,
        picks_up: true,
        enqueues: true,
    },
    Contender {
        name: "procrastinate",
        runs: Runs::Python("procrastinate"),
        settings: "",
        told: "as it comes, NOTIFY; finished jobs are kept",
        concurrency: 10,
        part: 50,
        unfinished: "select count(*) from procrastinate_jobs where status in ('todo', 'doing')",
        drains: true,
        picks_up: true,
        enqueues: true,
    },
    Contender {
        name: "apalis-postgres",
        runs: Runs::Rust("apalis-postgres"),
        settings: "",
        told: "batches of 500, no lock a job; finished jobs are kept",
        concurrency: 500,
        part: 1,
        unfinished: APALIS_UNFINISHED,
        drains: true,
        picks_up: false,
        enqueues: true,
    },
    Contender {
        name: "apalis-postgres, pubsub",
        runs: Runs::Rust("apalis-postgres"),
        settings: "pubsub",
        told: "woken by NOTIFY, and a poll every 5 s as its manual has it",
        concurrency: 500,
        part: 1,
        unfinished: APALIS_UNFINISHED,
        drains: false,
        picks_up: true,
        enqueues: false,
    },
    Contender {
        name: "apalis-sql",
        runs: Runs::Rust("apalis-sql"),
        settings: "",
        told: "buffers of 500, a poll every 10 ms, NOTIFY; finished jobs are kept",
        concurrency: 500,
        part: 1,
        unfinished: APALIS_UNFINISHED,
        drains: true,
        picks_up: true,
        enqueues: true,
    },
];

/// Who goes through the faults: ours and those that a program in Rust would take instead, all settings at their defaults.
pub(crate) static IN_TROUBLE: [Contender; 3] = [
    Contender {
        name: OURS,
        runs: Runs::Itself,
        settings: "",
        told: "crate queue alone, as the pools run it; 3 attempts, waits from 1 s to 10 s",
        ..APALIS_SQL
    },
    Contender {
        name: "apalis-postgres",
        runs: Runs::Rust("apalis-postgres"),
        settings: "manual",
        told: "NOTIFY and a poll each 5 s, heartbeats each 30 s, dead after 10 missed; its monitor starts an ended worker again",
        ..APALIS_SQL
    },
    APALIS_SQL,
];

const APALIS_SQL: Contender = Contender {
    name: "apalis-sql",
    runs: Runs::Rust("apalis-sql"),
    settings: "manual",
    told: "a poll each 100 ms, heartbeats each 30 s, orphans after 300 s; under its monitor",
    concurrency: 4,
    part: 1,
    unfinished: "",
    drains: false,
    picks_up: false,
    enqueues: false,
};

impl Contender {
    /// Its jobs by state, in its own words.
    pub(crate) fn states(&self) -> &'static str {
        match self.runs {
            Runs::Itself => "select state, count(*) from job_list group by state order by state",
            _ => "select status, count(*) from apalis.jobs group by status order by status",
        }
    }

    /// The database that has its tables.
    pub(crate) fn template(&self) -> String {
        let name: String =
            self.name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        format!("bench_{}", name.to_lowercase())
    }

    pub(crate) fn full(&self) -> String {
        format!("{}_full", self.template())
    }

    pub(super) fn command(&self, places: &Places) -> anyhow::Result<Command> {
        Ok(match self.runs {
            Runs::Itself => {
                let mut command = Command::new(std::env::current_exe().context("our own path")?);
                command.arg("contender");
                command
            }
            Runs::Rust(name) => Command::new(places.built.join("release").join(format!("peer-{name}"))),
            Runs::Node(name) => {
                let mut command = Command::new(&places.node);
                command.arg(places.peers.join(name).join("program.js"));
                command
            }
            Runs::Python(name) => {
                let mut command = Command::new(places.built.join(name).join("bin/python"));
                command.arg(places.peers.join(name).join("program.py"));
                command
            }
        })
    }

    /// What its lock file says.
    pub(super) fn version(&self, peers: &Path) -> anyhow::Result<String> {
        let (name, file, before) = match self.runs {
            Runs::Itself => return Ok("this commit".to_owned()),
            Runs::Rust("skip-locked") => return Ok("-".to_owned()),
            Runs::Rust(name) => (name, "Cargo.lock", format!("name = \"{name}\"\nversion = \"")),
            Runs::Node(name) => {
                (name, "package-lock.json", format!("\"node_modules/{name}\": {{\n      \"version\": \""))
            }
            Runs::Python(name) => (name, "requirements.txt", format!("{name}==")),
        };
        let path = peers.join(name).join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let (_, found) =
            text.split_once(&before).with_context(|| format!("{} does not name {name}", path.display()))?;
        Ok(found.split(['"', ' ', '\\', '\n']).next().unwrap_or_default().to_owned())
    }
}
