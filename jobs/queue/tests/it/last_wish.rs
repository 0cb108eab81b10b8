//! What is ordered when a job is given up.

use std::time::Duration;

use queue::{
    Ctx, EnqueueError, Job, JobError, Order, Retry, Workers,
    admin::{self, Act, Filter, Ordered, Paging},
};
use serde::{Deserialize, Serialize};

use crate::stage::{Note, Stage, by, enqueue, mark};

/// Fails; then somebody shall note its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Errand {
    n: i64,
}

impl Job for Errand {
    const NAME: &'static str = "errand";
    const POOL: &'static str = "road";
    const RETRY: Retry = Retry::new(2, Duration::from_millis(10), Duration::from_millis(10));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn last_wish(&self) -> Result<Option<Order>, EnqueueError> {
        Order::new(&Note { n: self.n }).map(Some)
    }
}

/// Notes are made by another pool than the one whose jobs die.
fn workers() -> Vec<Workers> {
    let road = Workers::new("road", 1).handle(|ctx: Ctx, errand: Errand| async move {
        match errand.n {
            1 => Err(JobError::discard("hopeless")),
            2 => Err(JobError::retry("not this time")),
            n => mark(&ctx, n, "run").await,
        }
    });
    let desk = Workers::new("desk", 1).handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "wish").await });
    vec![road, desk]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_dies_leaves_its_last_wish_and_one_that_is_done_leaves_none() {
    let stage = Stage::new().await;
    let engine = stage.engine(workers());
    for n in 1..=3 {
        enqueue(&engine.db, &Errand { n }).await;
    }
    let mut tx = engine.db.begin().await.unwrap();
    queue::enqueue_all(&mut tx, vec![Order::new(&Errand { n: 1 }).unwrap()]).await.unwrap();
    tx.commit().await.unwrap();
    stage.until("select count(*) from marks", 4).await;
    assert_eq!(stage.count("select count(*) from jobs where state = 'dead'").await, 3);
    assert_eq!(stage.count("select count(*) from marks where what = 'wish' and n = 1").await, 2);
    assert_eq!(stage.count("select count(*) from marks where what = 'wish' and n = 2").await, 1);
    // Of the job that it comes from.
    let traced = "select count(*) from jobs_done d join jobs j on d.trace = 'job-' || j.id where d.kind = 'note'";
    assert_eq!(stage.count(traced).await, 3);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_discarded_by_hand_leaves_its_last_wish_once() {
    let stage = Stage::new().await;
    enqueue(&stage.db(), &Errand { n: 7 }).await;
    let mut tx = stage.db().begin().await.unwrap();
    let id = admin::list(&mut tx, &Filter::default(), Paging::default()).await.unwrap().jobs[0].id;
    assert_eq!(admin::one(&mut tx, &by(), id, &Act::Discard("not needed".to_owned())).await.unwrap(), Ordered::Yes);
    tx.commit().await.unwrap();
    let engine = stage.engine(workers());
    stage.until("select count(*) from marks where what = 'wish' and n = 7", 1).await;

    enqueue(&engine.db, &Errand { n: 1 }).await;
    stage.until("select count(*) from marks where what = 'wish' and n = 1", 1).await;
    let mut tx = engine.db.begin().await.unwrap();
    let dead = Filter { state: Some("dead".to_owned()), ..Filter::default() };
    let id = admin::list(&mut tx, &dead, Paging::default()).await.unwrap().jobs[0].id;
    assert_eq!(admin::one(&mut tx, &by(), id, &Act::Discard("seen".to_owned())).await.unwrap(), Ordered::Yes);
    tx.commit().await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs").await, 0, "it had its wish when it died");
    engine.stop().await;
    stage.close().await;
}
