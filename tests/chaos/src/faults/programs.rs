//! Faults that programs are: a job that takes its process along, and a prober that does not end as it should.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use domain::audit::AuditMoney;
use queue::{Database, Wakes};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Struck, clients, orders};
use crate::{
    fleet::{DISPATCHERS, Extra},
    rig::Rig,
    uploads,
};

/// How a process dies of a job: by its own hand, of its stack, of its memory, by the kernel's hand.
const DEATHS: [&str; 4] = ["abort", "overflow", "devour", "kill"];
/// KiB of address space; a process that has eaten this much is refused more, and ends.
const ROOM_KIB: u64 = 3 << 20;
/// Until the job is buried: a lease, a restart, and two processes of its own.
const BURIED: Duration = Duration::from_secs(30);

/// A job that takes its process along is dead after three crashes, and one process was lost to it: the other two crashes
/// were those of processes of its own.
pub(super) async fn takes_its_process_along(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let death = *DEATHS.choose(rng).context("deaths")?;
    let mut struck = Struck::default();
    // Whoever may take it is armed.
    rig.fleet.reshape(false).await?;
    for role in DISPATCHERS {
        rig.fleet.kill(role).await?;
        let extra =
            Extra { failpoints: format!("audit::money::before={death}"), room_kib: Some(ROOM_KIB), ..Extra::default() };
        rig.fleet.start_with(role, &extra)?;
    }
    let db = Database::new(rig.pool.clone(), Wakes::new().0);
    let mut tx = db.begin().await?;
    queue::enqueue(&mut tx, &AuditMoney {}).await?;
    tx.commit().await?;
    let (begun, before) = (Instant::now(), orders::ended(rig).await?);
    let mut lost = 0;
    loop {
        lost += rig.fleet.tend()?.len();
        let dead = sqlx::query!(
            r#"select crashes, coalesce(reason, '') as "reason!" from jobs where kind = 'audit-money' and state = 'dead'"#
        );
        if let Some(dead) = dead.fetch_optional(&rig.pool).await? {
            struck.recovery = Some(begun.elapsed());
            if dead.crashes != 3 || dead.reason.is_empty() {
                struck.findings.push(format!("F5: buried after {} crashes, because {:?}", dead.crashes, dead.reason));
            }
            break;
        }
        if begun.elapsed() > BURIED {
            struck.findings.push(format!("F5: a job that takes its process along was not buried within {BURIED:?}"));
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    struck.hit = lost > 0;
    if lost > 1 {
        struck.findings.push(format!("F5: {lost} processes were lost to one job"));
    }
    while orders::ended(rig).await? < before + 10 {
        if begun.elapsed() > BURIED + Duration::from_secs(10) {
            struck.findings.push("F5: nothing else went on".to_owned());
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    sqlx::query!("delete from jobs where kind = 'audit-money' and state = 'dead'").execute(&rig.pool).await?;
    for role in DISPATCHERS {
        rig.fleet.kill(role).await?;
        rig.fleet.start(role, "")?;
    }
    struck.detail = format!("{death} of its process");
    Ok(struck)
}

/// What the prober does, by the mark at the end of the file; numbers of seconds that nothing else sleeps.
const PROBER: &str = r#"#!/bin/sh
case "$(tail -c 10 /proc/self/fd/0)" in
    chaos-hang) exec sleep 86397 ;;
    chaos-fork) for child in 1 2 3 4 5 6 7 8; do sleep 86398 & done; exec sleep 86399 ;;
    chaos-eats) dd if=/dev/zero of=/dev/null bs=2G count=1 2>/dev/null && exec sleep 86397; exit ;;
esac
exec ffprobe "$@"
"#;
const ITS_PROCESSES: [&[u8]; 3] = [b"sleep\x0086397", b"sleep\x0086398", b"sleep\x0086399"];
/// The prober's time.
const PROBE: Duration = Duration::from_millis(1500);
/// What becomes of each upload. Who eats memory is refused more than it may have, and says nothing that could be a report;
/// were it not, it would hang.
const MARKS: [(&str, &str); 3] =
    [("chaos-hang", "UPLOAD_TIMEOUT"), ("chaos-fork", "UPLOAD_TIMEOUT"), ("chaos-eats", "INVALID_FILE_CONTENT")];

/// A prober that hangs, one that leaves children, and one that eats memory: each is ended with all that it started, and the
/// upload fails with a reason; other uploads go on.
pub(super) async fn bad_prober(rig: &mut Rig, rng: &mut StdRng) -> anyhow::Result<Struck> {
    let mut struck = Struck::default();
    rig.fleet.reshape(false).await?;
    let program = rig.store.with_file_name("prober");
    std::fs::write(&program, PROBER)?;
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    rig.fleet.kill("media").await?;
    let environment = vec![
        ("FFPROBE_PATH", program.display().to_string()),
        ("PROBE_TIMEOUT_MS", PROBE.as_millis().to_string()),
        ("MEDIA_CONCURRENCY", "3".to_owned()),
    ];
    rig.fleet.start_with("media", &Extra { environment, ..Extra::default() })?;
    let token = clients::log_in(rig, &rig.world.channels[0].owner_login, "streamer").await?;
    let base = format!("http://{}", rig.fleet.api);
    let mut sent = Vec::new();
    for (mark, expected) in MARKS {
        let bytes = rig.sample.marked(&format!("{:032x}{mark}", rng.random::<u128>()));
        let key = Uuid::from_u128(rng.random());
        let request = uploads::request(&Client::new(), &base, &token, key, bytes)?;
        let answer = request.timeout(Duration::from_secs(10)).send().await?;
        ensure!(answer.status() == StatusCode::ACCEPTED, "an upload got {}", answer.status());
        let body: Value = answer.json().await?;
        sent.push((body["id"].as_str().context("the submission's id")?.parse::<Uuid>()?, mark, expected));
    }
    let ids: Vec<Uuid> = sent.iter().map(|(id, ..)| *id).collect();
    let begun = Instant::now();
    let mut seen = 0;
    loop {
        seen = seen.max(its_processes()?);
        let open = sqlx::query_scalar!(
            r#"select count(*) as "count!" from meme_submissions where id = any ($1) and upload_state not in ('ready', 'failed')"#,
            &ids
        );
        if open.fetch_one(&rig.pool).await? == 0 {
            struck.recovery = Some(begun.elapsed());
            break;
        }
        if begun.elapsed() > Duration::from_secs(30) {
            struck.findings.push("F41: uploads were neither refused nor given up within 30 s".to_owned());
            break;
        }
        // The next try of what failed is half a minute away: as an operator would, it is ordered for now.
        let hurried = sqlx::query!(
            "update jobs set run_at = app_now() where kind = 'probe-upload' and state = 'ready' and attempts > 0"
        );
        if hurried.execute(&rig.pool).await?.rows_affected() > 0 {
            sqlx::query!("select pg_notify('memalerts_wake', E'chaos\\npmedia')").fetch_one(&rig.pool).await?;
        }
        sleep(Duration::from_millis(50)).await;
    }
    for (id, mark, expected) in &sent {
        let code = sqlx::query_scalar!("select error_code from meme_submissions where id = $1", id);
        let code = code.fetch_one(&rig.pool).await?;
        if code.as_deref() != Some(*expected) {
            struck.findings.push(format!("F41: {mark} ended with {code:?}, not {expected}"));
        }
    }
    // Signals are delivered soon, not at once.
    sleep(Duration::from_secs(1)).await;
    let (left, zombies) = (its_processes()?, rig.fleet.zombies("media")?);
    if left + zombies > 0 {
        struck.findings.push(format!("F41: {left} processes of the prober live on, {zombies} are zombies"));
    }
    struck.hit = seen > 0;
    struck.detail = format!("it hung, left children, ate memory: {seen} of its processes were seen at once");
    // Given up means dead, for somebody to look at; here nobody will.
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    sqlx::query!("delete from jobs where state = 'dead' and payload ->> 'submission' = any ($1)", &ids)
        .execute(&rig.pool)
        .await?;
    rig.fleet.kill("media").await?;
    rig.fleet.start("media", "")?;
    Ok(struck)
}

/// How many processes there are that only our prober starts.
fn its_processes() -> anyhow::Result<usize> {
    let mut found = 0;
    for entry in std::fs::read_dir(Path::new("/proc"))? {
        // One that has ended meanwhile has none.
        let command = std::fs::read(entry?.path().join("cmdline")).unwrap_or_default();
        found += usize::from(ITS_PROCESSES.iter().any(|begin| command.starts_with(begin)));
    }
    Ok(found)
}
