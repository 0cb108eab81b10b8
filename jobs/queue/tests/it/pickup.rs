//! How soon a due job is found. The fallback poll is 30 s in all these tests: whatever is found sooner was woken.

use std::time::{Duration, Instant};

use queue::{Ctx, Options, Verdict, Workers};

use crate::stage::{Note, Stage, desk, enqueue, within};

fn silent(pool_slots: usize) -> Workers {
    Workers::new("desk", pool_slots).handle(|_: Ctx, _: Note| async { Ok(Verdict::Done) })
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_hundred_jobs_of_four_producers_are_all_picked_up_without_a_poll() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![silent(16)]);
    let begun = Instant::now();
    let mut producers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let db = engine.db.clone();
        producers.spawn(async move {
            for n in 0..300 {
                enqueue(&db, &Note { n }).await;
            }
        });
    }
    producers.join_all().await;
    stage.until_done(1200).await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let slow = "select count(*) from jobs_done where claimed_at - created_at > interval '2 s'";
    assert_eq!(stage.count(slow).await, 0, "a wake-up was lost");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_jobs_at_fifty_a_second_are_picked_up_at_once() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![silent(4)]);
    enqueue(&engine.db, &Note { n: 0 }).await;
    stage.until_done(1).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for n in 1..=100 {
        ticks.tick().await;
        enqueue(&engine.db, &Note { n }).await;
    }
    stage.until_done(101).await;
    let p50 = "select (1000000 * extract(epoch from percentile_cont(0.5) within group (order by claimed_at - created_at)))::bigint from jobs_done";
    let worst = "select (1000 * extract(epoch from max(claimed_at - created_at)))::bigint from jobs_done where created_at > (select min(created_at) from jobs_done)";
    let (p50, worst) = (stage.count(p50).await, stage.count(worst).await);
    assert!(p50 < 50_000, "p50 {p50} us");
    assert!(worst < 2_000, "worst {worst} ms");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_job_runs_when_it_comes_due_to_the_millisecond() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![silent(4)]);
    let mut tx = engine.db.begin().await.unwrap();
    let options = Options { delay: Some(Duration::from_millis(350)), ..Options::default() };
    queue::enqueue_with(&mut tx, &Note { n: 1 }, options).await.unwrap();
    tx.commit().await.unwrap();
    stage.until_done(1).await;
    let waited =
        stage.count("select (1000 * extract(epoch from claimed_at - created_at))::bigint from jobs_done").await;
    assert!((349..2000).contains(&waited), "{waited} ms");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_for_a_job_before_it_can_be_due() {
    let stage = Stage::new().await;
    stage.count_looks().await;
    let engine = stage.engine(vec![silent(4)]);
    let other = stage.engine(vec![silent(4)]);
    enqueue(&engine.db, &Note { n: 0 }).await;
    stage.until_done(1).await;
    let before = stage.looks().await;
    for n in 1..=30 {
        let mut tx = engine.db.begin().await.unwrap();
        let options = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
        queue::enqueue_with(&mut tx, &Note { n }, options).await.unwrap();
        tx.commit().await.unwrap();
    }
    enqueue(&engine.db, &Note { n: 31 }).await;
    stage.until_done(2).await;
    // Claim and question, for the last job and for what both heard when they began; not for thirty more.
    let looks = stage.looks().await - before;
    assert!(looks <= 12, "{looks} looks");
    engine.stop().await;
    other.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_enqueues_for_later_another_runs_when_it_comes_due() {
    let stage = Stage::new().await;
    let idle = stage.engine(vec![]);
    let working = stage.engine(vec![silent(4)]);
    // It has looked, listens, and would look again in half a minute.
    enqueue(&idle.db, &Note { n: 0 }).await;
    stage.until_done(1).await;
    let mut tx = idle.db.begin().await.unwrap();
    let options = Options { delay: Some(Duration::from_millis(700)), ..Options::default() };
    queue::enqueue_with(&mut tx, &Note { n: 1 }, options).await.unwrap();
    tx.commit().await.unwrap();
    stage.until_done(2).await;
    let waited =
        "select (1000 * extract(epoch from claimed_at - created_at))::bigint from jobs_done order by id desc limit 1";
    let waited = stage.count(waited).await;
    assert!((699..3000).contains(&waited), "{waited} ms");
    idle.stop().await;
    working.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_enqueues_wakes_another() {
    let stage = Stage::new().await;
    let idle = stage.engine(vec![]);
    let working = stage.engine(vec![silent(4)]);
    stage.until("select count(*) from job_workers", 2).await;
    let begun = Instant::now();
    enqueue(&idle.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    idle.stop().await;
    working.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_clock_makes_everybody_look() {
    let stage = Stage::new().await;
    stage.manual_clock().await;
    let engine = stage.engine(vec![desk(4)]);
    let mut tx = engine.db.begin().await.unwrap();
    let options = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
    queue::enqueue_with(&mut tx, &Note { n: 1 }, options).await.unwrap();
    tx.commit().await.unwrap();
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until_done(1).await;
    stage.advance(Duration::from_secs(3601)).await;
    stage.until_done(2).await;
    assert_eq!(stage.count("select count(*) from job_workers").await, 1, "the moved clock declared nobody dead");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_stuck_jobs_in_one_pool_leaves_another_as_it_was() {
    let stage = Stage::new().await;
    stage.run("insert into jobs (kind, version, pool, payload, max_attempts) select 'flood', 1, 'flood', '{}', 3 from generate_series(1, 20000)").await;
    let engine = stage.engine(vec![flood(), silent(4)]);
    // Handlers of the flood hold every connection that handlers may have.
    let full = within(Duration::from_secs(10), async || stage.pool.num_idle() == 0).await;
    assert!(full || stage.pool.size() > 0);
    let outside = {
        let (wakes, _outward) = queue::Wakes::new();
        queue::Database::new(sqlx::PgPool::connect(&stage.url).await.unwrap(), wakes)
    };
    for n in 0..20 {
        enqueue(&outside, &Note { n }).await;
        engine.db.wakes().pool("desk").ring();
    }
    let done = "select count(*) from jobs_done where pool = 'desk'";
    let mut count = 0;
    let reached = within(Duration::from_secs(10), async || {
        count = sqlx::query_scalar::<_, i64>(done).fetch_one(outside.pool()).await.unwrap();
        count == 20
    })
    .await;
    assert!(reached, "{count} of 20");
    let slow: i64 = sqlx::query_scalar(
        "select count(*) from jobs_done where pool = 'desk' and claimed_at - created_at > interval '1 s'",
    )
    .fetch_one(outside.pool())
    .await
    .unwrap();
    assert_eq!(slow, 0);
    outside.pool().close().await;
    engine.stop().await;
    stage.close().await;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Flood {}

impl queue::Job for Flood {
    const NAME: &'static str = "flood";
    const POOL: &'static str = "flood";
    const RETRY: queue::Retry = queue::Retry::new(3, Duration::from_secs(1), Duration::from_secs(1));
    const TIMEOUT: Duration = Duration::from_secs(60);
}

fn flood() -> Workers {
    Workers::new("flood", 12).handle(|ctx: Ctx, _: Flood| async move {
        let _held = ctx.db().pool().acquire().await?;
        ctx.cancelled.cancelled().await;
        Err(queue::JobError::retry("drained"))
    })
}
