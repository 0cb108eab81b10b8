//! The short way: from the order into a free slot of the same process.

use std::time::Duration;

use queue::{Ctx, Database, Dedupe, Enqueued, Job, Options, Retry, Tx, Verdict, Workers, admin};
use serde::{Deserialize, Serialize};

use crate::stage::{Engine, Note, Stage, by, desk, enqueue, mark, pause, within};

/// Born claimed: order and claim are one statement, so of one time.
const HANDED_OVER: &str = "select count(*) from jobs_done where verdict = 'done' and claimed_at = created_at";

/// Orders the job in a transaction of its own until its row is born claimed. A claim that happens to be on its way holds
/// all slots, so the first try may miss.
async fn ordered<J: Job>(db: &Database, job: &J) -> Tx {
    let mut ordered = None;
    let found = within(Duration::from_secs(10), async || {
        let mut tx = db.begin().await.unwrap();
        let Enqueued::New(id) = queue::enqueue(&mut tx, job).await.unwrap() else { return false };
        let state: String =
            sqlx::query_scalar("select state from jobs where id = $1").bind(id).fetch_one(&mut *tx).await.unwrap();
        if state == "running" {
            ordered = Some(tx);
        }
        ordered.is_some()
    })
    .await;
    assert!(found, "nothing is handed over");
    ordered.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_finds_a_free_slot_is_claimed_by_its_order_and_runs_as_any_other() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, note: Note| async move {
        let trace = ctx.trace.as_deref().unwrap_or("none").to_owned();
        mark(&ctx, note.n, &format!("attempt {} for {trace}", ctx.attempt)).await
    });
    let engine = stage.engine(vec![workers]);
    let tx = queue::trace::scope("request-7", ordered(&engine.db, &Note { n: 1 })).await;
    tx.commit().await.unwrap();
    stage.until_done(1).await;
    assert_eq!(stage.count(HANDED_OVER).await, 1);
    assert_eq!(stage.text("select what from marks").await.unwrap(), "attempt 1 for request-7");
    assert_eq!(stage.count("select count(*) from jobs_done where attempts = 1 and worker is not null").await, 1);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_of_a_handed_over_job_is_tried_again_by_its_policy() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, note: Note| async move {
        if ctx.attempt == 1 {
            return Err(queue::JobError::retry("not yet"));
        }
        mark(&ctx, note.n, "noted").await
    });
    let engine = stage.engine(vec![workers]);
    ordered(&engine.db, &Note { n: 1 }).await.commit().await.unwrap();
    stage.until_done(1).await;
    assert_eq!(stage.count("select attempts::bigint from jobs_done").await, 2);
    assert_eq!(stage.count("select count(*) from job_attempts where verdict = 'failed' and attempt = 1").await, 1);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_pool_is_handed_nothing() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(4)]);
    ordered(&engine.db, &Note { n: 0 }).await.commit().await.unwrap();
    stage.until_done(1).await;
    pause(&engine.db, None).await;
    for n in 1..=10 {
        enqueue(&engine.db, &Note { n }).await;
    }
    assert_eq!(stage.count("select count(*) from jobs where state = 'ready' and attempts = 0").await, 10);
    let mut tx = engine.db.begin().await.unwrap();
    admin::resume(&mut tx, &by(), "desk").await.unwrap();
    tx.commit().await.unwrap();
    stage.until_done(11).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_free_slot_a_job_waits_and_what_is_due_later_or_has_an_order_key_is_the_claims_business() {
    let stage = Stage::new().await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 1)
        .handle(move |ctx: Ctx, note: Note| {
            let mut door = door.clone();
            async move {
                let _ = door.wait_for(|open| *open).await;
                mark(&ctx, note.n, "noted").await
            }
        })
        .handle(|ctx: Ctx, step: Step| async move { mark(&ctx, step.n, "stepped").await });
    let engine = stage.engine(vec![workers]);
    let first = ordered(&engine.db, &Note { n: 1 }).await;
    enqueue(&engine.db, &Note { n: 2 }).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'ready'").await, 1, "the slot is kept");
    first.commit().await.unwrap();
    enqueue(&engine.db, &Note { n: 3 }).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'ready'").await, 2, "the slot is taken");
    open.send(true).unwrap();
    stage.until_done(3).await;
    for n in 4..=8 {
        let mut tx = engine.db.begin().await.unwrap();
        let soon = Options { delay: Some(Duration::from_millis(1)), ..Options::default() };
        queue::enqueue_with(&mut tx, &Note { n }, soon).await.unwrap();
        queue::enqueue(&mut tx, &Step { n }).await.unwrap();
        let born: i64 = sqlx::query_scalar("select count(*) from jobs where state = 'running' and token is not null")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(born, 0);
        tx.commit().await.unwrap();
        stage.until("select count(*) from jobs", 0).await;
    }
    engine.stop().await;
    stage.close().await;
}

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    n: i64,
}

impl Job for Step {
    const NAME: &'static str = "step";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn order_key(&self) -> Option<String> {
        Some("stairs".to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_frees_the_slot_and_runs_nothing() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(2).handle(|_: Ctx, _: Once| async { Ok(Verdict::Done) })]);
    for n in 1..=3 {
        ordered(&engine.db, &Note { n }).await.rollback().await.unwrap();
        drop(ordered(&engine.db, &Note { n }).await);
    }
    // A folded order keeps no slot: both are free again for the next two.
    let mut tx = ordered(&engine.db, &Once {}).await;
    assert_eq!(queue::enqueue(&mut tx, &Once {}).await.unwrap(), Enqueued::Folded);
    drop(ordered(&engine.db, &Note { n: 4 }).await);
    drop(tx);
    let one = ordered(&engine.db, &Note { n: 5 }).await;
    ordered(&engine.db, &Note { n: 9 }).await.commit().await.unwrap();
    drop(one);
    stage.until_done(1).await;
    assert_eq!(stage.count("select n from marks").await, 9);
    engine.stop().await;
    stage.close().await;
}

/// One event for ever.
#[derive(Debug, Serialize, Deserialize)]
struct Once {}

impl Job for Once {
    const NAME: &'static str = "once";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("only".to_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_nobody_heard_leaves_no_job_without_a_runner() {
    let stage = Stage::new().await;
    stage
        .run(
            "create table slow (n bigint);
             create function linger() returns trigger language plpgsql as $$ begin perform pg_sleep(0.7); return new; end $$;
             create constraint trigger slow after insert on slow deferrable initially deferred
                 for each row execute function linger()",
        )
        .await;
    let engine = stage.engine(vec![desk(1)]);
    let mut tx = ordered(&engine.db, &Note { n: 1 }).await;
    sqlx::query("insert into slow values (1)").execute(&mut *tx).await.unwrap();
    // Whoever waits for the answer goes away while the server is still at it.
    assert!(tokio::time::timeout(Duration::from_millis(100), tx.commit()).await.is_err());
    assert_eq!(stage.count("select count(*) from jobs").await, 0, "it has not committed yet");
    stage.until_done(1).await;
    assert_eq!(stage.count("select count(*) from jobs_done where attempts = 1 and crashes = 0").await, 1);
    assert_eq!(stage.count("select count(*) from marks").await, 1);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_refused_frees_the_slot_and_runs_nothing() {
    let stage = Stage::new().await;
    stage.run("create table single (n bigint unique deferrable initially deferred)").await;
    let engine = stage.engine(vec![desk(1)]);
    let mut tx = ordered(&engine.db, &Note { n: 1 }).await;
    sqlx::query("insert into single values (1), (1)").execute(&mut *tx).await.unwrap();
    assert!(tx.commit().await.is_err());
    ordered(&engine.db, &Note { n: 2 }).await.commit().await.unwrap();
    stage.until_done(1).await;
    assert_eq!(stage.count("select n from marks").await, 2);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_the_transaction_that_holds_a_slot_and_gives_its_job_back_unrun() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(4)]);
    let db = engine.db.clone();
    let tx = ordered(&db, &Note { n: 1 }).await;
    let stop = engine.stop();
    tokio::pin!(stop);
    let waits = tokio::time::timeout(Duration::from_millis(300), &mut stop).await.is_err();
    assert!(waits, "a drain that does not wait leaves the job to a dead name");
    enqueue(&db, &Note { n: 2 }).await;
    tx.commit().await.unwrap();
    stop.await;
    let back = "select count(*) from jobs where state = 'ready' and attempts = 0 and crashes = 0 and token is null";
    assert_eq!(stage.count(back).await, 2);
    assert_eq!(stage.count("select count(*) from marks").await, 0);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_handed_what_it_orders_itself_and_claims_what_others_order() {
    let stage = Stage::new().await;
    let idle = stage.engine(vec![]);
    let one = stage.engine(vec![desk(4)]);
    let two = stage.engine(vec![desk(4)]);
    for engine in [&one, &two] {
        ordered(&engine.db, &Note { n: 1 }).await.commit().await.unwrap();
    }
    stage.until_done(2).await;
    assert_eq!(stage.count(HANDED_OVER).await, 2);
    assert_eq!(stage.count("select count(distinct worker) from jobs_done").await, 2, "each its own");
    for n in 2..=5 {
        enqueue(&idle.db, &Note { n }).await;
    }
    stage.until_done(6).await;
    assert_eq!(stage.count(HANDED_OVER).await, 2);
    let engines: [Engine; 3] = [idle, one, two];
    for engine in engines {
        engine.stop().await;
    }
    stage.close().await;
}

/// Look at what was written.
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

fn lookout() -> Workers {
    Workers::new("desk", 2)
        .handle(|ctx: Ctx, look: Look| async move {
            let seen: Vec<i64> = sqlx::query_scalar("select n from marks where what = $1")
                .bind(format!("written at {}", look.at))
                .fetch_all(ctx.db().pool())
                .await?;
            let mut tx = ctx.db().begin().await?;
            ctx.finish(&mut tx).await?;
            sqlx::query("insert into marks (n, what) select unnest($1::bigint[]), 'seen'")
                .bind(seen)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(Verdict::Done)
        })
        .handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "noted").await })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_that_sees_one_waiting_folds_into_it_though_a_slot_is_free() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![lookout()]);
    drop(ordered(&engine.db, &Note { n: 1 }).await);
    let mut tx = engine.db.begin().await.unwrap();
    let later = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
    queue::enqueue_with(&mut tx, &Look { at: 1 }, later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(enqueue(&engine.db, &Look { at: 1 }).await, Enqueued::Folded);
    stage.until_done(1).await;
    ordered(&engine.db, &Look { at: 1 }).await.commit().await.unwrap();
    stage.until_done(2).await;
    assert_eq!(stage.count("select count(*) from jobs").await, 0);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_way_a_wake_up_takes_some_run_after_it_sees_what_was_written_before_it() {
    const WRITERS: i64 = 6;
    const EACH: i64 = 40;
    let stage = Stage::new().await;
    let (one, two) = (stage.engine(vec![lookout()]), stage.engine(vec![lookout()]));
    drop(ordered(&one.db, &Note { n: 0 }).await);
    drop(ordered(&two.db, &Note { n: 0 }).await);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let db = if writer % 2 == 0 { one.db.clone() } else { two.db.clone() };
        writers.spawn(async move {
            for n in 0..EACH {
                let at = n % 2;
                let mut tx = db.begin().await.unwrap();
                queue::enqueue(&mut tx, &Look { at }).await.unwrap();
                sqlx::query("insert into marks (n, what) values ($1, $2)")
                    .bind(writer * EACH + n)
                    .bind(format!("written at {at}"))
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                if n % 5 == 4 { tx.rollback().await.unwrap() } else { tx.commit().await.unwrap() }
            }
        });
    }
    writers.join_all().await;
    stage.until("select count(*) from jobs", 0).await;
    let unseen = "select count(*) from marks w where what <> 'seen'
                  and not exists (select 1 from marks s where s.n = w.n and s.what = 'seen')";
    assert_eq!(stage.count(unseen).await, 0);
    assert!(stage.count(HANDED_OVER).await > 0);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}
