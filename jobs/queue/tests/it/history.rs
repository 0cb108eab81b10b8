//! What is kept of finished jobs, and for how long.

use std::time::Duration;

use crate::stage::{Note, Stage, desk, enqueue};

#[tokio::test(flavor = "multi_thread")]
async fn finished_jobs_fall_into_daily_partitions_that_are_dropped_when_old() {
    let stage = Stage::new().await;
    stage.manual_clock().await;
    let engine = stage.engine(vec![desk(2)]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    // The clock outruns the partitions: the default takes the row, later its day takes it over.
    stage.advance(Duration::from_secs(10 * 86400)).await;
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until_done(2).await;
    engine.stop().await;
    assert_eq!(stage.count("select count(*) from jobs_done_default").await, 1);
    queue::maintain(&stage.pool, 14).await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs_done_default").await, 0);
    assert_eq!(stage.count("select count(*) from jobs_done").await, 2);
    queue::maintain(&stage.pool, 5).await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs_done").await, 1, "the older day is gone");
    queue::maintain(&stage.pool, 5).await.unwrap();
    stage.close().await;
}
