//! What holds over the whole fleet: how many jobs of a key or a pool run at once, and how often they start.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use queue::{
    Ctx, Job, JobError, Limit, Retry, Verdict, Workers,
    admin::{self, Filter},
};
use serde::{Deserialize, Serialize};

use crate::stage::{Note, Stage, by, enqueue, mark};

/// At most two at once an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Call {
    account: i64,
    n: i64,
}

impl Job for Call {
    const NAME: &'static str = "call";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);
    const LIMIT: Option<Limit> = Some(Limit::running(2));

    fn limit_key(&self) -> Option<String> {
        Some(format!("account:{}", self.account))
    }
}

/// At most five in 400 ms an account, and one after another in a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Post {
    account: i64,
    room: i64,
    n: i64,
}

impl Job for Post {
    const NAME: &'static str = "post";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);
    const LIMIT: Option<Limit> = Some(Limit::starts(5, Duration::from_millis(400)));

    fn limit_key(&self) -> Option<String> {
        Some(format!("account:{}", self.account))
    }

    fn order_key(&self) -> Option<String> {
        Some(format!("room:{}", self.room))
    }
}

/// How many are inside by key, and how many ever were at once.
#[derive(Debug, Default, Clone)]
struct Crowd(Arc<Mutex<HashMap<i64, (usize, usize)>>>);

impl Crowd {
    fn enters(&self, key: i64) {
        let mut inside = self.0.lock().unwrap();
        let (now, most) = inside.entry(key).or_default();
        *now += 1;
        *most = (*most).max(*now);
    }

    fn leaves(&self, key: i64) {
        self.0.lock().unwrap().get_mut(&key).unwrap().0 -= 1;
    }

    fn most(&self, key: i64) -> usize {
        self.0.lock().unwrap().get(&key).map_or(0, |(_, most)| *most)
    }
}

fn callers(crowd: &Crowd) -> Workers {
    let crowd = crowd.clone();
    Workers::new("desk", 8).handle(move |ctx: Ctx, call: Call| {
        let crowd = crowd.clone();
        async move {
            crowd.enters(call.account);
            // Long enough that others would meet it.
            tokio::time::sleep(Duration::from_millis(5)).await;
            crowd.leaves(call.account);
            if call.n % 7 == 0 && ctx.attempt == 1 {
                return Err(JobError::retry("once more"));
            }
            mark(&ctx, call.n, "called").await
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_key_no_more_run_at_once_than_its_limit_says_in_all_processes_together() {
    let stage = Stage::new().await;
    let crowd = Crowd::default();
    let one = stage.engine(vec![callers(&crowd)]);
    let two = stage.engine(vec![callers(&crowd)]);
    for n in 0..90 {
        enqueue(&one.db, &Call { account: n % 3, n }).await;
    }
    stage.until_done(90).await;
    for account in 0..3 {
        assert_eq!(crowd.most(account), 2, "account {account}");
    }
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_key_no_more_start_in_any_window_than_its_limit_says_and_rooms_keep_their_order() {
    let stage = Stage::new().await;
    let workers = || {
        Workers::new("desk", 8)
            .handle(|ctx: Ctx, post: Post| async move { mark(&ctx, post.n, &post.room.to_string()).await })
    };
    let one = stage.engine(vec![workers()]);
    let two = stage.engine(vec![workers()]);
    for n in 0..24 {
        enqueue(&one.db, &Post { account: n % 2, room: n % 4, n }).await;
    }
    stage.until_done(24).await;
    let crowded = "select count(*) from (
        select claimed_at, lag(claimed_at, 5) over (partition by payload->'account' order by claimed_at) as before
        from jobs_done) s where claimed_at - before < interval '400 ms'";
    assert_eq!(stage.count(crowded).await, 0);
    let disorder = "select count(*) from (select n, lag(n) over (partition by what order by id) as before from marks) o where n < before";
    assert_eq!(stage.count(disorder).await, 0);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_a_limit_hold_nobody_else_up() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, priority, limit_key)
        select 'call', 1, 'desk', jsonb_build_object('account', 1, 'n', n), 3, 9, 'account:1' from generate_series(1, 200) n",
        )
        .await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 4)
        .handle(move |_: Ctx, call: Call| {
            let mut door = door.clone();
            async move {
                if call.account == 1 {
                    let _ = door.wait_for(|open| *open).await;
                }
                Ok(Verdict::Done)
            }
        })
        .handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "noted").await });
    let engine = stage.engine(vec![workers]);
    stage.until("select count(*) from jobs where state = 'running'", 2).await;
    for n in 0..20 {
        enqueue(&engine.db, &Note { n }).await;
        enqueue(&engine.db, &Call { account: 2, n }).await;
    }
    stage.until_done(40).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'running'").await, 2);
    let filter = Filter { key: Some("account:1".to_owned()), ..Filter::default() };
    let mut conn = stage.pool.acquire().await.unwrap();
    let paging = admin::Paging { after: None, oldest_first: false, limit: 10 };
    let page = admin::list(&mut conn, &filter, paging).await.unwrap();
    drop(conn);
    assert!(page.jobs.iter().all(|job| job.waits_for.as_deref() == Some("limit")), "who looks sees what they wait for");
    open.send(true).unwrap();
    stage.until_done(240).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_a_dead_process_held_is_given_to_the_next() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, limit_key, state, token, worker, claimed_at, attempts)
        select 'call', 1, 'desk', jsonb_build_object('account', 1, 'n', n), 3, 'account:1', 'running', n, 999999, app_now(), 1
        from generate_series(1, 2) n",
        )
        .await;
    let crowd = Crowd::default();
    let engine = stage.engine(vec![callers(&crowd)]);
    enqueue(&engine.db, &Call { account: 1, n: 3 }).await;
    // The two of the dead process run in a child of their own, which this program does not have: they are dead soon.
    stage.until("select count(*) from marks where n = 3", 1).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_keys_are_worked_off() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, limit_key)
        select 'call', 1, 'desk', jsonb_build_object('account', n % 4000, 'n', n), 3, 'account:' || n % 4000
        from generate_series(1, 8000) n",
        )
        .await;
    let workers = || Workers::new("desk", 200).handle(|_: Ctx, _: Call| async { Ok(Verdict::Done) });
    let one = stage.engine(vec![workers()]);
    let two = stage.engine(vec![workers()]);
    stage.until_done(8000).await;
    queue::maintain(&stage.pool, 1).await.unwrap();
    assert_eq!(stage.count("select count(*) from job_gates").await, 0, "gates of keys that are gone are gone");
    assert_eq!(stage.count("select count(*) from job_gates_freed").await, 0);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_is_limited_by_hand_in_all_processes_and_set_free_again() {
    let stage = Stage::new().await;
    let crowd = Crowd::default();
    let workers = || {
        let crowd = crowd.clone();
        Workers::new("desk", 8).handle(move |ctx: Ctx, note: Note| {
            let crowd = crowd.clone();
            async move {
                crowd.enters(0);
                tokio::time::sleep(Duration::from_millis(5)).await;
                crowd.leaves(0);
                mark(&ctx, note.n, "noted").await
            }
        })
    };
    let one = stage.engine(vec![workers()]);
    let two = stage.engine(vec![workers()]);
    let mut tx = one.db.begin().await.unwrap();
    admin::limit(&mut tx, &by(), "desk", Some(Limit::running(3)), Some("the provider is ill")).await.unwrap();
    tx.commit().await.unwrap();
    for n in 0..60 {
        enqueue(&one.db, &Note { n }).await;
    }
    stage.until_done(60).await;
    assert_eq!(crowd.most(0), 3);
    let mut tx = one.db.begin().await.unwrap();
    admin::limit(&mut tx, &by(), "desk", Some(Limit::starts(4, Duration::from_millis(300))), None).await.unwrap();
    tx.commit().await.unwrap();
    for n in 0..12 {
        enqueue(&two.db, &Note { n }).await;
    }
    stage.until_done(72).await;
    let crowded = "select count(*) from (
        select claimed_at, lag(claimed_at, 4) over (order by claimed_at) as before from (select * from jobs_done order by id desc limit 12) last
        ) s where claimed_at - before < interval '300 ms'";
    assert_eq!(stage.count(crowded).await, 0);
    let mut tx = one.db.begin().await.unwrap();
    assert!(admin::limit(&mut tx, &by(), "desk", None, None).await.unwrap());
    tx.commit().await.unwrap();
    for n in 0..60 {
        enqueue(&one.db, &Note { n }).await;
    }
    stage.until_done(132).await;
    assert!(crowd.most(0) > 3, "{}", crowd.most(0));
    assert_eq!(stage.count("select count(*) from job_acts where act in ('limit', 'unlimit')").await, 3);
    one.stop().await;
    two.stop().await;
    stage.close().await;
}

/// Looks while the process of an engine with nothing to do gives its second sign of life from now.
async fn looks_in_a_beat(stage: &Stage) -> i64 {
    beat(stage).await;
    let before = stage.looks().await;
    beat(stage).await;
    stage.looks().await - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_whose_places_are_taken_is_not_asked_again_and_again_because_its_last_starts_are_old() {
    let stage = Stage::new().await;
    stage
        .run(
            "create sequence fetches;
             create function looked() returns trigger language plpgsql as $$ begin perform nextval('fetches'); return null; end $$;
             create trigger looked after update on job_gates execute function looked()",
        )
        .await;
    stage.run("insert into job_limits (pool, most_running, most_starts, per_ms) values ('desk', 1, 2, 100)").await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 8).handle(move |ctx: Ctx, note: Note| {
        let mut door = door.clone();
        async move {
            if note.n == 3 {
                let _ = door.wait_for(|open| *open).await;
            }
            mark(&ctx, note.n, "noted").await
        }
    });
    let engine = stage.engine(vec![workers]);
    for n in 1..=4 {
        enqueue(&engine.db, &Note { n }).await;
    }
    stage.until_done(2).await;
    stage.until("select count(*) from jobs where state = 'running'", 1).await;
    let looks = looks_in_a_beat(&stage).await;
    open.send(true).unwrap();
    stage.until_done(4).await;
    assert!(looks < 30, "{looks} looks");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_wait_at_a_gate_of_a_paused_pool_are_not_looked_at_again_and_again() {
    let stage = Stage::new().await;
    stage.count_looks().await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 8).handle(move |ctx: Ctx, call: Call| {
        let mut door = door.clone();
        async move {
            let _ = door.wait_for(|open| *open).await;
            mark(&ctx, call.n, "called").await
        }
    });
    let engine = stage.engine(vec![workers]);
    for n in 0..6 {
        enqueue(&engine.db, &Call { account: 1, n }).await;
    }
    stage.until("select count(*) from jobs where waits_for = 'limit'", 4).await;
    stage.run("insert into pauses (pool) values ('desk')").await;
    open.send(true).unwrap();
    stage.until_done(2).await;
    let looks = looks_in_a_beat(&stage).await;
    stage.run("delete from pauses").await;
    engine.db.wakes().publish(queue::Topic::Pool("desk".into()));
    stage.until_done(6).await;
    assert!(looks < 30, "{looks} looks");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_a_limit_of_a_newer_release_hold_up_none_that_this_one_reads() {
    let stage = Stage::new().await;
    stage.count_looks().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, limit_key)
        select 'call', 2, 'desk', jsonb_build_object('account', n, 'n', n), 3, 'account:' || n from generate_series(1, 20) n",
        )
        .await;
    let crowd = Crowd::default();
    let engine = stage.engine(vec![callers(&crowd)]);
    enqueue(&engine.db, &Call { account: 100, n: 100 }).await;
    stage.until("select count(*) from marks where n = 100", 1).await;
    let looks = looks_in_a_beat(&stage).await;
    assert!(looks < 30, "{looks} looks");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_newer_release_that_wait_at_a_gate_are_not_looked_at_again_and_again() {
    let stage = Stage::new().await;
    stage.count_looks().await;
    stage.run("insert into job_gates (pool, key, most_running) values ('desk', 'account:1', 2)").await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, limit_key, waits_for)
        select 'call', 2, 'desk', jsonb_build_object('account', 1, 'n', n), 3, 'account:1', 'limit' from generate_series(1, 3) n",
        )
        .await;
    stage.run("insert into job_gates_freed values ('desk', 'account:1')").await;
    let crowd = Crowd::default();
    let engine = stage.engine(vec![callers(&crowd)]);
    enqueue(&engine.db, &Call { account: 100, n: 100 }).await;
    stage.until("select count(*) from marks where n = 100", 1).await;
    let looks = looks_in_a_beat(&stage).await;
    assert!(looks < 30, "{looks} looks");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_at_which_a_claim_has_just_set_a_job_aside_is_not_forgotten() {
    let stage = Stage::new().await;
    stage.run("insert into job_gates (pool, key, most_running) values ('desk', 'account:1', 1)").await;
    // A claim that takes one and sets one aside while the gate's being forgotten is judged.
    let mut claim = stage.pool.begin().await.unwrap();
    sqlx::query("select from job_gates for update").execute(&mut *claim).await.unwrap();
    let pool = stage.pool.clone();
    let forgetting = tokio::spawn(async move { queue::maintain(&pool, 1).await });
    stage
        .until(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
            1,
        )
        .await;
    sqlx::query(
        "insert into jobs (kind, version, pool, payload, max_attempts, limit_key, state, token, worker, claimed_at, attempts)
        values ('call', 1, 'desk', '{\"account\":1,\"n\":1}', 3, 'account:1', 'running', 1, 999999, app_now(), 1)",
    )
    .execute(&mut *claim)
    .await
    .unwrap();
    sqlx::query(
        "insert into jobs (kind, version, pool, payload, max_attempts, limit_key, waits_for)
        values ('call', 1, 'desk', '{\"account\":1,\"n\":2}', 3, 'account:1', 'limit')",
    )
    .execute(&mut *claim)
    .await
    .unwrap();
    sqlx::query("update job_gates set opens_at = null").execute(&mut *claim).await.unwrap();
    claim.commit().await.unwrap();
    forgetting.await.unwrap().unwrap();
    stage.run("delete from jobs where state = 'running'").await;
    let engine = stage.engine(vec![callers(&Crowd::default())]);
    stage.until("select count(*) from marks", 1).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_back_closes_no_limit_for_that_long() {
    let stage = Stage::new().await;
    // Starts an hour ahead: the clock was put back after them.
    stage
        .run(
            "insert into job_gates (pool, key, most_starts, per_ms, starts)
        values ('desk', 'account:1', 5, 400, array_fill(app_now() + interval '1 hour', '{5}'))",
        )
        .await;
    let workers =
        Workers::new("desk", 8).handle(|ctx: Ctx, post: Post| async move { mark(&ctx, post.n, "posted").await });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Post { account: 1, room: 1, n: 1 }).await;
    stage.until_done(1).await;
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_high_priority_in_a_limited_pool_leaves_a_quarter_to_the_others() {
    let stage = Stage::new().await;
    stage.run("insert into job_limits (pool, most_running) values ('desk', 1)").await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, priority)
        select 'note', 1, 'desk', jsonb_build_object('n', priority), 3, priority
        from generate_series(1, 40) n cross join unnest('{9, 0}'::int[]) as p (priority)",
        )
        .await;
    let engine = stage.engine(vec![crate::stage::desk(8)]);
    stage.until_done(80).await;
    let first = "select string_agg(n::text, '' order by id) from (select * from marks order by id limit 16) m";
    assert_eq!(stage.text(first).await.unwrap(), "9990999099909990");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_with_a_limit_and_those_without_take_turns_in_a_limited_pool() {
    let stage = Stage::new().await;
    stage.run("insert into job_limits (pool, most_running) values ('desk', 1)").await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, limit_key)
        select 'call', 1, 'desk', jsonb_build_object('account', n, 'n', n), 3, 'account:' || n from generate_series(1, 20) n
        union all
        select 'note', 1, 'desk', jsonb_build_object('n', n), 3, null from generate_series(1, 20) n",
        )
        .await;
    let workers = Workers::new("desk", 8)
        .handle(|ctx: Ctx, call: Call| async move { mark(&ctx, call.n, "c").await })
        .handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "n").await });
    let engine = stage.engine(vec![workers]);
    stage.until_done(40).await;
    let first = "select string_agg(what, '' order by id) from (select * from marks order by id limit 10) m";
    let first = stage.text(first).await.unwrap();
    assert!(first == "cncncncncn" || first == "ncncncncnc", "{first}");
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_run_that_began_before_its_pool_was_limited_lets_the_next_one_begin() {
    let stage = Stage::new().await;
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 8).handle(move |ctx: Ctx, note: Note| {
        let mut door = door.clone();
        async move {
            let _ = door.wait_for(|open| *open).await;
            mark(&ctx, note.n, "noted").await
        }
    });
    let engine = stage.engine(vec![workers]);
    stage.until("select count(*) from job_workers", 1).await;
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until("select count(*) from jobs where state = 'running'", 1).await;
    let mut tx = engine.db.begin().await.unwrap();
    admin::limit(&mut tx, &by(), "desk", Some(Limit::running(1)), None).await.unwrap();
    tx.commit().await.unwrap();
    enqueue(&engine.db, &Note { n: 2 }).await;
    // It has been looked for in vain.
    stage.until("select count(*) from job_gates", 1).await;
    beat(&stage).await;
    open.send(true).unwrap();
    stage.until_done(2).await;
    engine.stop().await;
    stage.close().await;
}

/// Waits for the next sign of life.
async fn beat(stage: &Stage) {
    let beats = stage.count("select max(beats) from job_workers").await;
    stage.until(&format!("select count(*) from job_workers where beats > {beats}"), 1).await;
}
