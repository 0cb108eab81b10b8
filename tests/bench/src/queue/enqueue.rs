//! Single jobs, each in a transaction of its own, from connections that know nothing of each other.

use anyhow::ensure;
use serde::Serialize;
use sqlx::Connection as _;

use super::{
    Scene, ask,
    contenders::{Contender, GRAPHILE, OURS},
    program::{Event, Program},
};
use crate::{
    cpu::{Cpu, Meter},
    report::{Section, Target},
    samples::median,
};

const CONNECTIONS: &str = "8";
/// Of graphile-worker's.
const RATIO: f64 = 2.0;
const ROUND: &str = "bench_round";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Enqueued {
    name: &'static str,
    jobs: i64,
    per_second: f64,
    /// CPU seconds.
    cpu: Cpu,
}

pub(super) async fn measure(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let contenders: Vec<&'static Contender> =
        scene.contenders.iter().copied().filter(|contender| contender.enqueues).collect();
    let mut rounds = Vec::new();
    for number in 0..scene.plan.rounds {
        let mut order = contenders.clone();
        order.rotate_left(number % contenders.len().max(1));
        for contender in order {
            let round = enqueue(scene, contender).await?;
            eprintln!("enqueuing by {:<23} {:>7.0}/s", round.name, round.per_second);
            rounds.push(round);
        }
    }
    Ok(section(scene, &contenders, &rounds))
}

async fn enqueue(scene: &Scene<'_>, contender: &'static Contender) -> anyhow::Result<Enqueued> {
    scene.cluster.copy(&contender.template(), ROUND).await?;
    let seconds = scene.plan.enqueue.as_secs().to_string();
    let words = ["--connections", CONNECTIONS, "--seconds", &seconds];
    let mut program = Program::start(scene, contender, "enqueue", ROUND, &words)?;
    let meter = Meter::new(program.pid()?, scene.cluster.pid()?);
    let before = meter.read()?;
    let (jobs, took) = program
        .until(|event| match event {
            Event::EnqueuingEnded { jobs, seconds } => Some((*jobs, *seconds)),
            _ => None,
        })
        .await?;
    let cpu = meter.read()?.since(before);
    program.ends().await?;
    let mut connection = scene.connect(ROUND).await?;
    let found: i64 = ask(&mut connection, contender.unfinished).await?;
    connection.close().await?;
    ensure!(found == jobs, "{} enqueued {jobs} jobs, {found} are there", contender.name);
    #[expect(clippy::cast_precision_loss, reason = "jobs of a round fit")]
    Ok(Enqueued { name: contender.name, jobs, per_second: jobs as f64 / took, cpu })
}

fn section(scene: &Scene<'_>, contenders: &[&Contender], rounds: &[Enqueued]) -> Section {
    let mut section = Section::new(format!(
        "Enqueuing: {CONNECTIONS} connections, one job a transaction, for {} s; medians of {} rounds",
        scene.plan.enqueue.as_secs(),
        scene.plan.rounds
    ));
    section.columns(&["", "per second", "CPU µs a job: program", "PostgreSQL"]);
    let of =
        |name: &str, value: fn(&Enqueued) -> f64| median(rounds.iter().filter(|round| round.name == name).map(value));
    #[expect(clippy::cast_precision_loss, reason = "jobs of a round fit")]
    for contender in contenders {
        section.row(vec![
            contender.name.to_owned(),
            format!("{:.0}", of(contender.name, |round| round.per_second)),
            format!("{:.0}", of(contender.name, |round| round.cpu.server * 1e6 / round.jobs.max(1) as f64)),
            format!("{:.0}", of(contender.name, |round| round.cpu.postgres * 1e6 / round.jobs.max(1) as f64)),
        ]);
    }
    if scene.has(&[OURS, GRAPHILE]) {
        let ratio = of(OURS, |round| round.per_second) / of(GRAPHILE, |round| round.per_second).max(1.0);
        section.target(Target::at_least("enqueuing, ours to graphile-worker", ratio, RATIO, "x"));
    }
    section.detail(rounds);
    section
}
