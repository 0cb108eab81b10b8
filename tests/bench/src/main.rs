//! `make bench` and `make bench-queue`: the figures that the issues ask for, measured on this machine, with peers in the
//! same run.
//!
//! Everything shares the machine's cores: PostgreSQL (a cluster of its own on a real disk, fsync on), the server (the
//! release binary as a process of its own), the peer, and the load. `tests/bench/README.md` says how each figure is taken.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own: its figures are its output")]

mod catalogue;
mod chats;
mod cluster;
mod cpu;
mod crowd;
mod footprint;
mod http;
mod hub;
mod load;
mod machine;
mod overlays;
mod queue;
mod report;
mod samples;
mod seed;
mod server;
mod uploads;
mod writes;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use embedded::launcher;

use crate::{cluster::Cluster, machine::Machine, report::Report};

/// Measures memalerts and its peer.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    instead: Option<Instead>,
    /// Short rounds: shows that everything runs; the figures are not judged
    #[arg(long, global = true)]
    quick: bool,
    /// Only these figures
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "writes,overlays,hub,catalogue,chats,footprint,uploads"
    )]
    only: Vec<Part>,
    /// Folder on a real disk, reachable for PostgreSQL's user; what is made in it is removed at the end
    #[arg(long, global = true, default_value = "/var/tmp")]
    disk: PathBuf,
    /// A server setting of PostgreSQL, for ours and the peers alike, as name=value
    #[arg(long = "postgres", global = true, value_name = "NAME=VALUE")]
    postgres: Vec<String>,
    /// Say which statements PostgreSQL's time went to (slows it a little; needs pg_stat_statements)
    #[arg(long, global = true)]
    statements: bool,
    /// The peer's connections to PostgreSQL
    #[arg(long, default_value_t = 20)]
    peer_pool: u32,
}

#[derive(Debug, Subcommand)]
enum Instead {
    /// Measures the queue beside other queues (`make bench-queue`)
    Queue(queue::Options),
    /// Breaks the queue and those that a program in Rust would take instead, and tells what becomes of jobs
    /// (`make peers-faults`)
    Faults(queue::faults::Options),
    /// The queue as a program that is measured
    #[command(hide = true)]
    Contender {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Writes,
    Overlays,
    Hub,
    Catalogue,
    Chats,
    Footprint,
    Uploads,
}

/// Channels, each with a viewer and an overlay. Few would be another world: PostgreSQL reads small tables whole.
const CHANNELS: usize = 1000;

/// How long and how often.
#[derive(Debug, Clone, Copy)]
struct Plan {
    rounds: usize,
    warm_up: Duration,
    round: Duration,
    overlay_time: Duration,
    hub_rounds: usize,
    hub_time: Duration,
    /// Of the channel whose catalogue is looked through.
    memes: usize,
    /// Those that one process reads.
    chats: usize,
    chat_time: Duration,
    starts: usize,
    uploads: usize,
    commits: usize,
}

impl Plan {
    const fn new(quick: bool) -> Self {
        let seconds = Duration::from_secs;
        if quick {
            Self {
                rounds: 1,
                warm_up: seconds(1),
                round: seconds(2),
                overlay_time: seconds(5),
                hub_rounds: 1,
                hub_time: seconds(5),
                memes: 2000,
                chats: 20,
                chat_time: seconds(3),
                starts: 2,
                uploads: 1,
                commits: 200,
            }
        } else {
            Self {
                rounds: 5,
                warm_up: seconds(4),
                round: seconds(12),
                overlay_time: seconds(40),
                hub_rounds: 3,
                hub_time: seconds(15),
                memes: 100_000,
                chats: CHANNELS,
                chat_time: seconds(20),
                starts: 10,
                uploads: 5,
                commits: 2000,
            }
        }
    }
}

/// What the measurements share.
struct Bench {
    plan: Plan,
    /// `memalerts`, beside this program.
    binary: PathBuf,
    /// The repository.
    root: PathBuf,
    /// `target/bench`.
    out: PathBuf,
    disk: PathBuf,
    peer_pool: u32,
}

fn main() -> ExitCode {
    // Before threads exist: this process may only be a step on the way to a PostgreSQL server.
    launcher::intercept();
    let mut arguments = Arguments::parse();
    if let Some(Instead::Contender { words }) = &mut arguments.instead {
        return match queue::ours::run(std::mem::take(words)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        };
    }
    // One thread: the load shall take as little of the machine as it can.
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = tokio.map_err(anyhow::Error::new).and_then(|tokio| tokio.block_on(run(arguments)));
    ended.unwrap_or_else(|error| complain(&error))
}

fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("bench: {error:#}");
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let executable = std::env::current_exe().context("our own path")?;
    let target = executable.ancestors().nth(2).context("the build folder")?.to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the repository")?.to_owned();
    machine::raise_file_limit()?;
    machine::refuse_memory(&arguments.disk)?;
    let work = tempfile_in(&arguments.disk)?;
    let mut settings = arguments.postgres.clone();
    if matches!(arguments.instead, Some(Instead::Faults(_))) {
        // All contenders and faults side by side.
        settings.push("max_connections=500".to_owned());
    }
    let cluster = Cluster::start(&work.path.join("cluster"), &settings, arguments.statements).await?;
    let machine = Machine::look(&root, &cluster).await?;
    println!("{machine}");
    let mut report = Report::new(machine, arguments.quick);
    let out = if let Some(Instead::Queue(options)) = &arguments.instead {
        let out = queue::measure(options, arguments.quick, &cluster, &root, &target, &mut report).await?;
        cluster.stop().await?;
        out
    } else if let Some(Instead::Faults(options)) = &arguments.instead {
        let out = queue::faults::measure(options, &cluster, &root, &target, &mut report).await?;
        cluster.stop().await?;
        out
    } else {
        let binary = executable.with_file_name("memalerts");
        ensure!(binary.is_file(), "no {}: use `make bench`", binary.display());
        let bench = Bench {
            plan: Plan::new(arguments.quick),
            binary,
            root,
            out: target.join("bench"),
            disk: work.path.clone(),
            peer_pool: arguments.peer_pool,
        };
        system(&bench, cluster, &arguments.only, &mut report).await?;
        bench.out
    };
    let path = report.write(&out)?;
    if arguments.quick {
        println!("\nshort rounds: a smoke test, not a measurement");
    }
    println!("\nwritten to {}", path.display());
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The figures of the whole system.
async fn system(bench: &Bench, cluster: Cluster, only: &[Part], report: &mut Report) -> anyhow::Result<()> {
    std::fs::create_dir_all(&bench.out)?;
    if only.contains(&Part::Writes) {
        report.tell(writes::measure(bench, &cluster).await.context("measure the write path")?);
    }
    if only.contains(&Part::Overlays) {
        report.tell(overlays::measure(bench, &cluster).await.context("measure the way to the overlay")?);
    }
    if only.contains(&Part::Hub) {
        report.tell(hub::measure(bench, &cluster).await.context("measure the hub")?);
    }
    if only.contains(&Part::Catalogue) {
        report.tell(catalogue::measure(bench, &cluster).await.context("measure the catalogue")?);
    }
    if only.contains(&Part::Chats) {
        report.tell(chats::measure(bench, &cluster).await.context("measure chats")?);
    }
    cluster.stop().await?;
    if only.contains(&Part::Footprint) {
        report.tell(footprint::measure(bench).await.context("measure the footprint")?);
    }
    if only.contains(&Part::Uploads) {
        report.tell(uploads::measure(bench).await.context("measure uploads")?);
    }
    Ok(())
}

/// A folder of ours that is removed with this value.
struct WorkFolder {
    path: PathBuf,
}

fn tempfile_in(disk: &Path) -> anyhow::Result<WorkFolder> {
    let path = disk.join(format!("memalerts-bench-{}", std::process::id()));
    std::fs::create_dir(&path).with_context(|| format!("create {}", path.display()))?;
    Ok(WorkFolder { path })
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.path));
    }
}
