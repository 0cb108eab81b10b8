//! The handler's answer is the decision.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use queue::{Ctx, Job, JobError, Outcome, Retry, Verdict, Workers};
use serde::{Deserialize, Serialize};

use crate::stage::{Note, Stage, desk, enqueue, mark};

/// A desk whose answer depends on the number and the attempt.
fn answering(answer: fn(&Ctx, i64) -> Outcome) -> Workers {
    Workers::new("desk", 1).handle(move |ctx: Ctx, note: Note| async move { answer(&ctx, note.n) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_waits_longer_each_time_without_a_slot_and_is_dead_after_its_attempts() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 1).handle(|ctx: Ctx, note: Note| async move {
        if note.n == 1 { Err(JobError::retry("no luck")) } else { mark(&ctx, note.n, "noted").await }
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until("select count(*) from job_attempts", 1).await;
    // The only slot is free while the failed job waits.
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until_done(1).await;
    stage.until("select count(*) from jobs where state = 'dead'", 1).await;
    assert_eq!(
        stage.count("select count(*) from job_attempts where verdict = 'failed' and error = 'no luck'").await,
        3
    );
    assert_eq!(stage.count("select attempts::bigint from jobs").await, 3);
    assert_eq!(stage.text("select reason from jobs").await.unwrap(), "no luck");
    // Base 40 ms, jitter 20 %: at least 32 ms, then at least 64 ms.
    let waits = "select count(*) from (select started_at - lag(ended_at) over (order by attempt) as wait, attempt from job_attempts) w
        where wait < case attempt when 2 then interval '31 ms' else interval '63 ms' end";
    assert_eq!(stage.count(waits).await, 0, "a retry came too early");
    let late = "select count(*) from (select started_at - lag(ended_at) over (order by attempt) as wait from job_attempts) w where wait > interval '2 s'";
    assert_eq!(stage.count(late).await, 0, "a retry was found by polling only");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_waits_as_long_as_the_other_side_said() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![answering(|ctx, _| match ctx.attempt {
        1 => Err(JobError::RetryAfter(Duration::from_millis(700), "429".to_owned())),
        _ => Ok(Verdict::Done),
    })]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select attempts::bigint from jobs_done").await, 2);
    let runs = stage.count("select count(*) from job_runs").await;
    assert_eq!(runs, 2, "the view unites the failed run and the last one");
    let early = "select count(*) from job_attempts a, jobs_done d where d.claimed_at - a.ended_at < interval '690 ms'";
    assert_eq!(stage.count(early).await, 0);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_uses_no_attempt() {
    static ASKED: AtomicI64 = AtomicI64::new(0);
    let stage = Stage::new().await;
    let engine = stage.engine(vec![answering(|_, _| match ASKED.fetch_add(1, Ordering::SeqCst) {
        0..6 => Ok(Verdict::Snooze(Duration::from_millis(5))),
        _ => Ok(Verdict::Done),
    })]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select attempts::bigint from jobs_done").await, 1, "six snoozes and one attempt");
    assert_eq!(stage.count("select count(*) from job_attempts where verdict = 'snoozed'").await, 6);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_is_recorded_and_discard_is_dead_at_once() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![answering(|_, n| match n {
        1 => Ok(Verdict::Cancel("the channel is gone".into())),
        _ => Err(JobError::discard("not a video")),
    })]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until("select count(*) from jobs where state = 'dead' and reason = 'not a video' and attempts = 1", 1).await;
    stage
        .until("select count(*) from jobs_done where verdict = 'cancelled' and reason = 'the channel is gone'", 1)
        .await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failure_with_its_message_and_the_worker_lives_on() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![answering(|_, n| {
        assert!(n != 1, "one is unlucky");
        Ok(Verdict::Done)
    })]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until("select count(*) from jobs where state = 'dead' and attempts = 3", 1).await;
    assert!(stage.text("select reason from jobs").await.unwrap().contains("panicked: one is unlucky"));
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until_done(1).await;
    engine.stop().await;
    stage.close().await;
}

#[derive(Debug, Serialize, Deserialize)]
struct Doze;

impl Job for Doze {
    const NAME: &'static str = "doze";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(2, Duration::from_millis(10), Duration::from_millis(10));
    const TIMEOUT: Duration = Duration::from_millis(100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_stopped_and_tried_again() {
    let stage = Stage::new().await;
    let stopped = Arc::new(AtomicI64::new(0));
    let seen = stopped.clone();
    let workers = Workers::new("desk", 1).handle(move |ctx: Ctx, _: Doze| {
        let seen = seen.clone();
        async move {
            ctx.cancelled.cancelled().await;
            seen.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        }
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Doze).await;
    stage.until("select count(*) from jobs where state = 'dead' and attempts = 2", 1).await;
    assert_eq!(stage.count("select count(*) from job_attempts where verdict = 'timed_out'").await, 2);
    assert_eq!(stopped.load(Ordering::SeqCst), 2, "each run was asked to stop first");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_kind_and_an_unreadable_payload_are_dead_letters_with_a_reason() {
    let stage = Stage::new().await;
    stage.run("insert into jobs (kind, version, pool, payload, max_attempts) values ('mystery', 1, 'desk', '{}', 5), ('note', 1, 'desk', '{\"n\":\"x\"}', 5)").await;
    let engine = stage.engine(vec![desk(2)]);
    stage.until("select count(*) from jobs where state = 'dead' and attempts = 1", 2).await;
    assert!(
        stage
            .text("select reason from jobs where kind = 'mystery'")
            .await
            .unwrap()
            .contains("no handler for kind mystery")
    );
    assert!(stage.text("select reason from jobs where kind = 'note'").await.unwrap().contains("cannot be read"));
    engine.stop().await;
    stage.close().await;
}

#[derive(Debug, Serialize, Deserialize)]
struct NewNote {
    n: i64,
    colour: Option<String>,
}

impl Job for NewNote {
    const NAME: &'static str = "note";
    const VERSION: i16 = 2;
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(1, Duration::ZERO, Duration::ZERO);
    const TIMEOUT: Duration = Duration::from_secs(5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_left_untouched_for_a_newer_worker_and_an_older_one_is_read() {
    let stage = Stage::new().await;
    let old = stage.engine(vec![desk(2)]);
    enqueue(&old.db, &NewNote { n: 20, colour: None }).await;
    enqueue(&old.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    assert_eq!(
        stage.count("select count(*) from jobs where state = 'ready' and attempts = 0 and version = 2").await,
        1
    );
    old.stop().await;
    let newer = Workers::new("desk", 2).handle(|ctx: Ctx, note: NewNote| async move {
        mark(&ctx, note.n, note.colour.as_deref().unwrap_or("plain")).await
    });
    let new = stage.engine(vec![newer]);
    enqueue(&new.db, &Note { n: 3 }).await;
    stage.until("select count(*) from marks where what = 'plain' and n in (3, 20)", 2).await;
    new.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_finished_in_a_transaction_which_rolled_back_fails_like_any_other() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 1).handle(|ctx: Ctx, note: Note| async move {
        let mut tx = ctx.db().begin().await?;
        ctx.finish(&mut tx).await?;
        if ctx.attempt == 1 {
            tx.rollback().await?;
            return Err(JobError::retry("the effect was refused"));
        }
        sqlx::query("insert into marks (n, what) values ($1, 'second')").bind(note.n).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Verdict::Done)
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Note { n: 5 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select count(*) from marks").await, 1);
    assert_eq!(stage.count("select count(*) from job_attempts where verdict = 'failed'").await, 1);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_owner_can_neither_write_its_effect_nor_take_the_job_from_its_new_owner() {
    let stage = Stage::new().await;
    let pool = stage.pool.clone();
    let workers = Workers::new("desk", 1).handle(move |ctx: Ctx, note: Note| {
        let pool = pool.clone();
        async move {
            if note.n == 1 {
                // As if the janitor had given the job to somebody else meanwhile.
                sqlx::query("update jobs set token = 42 where id = $1").bind(ctx.job_id).execute(&pool).await?;
                let refused = mark(&ctx, note.n, "stale").await;
                assert!(matches!(refused, Err(JobError::Stale)), "{refused:?}");
                return Err(JobError::retry("a late message"));
            }
            mark(&ctx, note.n, "noted").await
        }
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    let taken = "select count(*) from jobs where state = 'running' and token = 42";
    stage.until(taken, 1).await;
    // There is one slot: the second begins when the first has ended, which it need not where both wait.
    enqueue(&engine.db, &Note { n: 2 }).await;
    stage.until_done(1).await;
    assert_eq!(stage.count("select count(*) from marks where what = 'stale'").await, 0);
    assert_eq!(stage.count(taken).await, 1);
    assert_eq!(stage.count("select count(*) from job_attempts").await, 0, "the late message wrote nothing");
    engine.stop().await;
    stage.close().await;
}
