//! Orders that are already there.

use std::time::Duration;

use queue::{Ctx, Dedupe, Enqueued, Job, JobError, Options, Retry, Verdict, Workers, admin};
use serde::{Deserialize, Serialize};

use crate::stage::{Stage, by, enqueue, mark, pause};

#[derive(Debug, Serialize, Deserialize)]
struct Greet {
    event: i64,
}

impl Job for Greet {
    const NAME: &'static str = "greet";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.event.to_string()))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Look {
    at: i64,
}

impl Job for Look {
    const NAME: &'static str = "look";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(5, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.at.to_string()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_has_one_unfinished_job() {
    let stage = Stage::new().await;
    let db = stage.db();
    assert!(matches!(enqueue(&db, &Greet { event: 1 }).await, Enqueued::New(_)));
    assert_eq!(enqueue(&db, &Greet { event: 1 }).await, Enqueued::Folded);
    assert!(matches!(enqueue(&db, &Greet { event: 2 }).await, Enqueued::New(_)));
    stage.run("update jobs set state = 'running', token = 1").await;
    assert_eq!(enqueue(&db, &Greet { event: 1 }).await, Enqueued::Folded, "a running one counts, too");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_folds_into_a_waiting_one_and_the_earlier_wish_wins() {
    let stage = Stage::new().await;
    let db = stage.db();
    let mut tx = db.begin().await.unwrap();
    let later = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
    queue::enqueue_with(&mut tx, &Look { at: 1 }, later.clone()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(enqueue(&db, &Look { at: 1 }).await, Enqueued::Folded);
    assert_eq!(stage.count("select count(*) from jobs where run_at <= app_now()").await, 1);
    let mut tx = db.begin().await.unwrap();
    queue::enqueue_with(&mut tx, &Look { at: 1 }, later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        stage.count("select count(*) from jobs where run_at <= app_now()").await,
        1,
        "a later wish delays nothing"
    );
    stage.run("update jobs set state = 'running', token = 1").await;
    assert!(matches!(enqueue(&db, &Look { at: 1 }).await, Enqueued::New(_)), "a running one has looked already");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_after_a_folded_wake_up_sees_what_its_caller_committed() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, look: Look| async move {
        let seen: i64 =
            sqlx::query_scalar("select count(*) from marks where what = 'written'").fetch_one(ctx.db().pool()).await?;
        mark(&ctx, look.at, &format!("saw {seen}")).await
    });
    let quiet = stage.db();
    enqueue(&quiet, &Look { at: 1 }).await;
    // The caller folds into the waiting order, writes, and takes its time to commit.
    let mut tx = quiet.begin().await.unwrap();
    assert_eq!(queue::enqueue(&mut tx, &Look { at: 1 }).await.unwrap(), Enqueued::Folded);
    sqlx::query("insert into marks (n, what) values (1, 'written')").execute(&mut *tx).await.unwrap();
    let engine = stage.engine(vec![workers]);
    // Another job runs through, so claims do happen meanwhile; the locked one is skipped.
    enqueue(&engine.db, &Look { at: 2 }).await;
    stage.until("select count(*) from marks where n = 2 and what = 'saw 0'", 1).await;
    tx.commit().await.unwrap();
    engine.db.wakes().pool("desk").ring();
    stage.until("select count(*) from marks where n = 1 and what = 'saw 1'", 1).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_wake_up_folds_into_the_one_that_came_meanwhile() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, look: Look| async move {
        let first: bool =
            sqlx::query_scalar("select not exists (select 1 from marks)").fetch_one(ctx.db().pool()).await?;
        if first {
            // While we run, somebody wishes again, for later; then we fail, or sleep, or are given back.
            let mut tx = ctx.db().begin().await?;
            sqlx::query("insert into marks (n, what) values ($1, 'tried')").bind(look.at).execute(&mut *tx).await?;
            let later = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
            let new = queue::enqueue_with(&mut tx, &Look { at: look.at }, later).await?;
            assert!(matches!(new, Enqueued::New(_)));
            tx.commit().await?;
            return Err(JobError::retry("not yet"));
        }
        Ok(Verdict::Done)
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Look { at: 1 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select count(*) from jobs").await, 0);
    assert_eq!(stage.count("select count(*) from jobs_done where verdict = 'folded' and reason = 'not yet'").await, 1);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_running_wake_ups_of_one_key_that_both_fail_end_as_one() {
    let stage = Stage::new().await;
    let db = stage.db();
    // Nothing is claimed until both are back: the first must still wait when the second comes.
    pause(&db, None).await;
    for n in 0..2 {
        enqueue(&db, &Look { at: 1 }).await;
        stage
            .run(&format!("update jobs set state = 'running', token = {n} + 1, worker = 999 where state = 'ready'"))
            .await;
    }
    // Their process is unknown, so the janitor gives both back; the second folds into the first.
    let engine = stage.engine(vec![Workers::new("desk", 1).handle(|_: Ctx, _: Look| async { Ok(Verdict::Done) })]);
    stage.until("select count(*) from jobs_done where verdict = 'folded'", 1).await;
    let mut tx = engine.db.begin().await.unwrap();
    assert!(admin::resume(&mut tx, &by(), "desk").await.unwrap());
    tx.commit().await.unwrap();
    stage.until("select count(*) from jobs_done where verdict = 'done'", 1).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_whose_folding_caller_rolls_back_is_still_picked_up_soon() {
    let stage = Stage::new().await;
    let quiet = stage.db();
    enqueue(&quiet, &Look { at: 1 }).await;
    let mut tx = quiet.begin().await.unwrap();
    assert_eq!(queue::enqueue(&mut tx, &Look { at: 1 }).await.unwrap(), Enqueued::Folded);
    let engine = stage.engine(vec![Workers::new("desk", 4).handle(|_: Ctx, _: Look| async { Ok(Verdict::Done) })]);
    enqueue(&engine.db, &Look { at: 2 }).await;
    stage.until_done(1).await;
    // Rings no bell, and the poll is 30 s away.
    tx.rollback().await.unwrap();
    stage.until_done(2).await;
    engine.stop().await;
    stage.close().await;
}
