//! Ours beside what it keeps and what it leaves behind: the drain again with many finished jobs kept, and after a time of
//! steady work.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::time::sleep;

use super::{
    Scene, ask,
    contenders::{Contender, OURS},
    drain::{Drained, drain},
    nothing_left,
    program::{Event, Program},
};
use crate::{
    report::{Section, Target},
    samples::median,
};

/// Of the drain of a fresh database.
const SHARE: f64 = 0.9;
/// Jobs a second of the churn.
const RATE: u32 = 1000;
const KEPT: &str = "bench_kept";
const KEPT_FULL: &str = "bench_kept_full";
const CHURNED: &str = "bench_churned";
const CHURNED_FULL: &str = "bench_churned_full";

/// What a churn leaves behind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Churn {
    jobs: i64,
    seconds: f64,
    dead: i64,
    /// MiB.
    table: f64,
    indexes: f64,
    history: f64,
}

pub(super) async fn measure(scene: &Scene<'_>) -> anyhow::Result<Section> {
    let ours = scene.contenders.iter().copied().find(|contender| contender.name == OURS);
    let ours = ours.context("there is nobody to be measured: history is about ours")?;
    let jobs = scene.plan.jobs;
    scene.fill(ours, &ours.template(), &ours.full(), jobs).await?;

    scene.cluster.copy(&ours.template(), KEPT).await?;
    let mut connection = scene.connect(KEPT).await?;
    connection.execute(AssertSqlSafe(finished(scene.plan.finished))).await.context("make finished jobs")?;
    connection.close().await?;
    scene.fill(ours, KEPT, KEPT_FULL, jobs).await?;

    scene.cluster.copy(&ours.template(), CHURNED).await?;
    let churn = churn(scene, ours).await.context("churn")?;
    scene.fill_as_is(ours, CHURNED, CHURNED_FULL, jobs).await?;

    let mut rounds: [Vec<Drained>; 3] = Default::default();
    for number in 0..scene.plan.rounds {
        let databases = [ours.full(), KEPT_FULL.to_owned(), CHURNED_FULL.to_owned()];
        // Who begins takes turns.
        for place in (0..3).map(|place| (place + number) % 3) {
            if let (Some(of), Some(database)) = (rounds.get_mut(place), databases.get(place)) {
                of.push(drain(scene, ours, database, jobs).await?);
            }
        }
    }
    for database in [&ours.full(), KEPT, KEPT_FULL, CHURNED, CHURNED_FULL] {
        scene.cluster.drop(database).await?;
    }
    Ok(section(scene, &churn, &rounds))
}

/// Jobs that were finished over the last hour.
fn finished(count: u32) -> String {
    format!(
        "insert into jobs_done (id, finished_at, created_at, claimed_at, worker, version, priority, attempts, crashes, verdict,
             kind, pool, payload)
         select -n, at, at, at, 1, 1, 0, 1, 0, 'done', 'empty', 'bench', jsonb_build_object('n', n)
         from (select n, app_now() - make_interval(secs => 3600.0 * n / {count}) as at from generate_series(1, {count}) n) made"
    )
}

/// One process enqueues at a steady pace, another runs, for the planned time and until nothing is left.
async fn churn(scene: &Scene<'_>, ours: &Contender) -> anyhow::Result<Churn> {
    let time = scene.plan.churn;
    let worker = Program::start(scene, ours, "work", CHURNED, &[])?;
    let words = ["--connections", "8", "--rate", &RATE.to_string(), "--seconds", &time.as_secs().to_string()];
    let mut enqueuer = Program::start(scene, ours, "enqueue", CHURNED, &words)?;
    enqueuer.quiet_for(time);
    let (jobs, seconds) = enqueuer
        .until(|event| match event {
            Event::EnqueuingEnded { jobs, seconds } => Some((*jobs, *seconds)),
            _ => None,
        })
        .await?;
    enqueuer.ends().await?;
    let mut connection = scene.connect(CHURNED).await?;
    while !nothing_left(&mut connection, ours).await? {
        sleep(Duration::from_millis(10)).await;
    }
    worker.kill().await?;
    let done: i64 = ask(&mut connection, "select count(*) from jobs_done").await?;
    ensure!(done == jobs, "{jobs} jobs were enqueued, {done} are done");
    let churn = Churn {
        jobs,
        seconds,
        // As the server knows it, and as it will be cleaned up.
        dead: ask(&mut connection, "select n_dead_tup from pg_stat_user_tables where relname = 'jobs'").await?,
        table: size(&mut connection, "pg_table_size('jobs')").await?,
        indexes: size(&mut connection, "pg_indexes_size('jobs')").await?,
        history: size(
            &mut connection,
            "(select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'jobs_done'::regclass)",
        )
        .await?,
    };
    connection.close().await?;
    Ok(churn)
}

async fn size(connection: &mut PgConnection, bytes: &str) -> anyhow::Result<f64> {
    ask(connection, &format!("select ({bytes} / 1048576.0)::float8")).await
}

fn section(scene: &Scene<'_>, churn: &Churn, rounds: &[Vec<Drained>; 3]) -> Section {
    let mut section =
        Section::new(format!("History and churn: the drain of ours again; medians of {} rounds", scene.plan.rounds));
    section.columns(&["", "per second", "to fresh"]);
    let [fresh, kept, churned] = rounds.each_ref().map(|of| median(of.iter().map(|round| round.per_second)));
    let names = [
        "a fresh database".to_owned(),
        format!("{} finished jobs kept", scene.plan.finished),
        format!("after {:.0} s of churn", churn.seconds),
    ];
    for (name, speed) in names.into_iter().zip([fresh, kept, churned]) {
        section.row(vec![name, format!("{speed:.0}"), format!("{:.2}", speed / fresh.max(1.0))]);
    }
    #[expect(clippy::cast_precision_loss, reason = "jobs of a churn fit")]
    section.note(format!(
        "churn: {} jobs, {:.0}/s enqueued and run; then jobs has {} dead rows, {:.1} MiB and {:.1} MiB of indexes; jobs_done {:.1} MiB",
        churn.jobs,
        churn.jobs as f64 / churn.seconds,
        churn.dead,
        churn.table,
        churn.indexes,
        churn.history
    ));
    section.target(Target::at_least("drain with finished jobs kept, to fresh", kept / fresh.max(1.0), SHARE, "x"));
    section.target(Target::at_least("drain after churn, to fresh", churned / fresh.max(1.0), SHARE, "x"));
    section.detail(serde_json::json!({ "churn": churn, "fresh": rounds[0], "kept": rounds[1], "churned": rounds[2] }));
    section
}
