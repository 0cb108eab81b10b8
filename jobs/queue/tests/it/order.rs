//! Who comes first.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use queue::{Ctx, Job, JobError, Options, Retry, Verdict, Workers};
use serde::{Deserialize, Serialize};

use crate::stage::{Note, Stage, enqueue, mark};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Say {
    room: i64,
    n: i64,
}

impl Job for Say {
    const NAME: &'static str = "say";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(2, Duration::from_millis(30), Duration::from_millis(30));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn order_key(&self) -> Option<String> {
        Some(format!("room:{}", self.room))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn larger_priority_first_then_the_longest_due() {
    let stage = Stage::new().await;
    let db = stage.db();
    for (n, priority) in [(1, 0), (2, 5), (3, 0), (4, 9), (5, 5)] {
        let mut tx = db.begin().await.unwrap();
        let options = Options { priority: Some(priority), ..Options::default() };
        queue::enqueue_with(&mut tx, &Note { n }, options).await.unwrap();
        tx.commit().await.unwrap();
    }
    let engine = stage.engine(vec![crate::stage::desk(1)]);
    stage.until_done(5).await;
    assert_eq!(stage.text("select string_agg(n::text, ' ' order by id) from marks").await.unwrap(), "4 2 5 1 3");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_one_key_never_overlap_and_run_in_the_order_of_their_commits() {
    const ROOMS: i64 = 5;
    const EACH: i64 = 30;
    let stage = Stage::new().await;
    let inside = Arc::new(Mutex::new(vec![false; usize::try_from(ROOMS).unwrap()]));
    let workers = || {
        let inside = inside.clone();
        Workers::new("desk", 8).handle(move |ctx: Ctx, say: Say| {
            let inside = inside.clone();
            async move {
                let room = usize::try_from(say.room).unwrap();
                assert!(!std::mem::replace(&mut inside.lock().unwrap()[room], true), "two at once in room {room}");
                tokio::task::yield_now().await;
                inside.lock().unwrap()[room] = false;
                mark(&ctx, say.n, &format!("room {}", say.room)).await
            }
        })
    };
    let one = stage.engine(vec![workers()]);
    let two = stage.engine(vec![workers()]);
    // One producer a room: what it commits first runs first. All rooms at once.
    let mut producers = tokio::task::JoinSet::new();
    for room in 0..ROOMS {
        let db = one.db.clone();
        producers.spawn(async move {
            for n in 0..EACH {
                enqueue(&db, &Say { room, n }).await;
            }
        });
    }
    producers.join_all().await;
    stage.until_done(ROOMS * EACH).await;
    let disorder = "select count(*) from (select n, lag(n) over (partition by what order by id) as before from marks) o where n < before";
    assert_eq!(stage.count(disorder).await, 0);
    assert_eq!(stage.count("select count(*) from jobs_done where attempts > 1").await, 0);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_job_that_commits_late_never_runs_beside_a_later_one() {
    let stage = Stage::new().await;
    let db = stage.db();
    let mut early = db.begin().await.unwrap();
    queue::enqueue(&mut early, &Say { room: 1, n: 1 }).await.unwrap();
    enqueue(&db, &Say { room: 1, n: 2 }).await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 4).handle(move |ctx: Ctx, say: Say| {
        let mut door = door.clone();
        async move {
            if say.n == 2 {
                let mut tx = ctx.db().begin().await?;
                sqlx::query("insert into marks (n, what) values (2, 'inside')").execute(&mut *tx).await?;
                tx.commit().await?;
                let _ = door.wait_for(|open| *open).await;
            }
            mark(&ctx, say.n, "said").await
        }
    });
    let engine = stage.engine(vec![workers]);
    stage.until("select count(*) from marks where what = 'inside'", 1).await;
    early.commit().await.unwrap();
    // The other rooms prove that claims happened after the late commit.
    enqueue(&engine.db, &Say { room: 2, n: 9 }).await;
    stage.until("select count(*) from marks where n = 9", 1).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'running'").await, 1);
    open.send(true).unwrap();
    stage.until_done(3).await;
    assert_eq!(
        stage
            .text("select string_agg(n::text, ' ' order by id) from marks where what = 'said' and n < 9")
            .await
            .unwrap(),
        "2 1"
    );
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backoff_blocks_the_key_and_a_dead_job_releases_it() {
    let stage = Stage::new().await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, say: Say| async move {
        if say.n == 1 {
            return Err(JobError::retry("never"));
        }
        mark(&ctx, say.n, "said").await
    });
    let engine = stage.engine(vec![workers]);
    for n in 1..=3 {
        enqueue(&engine.db, &Say { room: 1, n }).await;
    }
    stage.until_done(2).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'dead'").await, 1);
    let jumped = "select count(*) from marks m, job_attempts a where m.at < a.ended_at";
    assert_eq!(stage.count(jumped).await, 0, "a successor ran while its predecessor still had attempts");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_of_later_jobs_of_a_higher_priority_does_not_hold_up_those_that_are_due() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, priority, run_at)
        select 'note', 1, 'desk', '{\"n\":0}', 3, 7, app_now() + interval '1 day' from generate_series(1, 50000)",
        )
        .await;
    let engine = stage.engine(vec![Workers::new("desk", 4).handle(|_: Ctx, _: Note| async { Ok(Verdict::Done) })]);
    let begun = std::time::Instant::now();
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_behind_one_key_does_not_hold_up_other_jobs() {
    let stage = Stage::new().await;
    // The head of the line waits for its time, and fifty thousand wait for the head.
    stage.run("insert into jobs (kind, version, pool, payload, max_attempts, order_key, run_at)
        select 'say', 1, 'desk', '{\"room\":1,\"n\":0}', 3, 'room:1', app_now() + case n when 1 then interval '1 day' else '0' end
        from generate_series(1, 50000) n").await;
    let workers = Workers::new("desk", 4)
        .handle(|ctx: Ctx, say: Say| async move { mark(&ctx, say.n, "said").await })
        .handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "noted").await });
    let engine = stage.engine(vec![workers]);
    stage.until("select count(*) from job_workers", 1).await;
    let begun = std::time::Instant::now();
    for n in 0..20 {
        enqueue(&engine.db, &Say { room: 2 + n % 3, n }).await;
        enqueue(&engine.db, &Note { n }).await;
    }
    stage.until_done(40).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_in_a_line_is_not_looked_at_again_until_the_one_before_has_ended() {
    let stage = Stage::new().await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 4).handle(move |ctx: Ctx, say: Say| {
        let mut door = door.clone();
        async move {
            let _ = door.wait_for(|open| *open).await;
            mark(&ctx, say.n, "said").await
        }
    });
    let engine = stage.engine(vec![workers]);
    for n in 0..3 {
        enqueue(&engine.db, &Say { room: 1, n }).await;
    }
    stage.until("select count(*) from jobs where waits_for = 'line'", 2).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'running'").await, 1);
    open.send(true).unwrap();
    stage.until_done(3).await;
    assert_eq!(stage.text("select string_agg(n::text, ' ' order by id) from marks").await.unwrap(), "0 1 2");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_the_first_of_a_line_away_lets_the_next_one_on() {
    let stage = Stage::new().await;
    let db = stage.db();
    for n in 0..4 {
        enqueue(&db, &Say { room: 1, n }).await;
    }
    // As claims leave it that have met the first one, which waits for its time.
    stage.run("update jobs set run_at = app_now() + interval '1 day' where payload->>'n' = '0'").await;
    stage.run("update jobs set waits_for = 'line' where payload->>'n' <> '0'").await;
    let waiting = "select string_agg(payload->>'n', ' ' order by id) from jobs where waits_for = 'line'";
    stage.run("delete from jobs where payload->>'n' = '2'").await;
    assert_eq!(stage.text(waiting).await.unwrap(), "1 3", "one from the middle of the line lets nobody on");
    stage.run("delete from jobs where payload->>'n' = '0'").await;
    assert_eq!(stage.text(waiting).await.unwrap(), "3");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_dies_after_it_has_set_a_job_aside_holds_nobody_up() {
    let stage = Stage::new().await;
    let db = stage.db();
    for room in 0..150 {
        enqueue(&db, &Say { room, n: room }).await;
    }
    stage.run("update jobs set waits_for = 'line'").await;
    let workers = Workers::new("desk", 4).handle(|ctx: Ctx, say: Say| async move { mark(&ctx, say.n, "said").await });
    let engine = stage.engine(vec![workers]);
    stage.until_done(150).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_lines_are_worked_off_and_each_in_its_order() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, order_key)
        select 'say', 1, 'desk', jsonb_build_object('room', n % 10000, 'n', n), 3, 'room:' || n % 10000 from generate_series(1, 20000) n",
        )
        .await;
    let workers = || Workers::new("desk", 200).handle(|_: Ctx, _: Say| async { Ok(Verdict::Done) });
    let one = stage.engine(vec![workers()]);
    let two = stage.engine(vec![workers()]);
    stage.until_done(20_000).await;
    let disorder =
        "select count(*) from (select claimed_at, lag(finished_at) over (partition by order_key order by id) as before
        from jobs_done) o where claimed_at < before";
    assert_eq!(stage.count(disorder).await, 0);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

/// Full claims of one slot: three by priority, the fourth for a smaller one.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_high_priority_leaves_a_quarter_to_the_others() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, priority)
        select 'note', 1, 'desk', jsonb_build_object('n', priority), 3, priority
        from generate_series(1, 40) n cross join unnest('{9, 5, 0}'::int[]) as p (priority)",
        )
        .await;
    let engine = stage.engine(vec![crate::stage::desk(1)]);
    stage.until_done(120).await;
    let first = "select string_agg(n::text, '' order by id) from (select * from marks order by id limit 16) m";
    assert_eq!(stage.text(first).await.unwrap(), "9995999099959990");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_take_neighbours_out_of_a_line_do_not_wait_for_each_other() {
    let stage = Stage::new().await;
    let db = stage.db();
    for n in 0..3 {
        enqueue(&db, &Say { room: 1, n }).await;
    }
    stage.run("update jobs set waits_for = 'line' where payload->>'n' = '2'").await;
    let hold = async |n: i64| {
        let mut tx = stage.pool.begin().await.unwrap();
        let id: i64 = sqlx::query_scalar("select id from jobs where payload->>'n' = $1::text for update")
            .bind(n.to_string())
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        (tx, id)
    };
    let take = |(mut tx, id): (sqlx::Transaction<'static, sqlx::Postgres>, i64)| {
        tokio::spawn(async move {
            sqlx::query("delete from jobs where id = $1").bind(id).execute(&mut *tx).await?;
            tx.commit().await
        })
    };
    let (first, second) = (hold(0).await, hold(1).await);
    let first = take(first);
    stage
        .until(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
            1,
        )
        .await;
    take(second).await.unwrap().unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(stage.count("select count(*) from jobs where waits_for is null").await, 1, "the third is let on");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_a_line_that_waited_for_its_limit_lets_the_next_one_on_when_it_is_taken_away() {
    let stage = Stage::new().await;
    let db = stage.db();
    for n in 0..2 {
        enqueue(&db, &Say { room: 1, n }).await;
    }
    stage.run("update jobs set waits_for = case payload->>'n' when '0' then 'limit' else 'line' end").await;
    stage.run("delete from jobs where waits_for = 'limit'").await;
    assert_eq!(stage.count("select count(*) from jobs where waits_for is null").await, 1);
    stage.close().await;
}
