//! Claim, run, acknowledge.

use std::time::Duration;

use queue::{Ctx, Verdict, Workers};

use crate::stage::{Note, Stage, desk, enqueue};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_enqueued_in_a_transaction_runs_once_and_its_effect_commits_with_done() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(4)]);
    enqueue(&engine.db, &Note { n: 7 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select sum(n)::bigint from marks").await, 7);
    assert_eq!(stage.count("select count(*) from jobs").await, 0);
    assert_eq!(
        stage.count("select count(*) from job_attempts").await,
        0,
        "a first-attempt success needs no attempt row"
    );
    engine.stop().await;
    assert_eq!(stage.count("select count(*) from job_workers").await, 0, "a process that ends cleanly leaves no row");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_transaction_rolls_back_never_was() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(4)]);
    let mut tx = engine.db.begin().await.unwrap();
    queue::enqueue(&mut tx, &Note { n: 1 }).await.unwrap();
    tx.rollback().await.unwrap();
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select n from marks").await, 2);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_jobs_without_transactions_of_their_own_are_acknowledged_in_batches() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 64).handle(|_: Ctx, _: Note| async { Ok(Verdict::Done) });
    let engine = stage.engine(vec![workers]);
    let mut tx = engine.db.begin().await.unwrap();
    for n in 0..1000 {
        queue::enqueue(&mut tx, &Note { n }).await.unwrap();
    }
    tx.commit().await.unwrap();
    stage.until_done(1000).await;
    let largest = stage.count("select max(c) from (select count(*) c from jobs_done group by xmin::text) b").await;
    assert!(largest > 1, "no batch was larger than one");
    tokio::time::timeout(Duration::from_secs(5), engine.stop()).await.expect("an idle engine stops at once");
    stage.close().await;
}
