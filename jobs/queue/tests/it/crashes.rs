//! Processes that die, stall, and come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use queue::{Ctx, Job, JobError, Retry};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    process::{Poison, Process, Start, Wait},
    stage::{Note, Stage, desk, enqueue, mark, within},
};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_killed_process_run_again_within_five_seconds_and_lose_no_attempt() {
    let stage = Stage::new().await;
    let db = stage.db();
    let killed = Process::start(&stage.url, &Start::default());
    enqueue(&db, &Wait { n: 1 }).await;
    db.wakes().pool("desk").ring();
    notify(&stage).await;
    stage.until("select count(*) from marks where what = 'begun'", 1).await;
    killed.signal(Signal::SIGKILL);
    let dead = Instant::now();
    // Whatever its name: the successor is there at once.
    let _successor = Process::start(&stage.url, &Start::default());
    stage.until("select count(*) from marks where what = 'begun'", 2).await;
    assert!(dead.elapsed() < Duration::from_millis(5500), "{:?}", dead.elapsed());
    stage.until_done(1).await;
    assert_eq!(stage.count("select count(*) from jobs_done where crashes = 1 and attempts = 1").await, 1);
    assert_eq!(stage.count("select count(*) from job_attempts where verdict = 'crashed'").await, 1);
    stage.close().await;
}

async fn notify(stage: &Stage) {
    stage.run("select pg_notify('memalerts_wake', E'test\n*')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_process_is_dead_after_three_crashes_and_its_neighbours_survive() {
    let stage = Stage::new().await;
    let db = stage.db();
    let mut first = Process::start(&stage.url, &Start { isolate: true, ..Start::default() });
    enqueue(&db, &Wait { n: 7 }).await;
    notify(&stage).await;
    stage.until("select count(*) from marks where what = 'begun'", 1).await;
    enqueue(&db, &Poison {}).await;
    notify(&stage).await;
    assert!(within(Duration::from_secs(10), async || first.has_ended()).await, "the poison did not kill");
    // From now on it runs alone: this process never dies of it.
    let mut second = Process::start(&stage.url, &Start { isolate: true, ..Start::default() });
    stage.until("select count(*) from jobs where state = 'dead' and crashes = 3", 1).await;
    stage.until_done(1).await;
    assert!(!second.has_ended());
    assert_eq!(stage.count("select count(*) from job_attempts where verdict = 'crashed'").await, 4);
    assert_eq!(stage.count("select count(*) from marks where n = 7 and what = 'ended'").await, 1);
    assert!(stage.text("select reason from jobs").await.unwrap().contains("process of its own"));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_process_that_comes_back_is_refused_and_goes_on_under_a_new_name() {
    let stage = Stage::new().await;
    let db = stage.db();
    let stalled = Process::start(&stage.url, &Start::default());
    enqueue(&db, &Wait { n: 1 }).await;
    notify(&stage).await;
    stage.until("select count(*) from marks where what = 'begun'", 1).await;
    let name = stage.text("select name from job_workers").await.unwrap();
    stalled.signal(Signal::SIGSTOP);
    let other = Process::start(&stage.url, &Start::default());
    stage.until_done(1).await;
    assert_eq!(stage.count("select count(*) from marks where what = 'ended'").await, 1);
    stalled.signal(Signal::SIGCONT);
    drop(other);
    // It registers anew, and takes work again; its late effect never appears.
    enqueue(&db, &Note { n: 2 }).await;
    notify(&stage).await;
    stage.until("select count(*) from marks where n = 2", 1).await;
    assert_eq!(stage.count(&format!("select count(*) from job_workers where name = '{name}'")).await, 0);
    let late = within(Duration::from_secs(6), async || {
        stage.count("select count(*) from marks where what = 'late'").await > 0
    })
    .await;
    assert!(!late, "a stale owner wrote its effect");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_boundary_loses_no_job_and_doubles_no_effect() {
    for point in [
        "queue::claim::before",
        "queue::claim::after",
        "queue::run::before",
        "queue::finish::before",
        "queue::finish::after",
        "queue::run::after",
        "queue::acknowledge::before",
        "queue::acknowledge::after",
    ] {
        let stage = Stage::new().await;
        let db = stage.db();
        for n in 0..20 {
            enqueue(&db, &Note { n }).await;
        }
        stage
            .run("insert into jobs (kind, version, pool, payload, max_attempts) values ('mystery', 1, 'desk', '{}', 1)")
            .await;
        let mut killed = Process::start(&stage.url, &Start { kill_at: Some(point), isolate: true });
        assert!(within(Duration::from_secs(10), async || killed.has_ended()).await, "{point} was never reached");
        let engine = stage.engine(vec![desk(8)]);
        stage.until("select count(*) from jobs where state <> 'dead'", 0).await;
        assert_eq!(stage.count("select count(distinct n) from marks").await, 20, "{point}");
        assert_eq!(stage.count("select count(*) from marks").await, 20, "{point}");
        assert_eq!(
            stage.count("select count(*) from jobs where state = 'dead' and kind = 'mystery'").await,
            1,
            "{point}"
        );
        engine.stop().await;
        stage.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_owner_keeps_its_slow_jobs_while_others_look_for_work() {
    let stage = Stage::new().await;
    let slow = || {
        queue::Workers::new("desk", 4).handle(|ctx: Ctx, note: Note| async move {
            // Longer than a lease.
            tokio::time::sleep(Duration::from_millis(4800)).await;
            mark(&ctx, note.n, "noted").await
        })
    };
    let one = stage.engine(vec![slow()]);
    let two = stage.engine(vec![slow()]);
    for n in 0..8 {
        enqueue(&one.db, &Note { n }).await;
    }
    stage.until_done(8).await;
    assert_eq!(stage.count("select count(*) from jobs_done where attempts = 1 and crashes = 0").await, 8);
    assert_eq!(stage.count("select count(*) from marks").await, 8);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

/// A job whose owner would let it run for long.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Slow {
    n: i64,
}

impl Job for Slow {
    const NAME: &'static str = "slow";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(2, Duration::from_millis(10), Duration::from_millis(10));
    const TIMEOUT: Duration = Duration::from_secs(600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_its_live_owner_forgot_is_taken_half_a_minute_after_its_deadline_and_tried_again() {
    let stage = Stage::new().await;
    let (wakened, refused) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let workers = queue::Workers::new("desk", 4).handle({
        let (wakened, refused) = (wakened.clone(), refused.clone());
        move |ctx: Ctx, slow: Slow| {
            let (wakened, refused) = (wakened.clone(), refused.clone());
            async move {
                if slow.n == 1 && ctx.attempt > 1 {
                    return mark(&ctx, slow.n, "again").await;
                }
                // The runner that should have stopped it is stuck itself.
                wakened.notified().await;
                let outcome = mark(&ctx, slow.n, "late").await;
                if matches!(outcome, Err(JobError::Stale)) {
                    refused.notify_one();
                }
                outcome
            }
        }
    });
    let engine = stage.engine(vec![workers]);
    for n in [1, 2] {
        enqueue(&engine.db, &Slow { n }).await;
    }
    stage.until("select count(*) from jobs where state = 'running'", 2).await;
    stage
        .run(
            "update jobs set deadline = machine_now() - make_interval(secs => case when (payload->>'n')::int = 1 then 31 else 10 end)",
        )
        .await;
    stage.until("select count(*) from marks where n = 1 and what = 'again'", 1).await;
    let attempt = stage.text("select verdict || ': ' || error from job_attempts").await.unwrap();
    assert_eq!(attempt, "timed_out: overdue, and its owner did not stop it");
    // The owner of the other has twenty seconds left, and keeps it.
    assert_eq!(stage.count("select count(*) from jobs where state = 'running' and attempts = 1").await, 1);
    wakened.notify_waiters();
    refused.notified().await;
    stage.until_done(2).await;
    assert_eq!(stage.count("select count(*) from marks where what = 'late' and n = 2").await, 1);
    assert_eq!(stage.count("select count(*) from marks").await, 2, "the late run of the first wrote nothing");
    engine.stop().await;
    stage.close().await;
}
