//! Single jobs at a steady pace, and how long each waits for its handler.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::ensure;
use serde::Serialize;

use super::{
    Scene,
    contenders::{Contender, GRAPHILE, GRAPHILE_BATCHED, OURS},
    program::{Event, Program},
};
use crate::{
    report::{Section, Target},
    samples::{Samples, Summary},
};

/// Jobs a second.
const RATE: &str = "50";
/// What comes first finds cold code and cold tables: not counted.
const WARM_UP: i64 = 50;
const P50_MS: f64 = 1.0;
/// Between two commits that are tried beside the jobs.
const PROBE: Duration = Duration::from_millis(50);
const ROUND: &str = "bench_round";

/// Who enqueues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum From {
    SameProcess,
    OtherProcess,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Picked {
    name: &'static str,
    from: From,
    /// Milliseconds from the commit's answer to the handler's start; none where the handler was first.
    since_commit: Summary,
    /// From before the job was enqueued.
    since_sent: Summary,
    /// What one commit of one row took meanwhile.
    bare_commit: Summary,
}

pub(super) async fn measure(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let mut rounds = Vec::new();
    for from in [From::SameProcess, From::OtherProcess] {
        for contender in scene.contenders.iter().filter(|contender| contender.picks_up) {
            let picked = pick_up(scene, contender, from).await?;
            eprintln!(
                "pickup of {:<26} p50 {:>7.2} ms, p99 {:>7.2} ms",
                picked.name, picked.since_commit.p50_ms, picked.since_commit.p99_ms
            );
            rounds.push(picked);
        }
    }
    Ok(section(scene, &rounds))
}

async fn pick_up(scene: &Scene<'_>, contender: &'static Contender, from: From) -> anyhow::Result<Picked> {
    scene.cluster.copy(&contender.template(), ROUND).await?;
    let seconds = scene.plan.pickup.as_secs().to_string();
    let pace = ["--rate", RATE, "--seconds", &seconds, "--tell"];
    let mut times = Times::default();
    let commits = Arc::new(Mutex::new(Samples::default()));
    let committing = scene.cluster.bare_commits_beside(ROUND, PROBE, commits.clone()).await?;
    if from == From::SameProcess {
        let mut program = Program::start(scene, contender, "work", ROUND, &pace)?;
        while !times.complete() {
            times.note(program.hears().await?)?;
        }
        program.kill().await?;
    } else {
        let mut worker = Program::start(scene, contender, "work", ROUND, &["--tell"])?;
        let mut enqueuer = Program::start(scene, contender, "enqueue", ROUND, &pace)?;
        while !times.complete() {
            tokio::select! {
                event = worker.hears() => times.note(event?)?,
                event = enqueuer.hears(), if times.expected.is_none() => times.note(event?)?,
            }
        }
        enqueuer.ends().await?;
        worker.kill().await?;
    }
    committing.abort();
    let bare_commit = std::mem::take(&mut *commits.lock().unwrap_or_else(PoisonError::into_inner)).summary();
    let (since_commit, since_sent) = times.summaries();
    Ok(Picked { name: contender.name, from, since_commit, since_sent, bare_commit })
}

#[derive(Debug, Default)]
struct Times {
    /// Sent, committed.
    enqueued: HashMap<i64, (i64, i64)>,
    began: HashMap<i64, i64>,
    expected: Option<i64>,
}

impl Times {
    fn note(&mut self, event: Option<Event>) -> anyhow::Result<()> {
        match event {
            None => anyhow::bail!("the program ended before its time"),
            Some(Event::Began { job, at }) => {
                let before = self.began.insert(job, at);
                ensure!(before.is_none(), "job {job} ran twice");
            }
            Some(Event::Enqueued { job, sent, committed }) => drop(self.enqueued.insert(job, (sent, committed))),
            Some(Event::EnqueuingEnded { jobs, .. }) => self.expected = Some(jobs),
            Some(Event::First | Event::Ran | Event::Ended { .. }) => {}
        }
        Ok(())
    }

    fn complete(&self) -> bool {
        self.expected.is_some_and(|jobs| i64::try_from(self.began.len()) == Ok(jobs))
    }

    fn summaries(&self) -> (Summary, Summary) {
        let (mut since_commit, mut since_sent) = (Samples::default(), Samples::default());
        for (job, (sent, committed)) in &self.enqueued {
            if let Some(at) = self.began.get(job)
                && *job >= WARM_UP
            {
                since_commit.add(micros(at - committed));
                since_sent.add(micros(at - sent));
            }
        }
        (since_commit.summary(), since_sent.summary())
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn section(scene: &Scene<'_>, rounds: &[Picked]) -> Section {
    let mut section = Section::new(format!(
        "Pickup: {RATE} single jobs a second for {} s, from the commit to the handler's start",
        scene.plan.pickup.as_secs()
    ));
    section.columns(&[
        "",
        "enqueued by",
        "p50 ms",
        "p99 ms",
        "max ms",
        "with enqueuing: p50 ms",
        "p99 ms",
        "a bare commit: p50 ms",
    ]);
    for round in rounds {
        section.row(vec![
            round.name.to_owned(),
            match round.from {
                From::SameProcess => "the same process",
                From::OtherProcess => "another process",
            }
            .to_owned(),
            format!("{:.2}", round.since_commit.p50_ms),
            format!("{:.2}", round.since_commit.p99_ms),
            format!("{:.2}", round.since_commit.max_ms),
            format!("{:.2}", round.since_sent.p50_ms),
            format!("{:.2}", round.since_sent.p99_ms),
            format!("{:.2}", round.bare_commit.p50_ms),
        ]);
    }
    let of = |name: &str, from: From| rounds.iter().find(|round| round.name == name && round.from == from);
    for (from, p50, p99) in [
        (From::SameProcess, "pickup p50, same process", "pickup p99, same process, to graphile-worker's best"),
        (From::OtherProcess, "pickup p50, another process", "pickup p99, another process, to graphile-worker's best"),
    ] {
        let Some(ours) = of(OURS, from) else { continue };
        section.target(Target::at_most(p50, ours.since_commit.p50_ms, P50_MS, "ms"));
        if let (Some(plain), Some(batched)) = (of(GRAPHILE, from), of(GRAPHILE_BATCHED, from)) {
            let best = plain.since_commit.p99_ms.min(batched.since_commit.p99_ms);
            section.target(Target::at_most(p99, ours.since_commit.p99_ms, best, "ms"));
        }
    }
    section.detail(rounds);
    section
}
