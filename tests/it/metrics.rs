//! What a process says about itself at `/metrics`.

use std::process::Stdio;

use harness::{MemalertsProcess, TestApp, TestDatabase, wait_until};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Where the process says that it serves them.
async fn address(process: &mut MemalertsProcess) -> String {
    let line = process.logged("metrics are served").await;
    format!("http://{}/metrics", line["address"].as_str().unwrap())
}

async fn scrape(url: &str) -> String {
    reqwest::get(url).await.unwrap().error_for_status().unwrap().text().await.unwrap()
}

/// What a whole system says that has worked: its demo data are uploads.
pub(crate) async fn of_a_whole_system() -> String {
    let database = TestDatabase::create().await;
    let mut all = MemalertsProcess::spawn(&["all"], &[("DATABASE_URL", database.url())]);
    let (base, url) = (all.base_url().await, address(&mut all).await);
    let health = reqwest::get(format!("{base}/health")).await.unwrap();
    assert!(health.status().is_success());
    let text = wait_until("the demo data are made", async || {
        let text = scrape(&url).await;
        text.contains("\njobs_run_seconds_count{").then_some(text)
    })
    .await;
    assert!(all.stop().await.success());
    text
}

#[tokio::test]
async fn promtool_accepts_the_metrics_of_a_whole_system() {
    let promtool = Command::new("promtool").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    if promtool.is_err() {
        assert!(std::env::var_os("CI").is_none(), "there is no promtool, and in CI nothing is skipped");
        eprintln!("SKIPPED promtool_accepts_the_metrics_of_a_whole_system: no promtool");
        return;
    }
    let text = of_a_whole_system().await;
    let mut check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let said = check.wait_with_output().await.unwrap();
    let (out, complaints) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && complaints.is_empty(), "{out}{complaints}\n{text}");
}

#[tokio::test]
async fn metrics_tell_how_much_waits_since_when_and_what_came_of_it() {
    let mut app = TestApp::builder().pools(&[]).start().await;
    app.leaves_jobs_behind();
    // Two jobs that nobody can read have been due for 90 s, one is dead, and one is under a process that is no more.
    let sql = "
        insert into job_pauses (pool) values ('outbox');
        insert into jobs (kind, version, pool, payload, max_attempts, run_at)
            select 'trim-outbox', 1, 'outbox', '\"x\"', 3, app_now() - interval '90 s' from generate_series(1, 2);
        insert into jobs (kind, version, pool, payload, max_attempts, state, died_at)
            values ('trim-outbox', 1, 'outbox', '\"x\"', 3, 'dead', app_now());
        insert into jobs (kind, version, pool, payload, max_attempts, run_at, state, token, worker, claimed_at, attempts)
            values ('trim-outbox', 1, 'outbox', '\"x\"', 3, app_now() - interval '90 s', 'running', 7, 0, app_now(), 1)";
    sqlx::raw_sql(sql).execute(app.pool()).await.unwrap();
    let mut outbox = MemalertsProcess::spawn(&["work", "outbox"], &app.process_env());
    let url = address(&mut outbox).await;
    let tells = async |lines: &[&str]| {
        for line in lines {
            wait_until(line, async || scrape(&url).await.lines().any(|said| said == *line).then_some(())).await;
        }
    };
    tells(&[
        r#"jobs_ready{pool="outbox"} 3"#,
        r#"jobs_dead{pool="outbox"} 1"#,
        r#"jobs_paused{pool="outbox"} 1"#,
        r#"jobs_in_flight{pool="outbox"} 0"#,
        r#"jobs_leases_lost_total{pool="outbox"} 1"#,
        r#"jobs_finished_total{pool="outbox",verdict="crashed"} 1"#,
        r#"jobs_started_total{pool="outbox"} 0"#,
    ])
    .await;

    let text = scrape(&url).await;
    let oldest =
        text.lines().find_map(|line| line.strip_prefix(r#"jobs_oldest_ready_seconds{pool="outbox"} "#)).unwrap();
    assert!((90.0..300.0).contains(&oldest.parse::<f64>().unwrap()), "{oldest}");

    MemalertsProcess::spawn(&["queues", "resume", "outbox"], &app.process_env()).output().await;
    tells(&[
        r#"jobs_ready{pool="outbox"} 0"#,
        r#"jobs_oldest_ready_seconds{pool="outbox"} 0"#,
        r#"jobs_dead{pool="outbox"} 4"#,
        r#"jobs_paused{pool="outbox"} 0"#,
        r#"jobs_finished_total{pool="outbox",verdict="discarded"} 2"#,
        // The one that was under a process when it died.
        r#"jobs_finished_total{pool="outbox",verdict="alone"} 1"#,
        r#"jobs_pickup_seconds_bucket{pool="outbox",le="60"} 0"#,
        r#"jobs_pickup_seconds_bucket{pool="outbox",le="300"} 3"#,
        r#"jobs_run_seconds_count{pool="outbox"} 3"#,
        r#"jobs_in_flight{pool="outbox"} 0"#,
    ])
    .await;
    assert!(outbox.stop().await.success());
}
