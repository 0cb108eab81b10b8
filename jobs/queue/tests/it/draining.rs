//! The end of a process on request.

use std::time::{Duration, Instant};

use queue::{Ctx, JobError, Settings, Verdict, Workers};

use crate::stage::{Note, Stage, enqueue, mark, quick};

async fn begun(ctx: &Ctx, n: i64) {
    sqlx::query("insert into marks (n, what) values ($1, 'begun')").bind(n).execute(ctx.db().pool()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_within_the_grace_is_done_and_one_that_gives_up_on_request_loses_no_attempt() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, note: Note| async move {
        begun(&ctx, note.n).await;
        ctx.cancelled.cancelled().await;
        if note.n == 1 { mark(&ctx, 1, "ended").await } else { Err(JobError::retry("asked to stop")) }
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until("select count(*) from marks where what = 'begun'", 2).await;
    let asked = Instant::now();
    engine.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(stage.count("select count(*) from marks where what = 'ended'").await, 1);
    assert_eq!(
        stage.count("select count(*) from jobs where state = 'ready' and attempts = 0 and crashes = 0").await,
        1
    );
    assert_eq!(stage.count("select count(*) from job_attempts").await, 0);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_outlasts_the_grace_is_cut_and_given_back_without_using_an_attempt() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 1).handle(|ctx: Ctx, note: Note| async move {
        begun(&ctx, note.n).await;
        std::future::pending::<()>().await;
        Ok(Verdict::Done)
    });
    let engine = stage.engine_with(vec![workers], Settings { grace: Duration::from_millis(200), ..quick() });
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until("select count(*) from marks", 1).await;
    let asked = Instant::now();
    engine.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(
        stage.count("select count(*) from jobs where state = 'ready' and attempts = 0 and token is null").await,
        1
    );
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_begins_after_the_drain_has_begun() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 1).handle(|ctx: Ctx, note: Note| async move {
        begun(&ctx, note.n).await;
        ctx.cancelled.cancelled().await;
        mark(&ctx, note.n, "ended").await
    });
    let engine = stage.engine(vec![workers]);
    for n in 0..10 {
        enqueue(&engine.db, &Note { n }).await;
    }
    stage.until("select count(*) from marks", 1).await;
    engine.stop().await;
    assert_eq!(stage.count("select count(*) from marks where what = 'begun'").await, 1);
    assert_eq!(stage.count("select count(*) from jobs where state = 'ready' and attempts = 0").await, 9);
    stage.close().await;
}
