//! What people may ask and order.

use std::time::Duration;

use queue::{
    Ctx, JobError, Workers,
    admin::{self, Filter, Ordered},
};

use crate::stage::{Note, Stage, desk, enqueue};

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
    let dead = Filter { state: Some("dead".to_owned()), limit: 2, ..Filter::default() };
    let page = admin::list(&mut conn, &dead).await.unwrap();
    assert_eq!(page.jobs.len(), 2);
    let rest = admin::list(&mut conn, &Filter { before: page.next, ..dead }).await.unwrap();
    assert_eq!((rest.jobs.len(), rest.next), (1, None));
    let id = rest.jobs[0].id;
    let shown = admin::show(&mut conn, id).await.unwrap().unwrap();
    assert_eq!(shown.job.reason.as_deref(), Some("broken"));
    assert_eq!(shown.runs.len(), 1);
    assert_eq!(shown.runs[0].verdict, "discarded");
    assert!(admin::show(&mut conn, 999_999).await.unwrap().is_none());

    let mut tx = db.begin().await.unwrap();
    assert_eq!(admin::retry(&mut tx, id).await.unwrap(), Ordered::Yes);
    assert_eq!(admin::discard(&mut tx, page.jobs[0].id, "not needed").await.unwrap(), Ordered::Yes);
    assert_eq!(admin::retry(&mut tx, 999_999).await.unwrap(), Ordered::NotFound);
    tx.commit().await.unwrap();
    let engine = stage.engine(vec![desk(1)]);
    stage.until_done(1).await;
    assert_eq!(
        stage.count("select count(*) from jobs_done where verdict = 'discarded' and reason = 'not needed'").await,
        1
    );
    let all = admin::list(&mut conn, &Filter { pool: Some("desk".to_owned()), ..Filter::default() }).await.unwrap();
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
    admin::pause(&mut stage.pool.acquire().await.unwrap(), "desk", Some("maintenance")).await.unwrap();
    enqueue(&engine.db, &Note { n: 1 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let kinds = desk(2).kinds();
    let queues = admin::queues(&mut stage.pool.acquire().await.unwrap(), &kinds).await.unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!((queues[0].ready, queues[0].workers, queues[0].paused_reason.as_deref()), (1, 1, Some("maintenance")));
    assert!(queues[0].oldest_due_seconds.unwrap() > 0.2);
    assert_eq!(queues[0].kinds[0].name, "note");
    let mut tx = engine.db.begin().await.unwrap();
    assert!(admin::resume(&mut tx, "desk").await.unwrap());
    tx.commit().await.unwrap();
    stage.until_done(1).await;
    engine.stop().await;
    stage.close().await;
}
