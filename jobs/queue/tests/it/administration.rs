//! What people may ask and order.

use std::time::Duration;

use queue::{
    Ctx, Dedupe, Job, JobError, Retry, Workers,
    admin::{self, Act, BulkError, Filter, Ordered, Paging},
};

use crate::stage::{Note, Stage, by, desk, enqueue, pause};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_listed_shown_with_its_runs_retried_and_discarded() {
    let stage = Stage::new().await;
    let failing = Workers::new("desk", 1).handle(|_: Ctx, _: Note| async { Err(JobError::discard("broken")) });
    let engine = stage.engine(vec![failing]);
    for n in 1..=3 {
        enqueue(&engine.db, &Note { n }).await;
    }
    stage.until("select count(*) from jobs where state = 'dead'", 3).await;
    engine.stop().await;

    let db = stage.db();
    let mut conn = stage.pool.acquire().await.unwrap();
    let dead = Filter { state: Some("dead".to_owned()), ..Filter::default() };
    let two = Paging { limit: 2, ..Paging::default() };
    let page = admin::list(&mut conn, &dead, two).await.unwrap();
    assert_eq!(page.jobs.len(), 2);
    let rest = admin::list(&mut conn, &dead, Paging { after: page.next, ..two }).await.unwrap();
    assert_eq!((rest.jobs.len(), rest.next), (1, None));
    let id = rest.jobs[0].id;
    let shown = admin::show(&mut conn, id).await.unwrap().unwrap();
    assert_eq!(shown.job.reason.as_deref(), Some("broken"));
    assert_eq!(shown.runs.len(), 1);
    assert_eq!(shown.runs[0].verdict, "discarded");
    assert!(admin::show(&mut conn, 999_999).await.unwrap().is_none());

    let mut tx = db.begin().await.unwrap();
    assert_eq!(admin::one(&mut tx, &by(), id, &Act::Retry).await.unwrap(), Ordered::Yes);
    assert_eq!(
        admin::one(&mut tx, &by(), page.jobs[0].id, &Act::Discard("not needed".to_owned())).await.unwrap(),
        Ordered::Yes
    );
    assert_eq!(admin::one(&mut tx, &by(), 999_999, &Act::Retry).await.unwrap(), Ordered::NotFound);
    tx.commit().await.unwrap();
    let engine = stage.engine(vec![desk(1)]);
    stage.until_done(1).await;
    assert_eq!(
        stage.count("select count(*) from jobs_done where verdict = 'discarded' and reason = 'not needed'").await,
        1
    );
    let all = admin::list(&mut conn, &Filter { pool: Some("desk".to_owned()), ..Filter::default() }, Paging::default())
        .await
        .unwrap();
    let states: Vec<&str> = all.jobs.iter().map(|job| job.state.as_str()).collect();
    assert_eq!(states, ["discarded", "dead", "done"]);
    engine.stop().await;
    drop(conn);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_pool_claims_nothing_until_it_is_resumed() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(2)]);
    stage.until("select count(*) from job_workers", 1).await;
    pause(&engine.db, Some("maintenance")).await;
    enqueue(&engine.db, &Note { n: 1 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let kinds = desk(2).kinds();
    let queues = admin::queues(&mut stage.pool.acquire().await.unwrap(), &kinds).await.unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!((queues[0].ready, queues[0].workers, queues[0].paused_reason.as_deref()), (1, 1, Some("maintenance")));
    assert!(queues[0].oldest_due_seconds.unwrap() > 0.2);
    assert_eq!(queues[0].kinds[0].name, "note");
    let mut tx = engine.db.begin().await.unwrap();
    assert!(admin::resume(&mut tx, &by(), "desk").await.unwrap());
    tx.commit().await.unwrap();
    stage.until_done(1).await;
    engine.stop().await;
    stage.close().await;
}

/// A note of which one is enough while it is unfinished.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Once {
    n: i64,
}

impl Job for Once {
    const NAME: &'static str = "once";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Note::RETRY;
    const TIMEOUT: Duration = Note::TIMEOUT;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("the one".to_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_process_begins_nothing_while_another_takes_what_comes() {
    let stage = Stage::new().await;
    let first = stage.engine(vec![desk(4)]);
    stage.until("select count(*) from job_workers", 1).await;
    let id = stage.count("select id from job_workers").await;
    let mut tx = first.db.begin().await.unwrap();
    assert_eq!(admin::pause_worker(&mut tx, &by(), id, Some("no such pool"), None).await.unwrap(), None);
    let paused = admin::pause_worker(&mut tx, &by(), id, None, Some("noisy")).await.unwrap();
    assert_eq!(paused.as_deref(), Some(&["desk".to_owned()][..]));
    tx.commit().await.unwrap();
    // Neither handed over nor claimed, though this process has free slots and is rung for.
    for n in 1..=10 {
        enqueue(&first.db, &Note { n }).await;
    }
    assert_eq!(stage.count("select count(*) from jobs where state = 'ready' and attempts = 0").await, 10);
    let second = stage.engine(vec![desk(3)]);
    stage.until_done(10).await;
    let by_second = format!("select count(*) from jobs_done where worker <> {id}");
    assert_eq!(stage.count(&by_second).await, 10);
    let queues = admin::queues(&mut stage.pool.acquire().await.unwrap(), &desk(1).kinds()).await.unwrap();
    let seen: Vec<_> =
        queues[0].processes.iter().map(|it| (it.paused, it.paused_reason.as_deref(), it.slots)).collect();
    assert_eq!(seen, [(true, Some("noisy"), Some(4)), (false, None, Some(3))]);

    second.stop().await;
    enqueue(&first.db, &Note { n: 11 }).await;
    let mut tx = first.db.begin().await.unwrap();
    assert_eq!(admin::resume_worker(&mut tx, &by(), id, Some("desk")).await.unwrap(), Some(Vec::new()));
    tx.commit().await.unwrap();
    stage.until_done(11).await;
    first.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_about_all_that_match_reaches_ten_thousand_jobs_and_none_that_runs() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, state, died_at, reason)
             select 'note', 1, 'desk', jsonb_build_object('n', n), 3, 'dead', app_now(), 'broken' from generate_series(1, 10000) n;
             insert into jobs (kind, version, pool, payload, max_attempts, state, token, worker)
             values ('note', 1, 'desk', '{\"n\": 5}', 3, 'running', 1, 999)",
        )
        .await;
    let db = stage.db();
    let dead = Filter { state: Some("dead".to_owned()), ..Filter::default() };
    let tried = admin::all(&db, &by(), &dead, &Act::Retry, true).await.unwrap();
    assert_eq!((tried.matched, tried.done), (10_000, 0));
    assert_eq!(stage.count("select count(*) from job_acts").await, 0, "nothing was done");
    let five = Filter { payload: [("n".to_owned(), "5".to_owned())].into(), ..Filter::default() };
    let gone = admin::all(&db, &by(), &five, &Act::Discard("five".to_owned()), false).await.unwrap();
    assert_eq!((gone.matched, gone.done), (1, 1), "the one that runs goes on");
    let done = admin::all(&db, &by(), &dead, &Act::Retry, false).await.unwrap();
    assert_eq!((done.matched, done.done), (9999, 9999));
    assert_eq!(
        stage.count("select count(*) from jobs where state = 'ready' and attempts = 0 and reason is null").await,
        9999
    );
    assert_eq!(stage.count("select sum(jobs)::bigint from job_acts where act = 'retry'").await, 9999);
    assert_eq!(stage.count("select count(*) from jobs where state = 'running'").await, 1);
    assert!(matches!(
        admin::all(&db, &by(), &Filter::default(), &Act::Retry, false).await,
        Err(BulkError::NoCondition)
    ));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_dead_jobs_with_one_dedupe_key_one_lives_again() {
    let stage = Stage::new().await;
    stage
        .run(
            "insert into jobs (kind, version, pool, payload, max_attempts, state, died_at, event_key)
             select 'once', 1, 'desk', jsonb_build_object('n', n), 3, 'dead', app_now(), 'the one' from generate_series(1, 3) n",
        )
        .await;
    let db = stage.db();
    let dead = Filter { state: Some("dead".to_owned()), ..Filter::default() };
    let done = admin::all(&db, &by(), &dead, &Act::Retry, false).await.unwrap();
    assert_eq!((done.matched, done.done), (3, 1));
    let again = admin::all(&db, &by(), &dead, &Act::Retry, false).await.unwrap();
    assert_eq!((again.matched, again.done), (2, 0), "the first one does the work");
    assert_eq!(enqueue(&db, &Once { n: 4 }).await, queue::Enqueued::Folded);
    let keyed = Filter { key: Some("the one".to_owned()), ..Filter::default() };
    let oldest = Paging { oldest_first: true, ..Paging::default() };
    let found = admin::list(&mut stage.pool.acquire().await.unwrap(), &keyed, oldest).await.unwrap();
    let states: Vec<_> = found.jobs.iter().map(|job| (job.state.as_str(), job.payload["n"].as_i64())).collect();
    assert_eq!(states, [("ready", Some(1)), ("dead", Some(2)), ("dead", Some(3))]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_did_cannot_be_changed_afterwards() {
    let stage = Stage::new().await;
    pause(&stage.db(), Some("why")).await;
    for change in ["update job_acts set actor = 'nobody'", "delete from job_acts", "truncate job_acts"] {
        let refused = sqlx::raw_sql(change).execute(&stage.pool).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{change}: {refused}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_process_that_was_taken_for_dead_goes_on_paused_under_its_new_name() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![crate::stage::desk(1)]);
    stage.until("select count(*) from job_workers", 1).await;
    let id = stage.count("select id from job_workers").await;
    let mut tx = engine.db.begin().await.unwrap();
    admin::pause_worker(&mut tx, &by(), id, None, Some("noisy")).await.unwrap();
    tx.commit().await.unwrap();
    // It has beaten since, as a process does each second, and then stands still for longer than its lease.
    let beats = stage.count("select beats from job_workers").await;
    stage.until(&format!("select count(*) from job_workers where beats > {}", beats + 1), 1).await;
    stage.run("delete from job_workers").await;
    stage.until("select count(*) from job_workers", 1).await;
    assert!(stage.count("select id from job_workers").await > id);
    assert_eq!(stage.text("select paused_reason from job_workers where 'desk' = any(paused)").await.unwrap(), "noisy");
    engine.stop().await;
    stage.close().await;
}
