//! What one process of everything costs while nothing happens: memory, and how soon it is there.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::{process::Command, time::sleep};

use crate::{
    Bench,
    report::{Section, Target},
    samples::median,
    seed::SECRET,
    server::Server,
};

/// MiB, without PostgreSQL.
const RESIDENT: f64 = 60.0;
const START_MS: f64 = 1000.0;
/// Until an idle process is idle.
const CALM: Duration = Duration::from_secs(5);

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let data = bench.disk.join("footprint");
    let data = data.to_str().context("the folder's name")?;
    let log = bench.out.join("footprint.log");
    let first = start(bench, data, &log).await?;
    let first_start = first.came_up_in;
    // The demo data is made once.
    first.says("Try it").await?;
    first.stop().await?;

    let mut starts = Vec::new();
    for _ in 0..bench.plan.starts {
        let server = start(bench, data, &log).await?;
        starts.push(server.came_up_in.as_secs_f64() * 1000.0);
        server.stop().await?;
    }

    let server = start(bench, data, &log).await?;
    sleep(CALM).await;
    let after_start = server.resident()?;
    let base_url = format!("http://{}", server.address);
    let demo = Command::new(&bench.binary).args(["demo", "--base-url", &base_url]).kill_on_drop(true).output().await?;
    ensure!(demo.status.success(), "the demo failed:\n{}", String::from_utf8_lossy(&demo.stdout));
    sleep(CALM).await;
    let after_demo = server.resident()?;
    server.stop().await?;

    let (typical, slowest) = (median(starts.iter().copied()), starts.iter().copied().fold(0.0, f64::max));
    let mut section =
        Section::new("One process of everything (`memalerts all`, private PostgreSQL not counted)".to_owned());
    section.columns(&["", "figure"]);
    section.row(vec!["RSS, idle after the start".to_owned(), format!("{after_start:.1} MiB")]);
    section.row(vec!["RSS, idle after the demo".to_owned(), format!("{after_demo:.1} MiB")]);
    section.row(vec![
        format!("start to the first good GET /health, existing database, {} starts", starts.len()),
        format!("{typical:.0} ms, slowest {slowest:.0} ms"),
    ]);
    section.row(vec![
        "the same with a new database (once)".to_owned(),
        format!("{:.0} ms", first_start.as_secs_f64() * 1000.0),
    ]);
    section.note("a start includes that of the private PostgreSQL".to_owned());
    section.target(Target::at_most("idle RSS", after_start.max(after_demo), RESIDENT, "MiB"));
    section.target(Target::at_most("slowest start on an existing database", slowest, START_MS, "ms"));
    section.detail(json!({
        "startsMs": starts,
        "firstStartMs": first_start.as_secs_f64() * 1000.0,
        "residentAfterStartMib": after_start,
        "residentAfterDemoMib": after_demo,
    }));
    Ok(section)
}

async fn start(bench: &Bench, data: &str, log: &Path) -> anyhow::Result<Server> {
    let mut command = Command::new(&bench.binary);
    command.arg("all");
    let environment =
        [("MEMALERTS_ENV", "dev"), ("MEMALERTS_SECRET", SECRET), ("MEMALERTS_DATA_DIR", data), ("METRICS_PORT", "0")];
    Server::start(command, &environment, log).await
}
