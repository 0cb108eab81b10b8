//! Orders that are taken back before they ran.

use std::time::Duration;

use queue::{Ctx, Dedupe, Enqueued, Job, Options, Retry, Verdict, Workers};
use serde::{Deserialize, Serialize};

use crate::stage::{Note, Stage, enqueue};

/// An alarm clock: an even number is one event, an odd one a wake-up; all in one line.
#[derive(Debug, Serialize, Deserialize)]
struct Ring {
    n: i64,
}

impl Job for Ring {
    const NAME: &'static str = "ring";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn dedupe(&self) -> Option<Dedupe> {
        let key = self.n.to_string();
        Some(if self.n % 2 == 0 { Dedupe::Event(key) } else { Dedupe::WakeUp(key) })
    }

    fn order_key(&self) -> Option<String> {
        Some("line".to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_order_of_the_key_is_taken_back_with_the_callers_transaction_and_stays_in_the_history() {
    let stage = Stage::new().await;
    let db = stage.db();
    for n in 1..=4 {
        let mut tx = db.begin().await.unwrap();
        let later = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
        queue::enqueue_with(&mut tx, &Ring { n }, later).await.unwrap();
        tx.commit().await.unwrap();
    }
    enqueue(&db, &Note { n: 1 }).await;

    let mut tx = db.begin().await.unwrap();
    assert!(queue::cancel(&mut tx, &Ring { n: 1 }).await.unwrap());
    tx.rollback().await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs").await, 5, "what was rolled back cancelled nothing");

    let mut tx = db.begin().await.unwrap();
    assert!(queue::cancel(&mut tx, &Ring { n: 1 }).await.unwrap());
    assert!(!queue::cancel(&mut tx, &Ring { n: 1 }).await.unwrap(), "it is gone");
    assert!(!queue::cancel(&mut tx, &Ring { n: 9 }).await.unwrap(), "nobody ordered it");
    assert!(!queue::cancel(&mut tx, &Note { n: 1 }).await.unwrap(), "without a key nothing is found");
    assert_eq!(queue::cancel_all(&mut tx, &[Ring { n: 2 }, Ring { n: 3 }, Ring { n: 7 }]).await.unwrap(), 2);
    assert!(matches!(queue::enqueue(&mut tx, &Ring { n: 1 }).await.unwrap(), Enqueued::New(_)), "the key is free");
    tx.commit().await.unwrap();

    let left = "select string_agg(kind || ' ' || (payload ->> 'n'), ', ' order by id) from jobs";
    assert_eq!(stage.text(left).await.unwrap(), "ring 4, note 1, ring 1");
    let gone =
        "select string_agg(verdict || ' ' || (payload ->> 'n') || ' ' || attempts, ', ' order by id) from jobs_done";
    assert_eq!(stage.text(gone).await.unwrap(), "cancelled 1 0, cancelled 2 0, cancelled 3 0");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_runs_is_not_taken_back_and_one_that_heads_a_line_lets_the_next_run() {
    let stage = Stage::new().await;
    let (begun, mut is_begun) = tokio::sync::watch::channel(false);
    let (open, door) = tokio::sync::watch::channel(false);
    let workers = Workers::new("desk", 4).handle(move |_: Ctx, ring: Ring| {
        let mut door = door.clone();
        begun.send_replace(true);
        async move {
            if ring.n == 1 {
                let _ = door.wait_for(|open| *open).await;
            }
            Ok(Verdict::Done)
        }
    });
    let engine = stage.engine(vec![workers]);
    enqueue(&engine.db, &Ring { n: 1 }).await;
    is_begun.wait_for(|begun| *begun).await.unwrap();
    let mut tx = engine.db.begin().await.unwrap();
    assert!(!queue::cancel(&mut tx, &Ring { n: 1 }).await.unwrap());
    tx.commit().await.unwrap();
    open.send(true).unwrap();
    stage.until_done(1).await;

    // The head of the line is due in an hour; the next poll is half a minute away.
    let mut tx = engine.db.begin().await.unwrap();
    let later = Options { delay: Some(Duration::from_secs(3600)), ..Options::default() };
    queue::enqueue_with(&mut tx, &Ring { n: 2 }, later).await.unwrap();
    tx.commit().await.unwrap();
    enqueue(&engine.db, &Ring { n: 3 }).await;
    let mut tx = engine.db.begin().await.unwrap();
    assert!(queue::cancel(&mut tx, &Ring { n: 2 }).await.unwrap());
    tx.commit().await.unwrap();
    stage.until_done(2).await;
    engine.stop().await;
    stage.close().await;
}
