//! Chaos: the whole system as real processes, a fault, and the question whether anything was lost or happened twice.
//!
//! A round is load, one fault in the middle of it, calm, and all invariants. Everything that is chosen by chance comes from
//! the seed, the fault and the number of the round, so a round can be had again. The report is a file to which each round
//! adds a line; the same command goes on where it ended.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod faults;
mod fleet;
mod invariants;
mod journal;
mod load;
mod prove;
mod proxy;
mod report;
mod rig;
mod uploads;
mod world;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
    time::Duration,
};

use clap::Parser;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::{
    faults::Fault,
    load::Load,
    report::{Report, Round},
    rig::Rig,
};

#[derive(Debug, Parser)]
#[command(about = "Breaks the system in every way we know, and proves that nothing was lost")]
struct Arguments {
    /// The faults, separated by commas; all when none is named.
    #[arg(long, value_delimiter = ',')]
    fault: Vec<Fault>,
    /// Leave out the faults whose rounds take minutes.
    #[arg(long)]
    short: bool,
    /// Break the invariants by hand instead, and see that each breach is found.
    #[arg(long)]
    prove: bool,
    /// Rounds of each fault, with those of earlier runs; without it, `--share` of the full number.
    #[arg(long)]
    rounds: Option<u32>,
    /// Percent of a full run.
    #[arg(long, default_value_t = 10)]
    share: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The `memalerts` binary, built with failpoints.
    #[arg(long)]
    binary: PathBuf,
    /// Where the run works; emptied first.
    #[arg(long)]
    dir: PathBuf,
    /// The report.
    #[arg(long)]
    report: PathBuf,
    /// What was built.
    #[arg(long, default_value = "unknown")]
    commit: String,
}

fn main() -> anyhow::Result<ExitCode> {
    embedded::launcher::intercept();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if arguments.prove {
        let mut rig = Rig::start(&empty(&arguments.dir.join("prove"))?, &arguments.binary).await?;
        prove::prove(&mut rig, arguments.seed).await?;
        println!("every planted breach was found");
        rig.stop().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::open(&arguments.report, arguments.seed)?;
    let mut faults = if arguments.fault.is_empty() { Fault::ALL.to_vec() } else { arguments.fault.clone() };
    faults.retain(|fault| fault.is_short() || !arguments.short);
    let mut full = BTreeMap::new();
    for fault in faults {
        let name = format!("{fault:?}");
        full.insert(name.clone(), fault.full());
        let rounds = arguments.rounds.unwrap_or((fault.full() * arguments.share).div_ceil(100));
        let first = report.done(&name);
        if first >= rounds {
            continue;
        }
        // A world of its own a fault: what one did cannot be laid to another.
        let mut rig = Rig::start(&empty(&arguments.dir.join(&name))?, &arguments.binary).await?;
        for round in first..rounds {
            let done = one(&mut rig, fault, round, &arguments).await?;
            let mark = if done.violations.is_empty() { "ok" } else { "VIOLATED" };
            println!("{name} {}/{rounds} {mark} {} ({} ms)", round + 1, done.detail, done.took_ms);
            done.violations.iter().for_each(|violation| println!("    {violation}"));
            report.add(done)?;
        }
        rig.stop().await?;
    }
    println!("\n{}", report.table(&full));
    println!("seed {}, {}, {}; report in {}", arguments.seed, arguments.commit, machine(), arguments.report.display());
    Ok(if report.violations() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn empty(dir: &Path) -> anyhow::Result<PathBuf> {
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    Ok(dir.to_owned())
}

async fn one(rig: &mut Rig, fault: Fault, round: u32, arguments: &Arguments) -> anyhow::Result<Round> {
    let begun = Instant::now();
    let chance = arguments.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(round) << 8) ^ fault as u64;
    let mut rng = StdRng::seed_from_u64(chance);
    rig.fleet.reshape(rng.random_bool(0.5)).await?;
    let mut load = Load::start(rig, rng.random())?;
    sleep(Duration::from_millis(rng.random_range(300..900))).await;
    let struck = fault.strike(rig, &mut rng).await?;
    sleep(Duration::from_millis(200)).await;
    load.calm().await?;
    let mut violations = struck.findings;
    violations.extend(invariants::quiesce(&rig.pool).await?);
    violations.extend(uploads::sweep(rig).await?);
    violations.extend(invariants::check(rig, &load.received).await?);
    violations.extend(rig.findings.take());
    // What a fault ended is started again before the next one.
    rig.fleet.tend()?;
    let answered = load.answered.load(Ordering::Relaxed);
    drop(load.end().await);
    Ok(Round {
        fault: format!("{fault:?}"),
        round,
        seed: arguments.seed,
        commit: arguments.commit.clone(),
        machine: machine(),
        detail: struck.detail,
        hit: struck.hit,
        recovery_ms: struck.recovery.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        answered,
        violations,
    })
}

/// Cores and processor of this machine.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    format!("{cores} cores of {}", model.trim_start_matches(['\t', ' ', ':']))
}
