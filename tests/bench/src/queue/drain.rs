//! Empty jobs that wait, and one process that runs them until none is left.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde::Serialize;
use sqlx::Connection as _;
use tokio::time::sleep;

use super::{
    Scene, ask,
    contenders::{Contender, GRAPHILE, GRAPHILE_BATCHED, LIMIT, OURS},
    nothing_left,
    program::{Event, Program},
};
use crate::{
    cpu::{Cpu, Meter},
    report::{Section, Target},
    samples::median,
};

/// Of graphile-worker's best.
const RATIO: f64 = 2.0;
/// Of the limit.
const SHARE: f64 = 0.8;
const ROUND: &str = "bench_round";

/// One drain.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drained {
    name: &'static str,
    jobs: u32,
    pub(super) per_second: f64,
    /// CPU seconds.
    cpu: Cpu,
}

pub(super) async fn measure(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let contenders: Vec<&'static Contender> =
        scene.contenders.iter().copied().filter(|contender| contender.drains).collect();
    for contender in &contenders {
        scene.fill(contender, &contender.template(), &contender.full(), jobs(scene, contender)).await?;
    }
    let mut rounds = Vec::new();
    for number in 0..scene.plan.rounds {
        // Who begins takes turns.
        let mut order = contenders.clone();
        order.rotate_left(number % contenders.len().max(1));
        for contender in order {
            rounds.push(drain(scene, contender, &contender.full(), jobs(scene, contender)).await?);
        }
    }
    for contender in &contenders {
        scene.cluster.drop(&contender.full()).await?;
    }
    Ok(section(scene, &contenders, &rounds))
}

fn jobs(scene: &Scene<'_>, contender: &Contender) -> u32 {
    scene.plan.jobs / contender.part
}

/// Drains a copy of the database, which has so many jobs waiting. The clock runs from the start of the first handler until
/// no job is unacknowledged.
pub(super) async fn drain(
    scene: &Scene<'_>,
    contender: &'static Contender,
    full: &str,
    jobs: u32,
) -> anyhow::Result<Drained> {
    scene.cluster.copy(full, ROUND).await?;
    let mut watcher = scene.connect(ROUND).await?;
    let mut program = Program::start(scene, contender, "work", ROUND, &["--jobs", &jobs.to_string()])?;
    let meter = Meter::new(program.pid()?, scene.cluster.pid()?);
    program.until(|event| matches!(event, Event::First).then_some(())).await?;
    scene.cluster.forget_statements().await?;
    let (begun, before) = (Instant::now(), meter.read()?);
    program.until(|event| matches!(event, Event::Ran).then_some(())).await?;
    while !nothing_left(&mut watcher, contender).await? {
        ensure!(begun.elapsed() < Duration::from_secs(600), "jobs of {} are never acknowledged", contender.name);
        sleep(Duration::from_millis(1)).await;
    }
    let took = begun.elapsed();
    let cpu = meter.read()?.since(before);
    let statements = scene.cluster.told_statements().await?;
    program.kill().await?;
    let left: i64 = ask(&mut watcher, contender.unfinished).await?;
    ensure!(left == 0, "{left} jobs of {} are left", contender.name);
    watcher.close().await?;
    let drained = Drained { name: contender.name, jobs, per_second: f64::from(jobs) / took.as_secs_f64(), cpu };
    eprintln!("drain of {:<26} {:>7.0}/s", drained.name, drained.per_second);
    if !statements.is_empty() {
        eprintln!("PostgreSQL's time in it:\n{statements}");
    }
    Ok(drained)
}

fn section(scene: &Scene<'_>, contenders: &[&Contender], rounds: &[Drained]) -> Section {
    let mut section = Section::new(format!(
        "Drain: empty jobs that wait, one process until all are acknowledged; medians of {} rounds",
        scene.plan.rounds
    ));
    section.columns(&["", "jobs", "per second", "CPU µs a job: program", "PostgreSQL"]);
    let of =
        |name: &str, value: fn(&Drained) -> f64| median(rounds.iter().filter(|round| round.name == name).map(value));
    for contender in contenders {
        section.row(vec![
            contender.name.to_owned(),
            jobs(scene, contender).to_string(),
            format!("{:.0}", of(contender.name, |round| round.per_second)),
            format!("{:.0}", of(contender.name, |round| round.cpu.server * 1e6 / f64::from(round.jobs))),
            format!("{:.0}", of(contender.name, |round| round.cpu.postgres * 1e6 / f64::from(round.jobs))),
        ]);
    }
    let speed = |name: &str| of(name, |round| round.per_second);
    let best = speed(GRAPHILE).max(speed(GRAPHILE_BATCHED));
    if scene.has(&[OURS, GRAPHILE, GRAPHILE_BATCHED]) {
        section.target(Target::at_least("drain, ours to graphile-worker's best", speed(OURS) / best, RATIO, "x"));
    }
    if scene.has(&[OURS, LIMIT]) {
        section.target(Target::at_least("drain, ours to the limit", speed(OURS) / speed(LIMIT), SHARE, "x"));
    }
    section.detail(rounds);
    section
}
