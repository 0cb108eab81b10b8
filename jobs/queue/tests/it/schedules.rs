//! Periodic jobs over several processes.

use std::time::Duration;

use queue::Workers;

use crate::stage::{Note, Stage, desk};

fn hourly() -> Workers {
    desk(2).every(Duration::from_secs(3600), || Note { n: 1 })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tick_is_enqueued_once_over_two_processes_and_a_restart() {
    let stage = Stage::new().await;
    stage.manual_clock().await;
    let one = stage.engine(vec![hourly()]);
    let two = stage.engine(vec![hourly()]);
    stage.until("select count(*) from job_schedules", 1).await;
    stage.until("select count(*) from job_workers", 2).await;
    for tick in 1..=3 {
        stage.advance(Duration::from_secs(3600)).await;
        stage.until_done(tick).await;
    }
    one.stop().await;
    two.stop().await;
    // Missed while nobody ran: one, not five; and the ticks after it stay on the hour.
    let before = stage.text("select to_char(next_at, 'MI:SS') from job_schedules").await;
    stage.advance(Duration::from_secs(5 * 3600 + 600)).await;
    let again = stage.engine(vec![hourly()]);
    stage.until_done(4).await;
    stage.advance(Duration::from_secs(2400)).await;
    stage.until_done(4).await;
    assert_eq!(stage.text("select to_char(next_at, 'MI:SS') from job_schedules").await, before);
    stage.advance(Duration::from_secs(1201)).await;
    stage.until_done(5).await;
    again.stop().await;
    assert_eq!(stage.count("select count(*) from marks").await, 5);
    stage.close().await;
}
