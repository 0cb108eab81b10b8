//! Jobs that share a transaction.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use queue::{Dedupe, Job, JobError, Order, Outcome, Retry, Together, Verdict, Workers};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::stage::{Note, Stage, enqueue};

/// Marks all notes of a batch in one transaction, and notes how many they were; the note 13 spoils its batch.
async fn mark_all(mut together: Together<Note>, sizes: Arc<Mutex<Vec<usize>>>) -> Outcome {
    let mut tx = together.db().begin().await?;
    together.finish(&mut tx).await?;
    let mut size = 0;
    for note in together.jobs() {
        sqlx::query("insert into marks (n, what) values ($1, 'noted')").bind(note.n).execute(&mut *tx).await?;
        size += 1;
        if note.n == 13 {
            return Err(JobError::discard("thirteen"));
        }
    }
    tx.commit().await?;
    sizes.lock().unwrap().push(size);
    Ok(Verdict::Done)
}

fn desk(concurrency: usize, most: usize, sizes: &Arc<Mutex<Vec<usize>>>) -> Workers {
    let sizes = sizes.clone();
    Workers::new("desk", concurrency)
        .handle_together(most, move |together: Together<Note>| mark_all(together, sizes.clone()))
}

async fn enqueue_notes(stage: &Stage, notes: impl IntoIterator<Item = i64>) {
    let mut tx = stage.db().begin().await.unwrap();
    let orders = notes.into_iter().map(|n| Order::new(&Note { n }).unwrap()).collect();
    queue::enqueue_all(&mut tx, orders).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_is_claimed_together_is_committed_together_each_job_once() {
    let stage = Stage::new().await;
    enqueue_notes(&stage, 100..400).await;
    let sizes = Arc::default();
    let engine = stage.engine(vec![desk(64, 32, &sizes)]);
    stage.until_done(300).await;
    assert_eq!(stage.count("select count(distinct n) from marks").await, 300);
    assert_eq!(stage.count("select count(*) from marks").await, 300);
    engine.stop().await;
    let sizes = sizes.lock().unwrap().clone();
    assert!(sizes.iter().all(|size| *size <= 32), "{sizes:?}");
    assert!(sizes.len() < 150, "300 jobs took {} transactions", sizes.len());
    stage.close().await;
}

#[tokio::test]
async fn a_job_that_spoils_its_batch_fails_alone() {
    let stage = Stage::new().await;
    enqueue_notes(&stage, 1..=20).await;
    let engine = stage.engine(vec![desk(32, 32, &Arc::default())]);
    stage.until_done(19).await;
    stage.until("select count(*) from jobs where state = 'dead' and reason = 'thirteen'", 1).await;
    assert_eq!(stage.count("select count(*) from marks").await, 19);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test]
async fn a_job_that_was_taken_away_is_left_out_of_its_batch() {
    let stage = Stage::new().await;
    enqueue_notes(&stage, 1..=5).await;
    let (began, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let workers = Workers::new("desk", 8).handle_together(8, {
        let (began, gate) = (began.clone(), gate.clone());
        move |together: Together<Note>| {
            let (began, gate) = (began.clone(), gate.clone());
            async move {
                began.add_permits(1);
                let _go = gate.acquire().await.unwrap();
                mark_all(together, Arc::default()).await
            }
        }
    });
    let engine = stage.engine(vec![workers]);
    drop(began.acquire().await.unwrap());
    stage.until("select count(*) from jobs where state = 'running'", 5).await;
    // As if a janitor had given it to somebody else.
    stage.run("update jobs set token = token + 1 where payload ->> 'n' = '3'").await;
    gate.add_permits(100);
    stage.until_done(4).await;
    assert_eq!(stage.count("select count(*) from marks where n = 3").await, 0);
    assert_eq!(stage.count("select count(*) from marks").await, 4);
    engine.stop().await;
    stage.close().await;
}

#[tokio::test]
async fn a_single_job_does_not_wait_for_company() {
    let stage = Stage::new().await;
    let engine = stage.engine(vec![desk(8, 8, &Arc::default())]);
    enqueue(&engine.db, &Note { n: 1 }).await;
    stage.until_done(1).await;
    engine.stop().await;
    stage.close().await;
}

#[derive(Debug, Serialize, Deserialize)]
struct LookAt {
    place: String,
}

impl Job for LookAt {
    const NAME: &'static str = "look-at";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.place.clone()))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Remember {
    event: i64,
}

impl Job for Remember {
    const NAME: &'static str = "remember";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(20), Duration::from_millis(20));
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.event.to_string()))
    }
}

#[tokio::test]
async fn many_orders_go_in_at_once_and_fold_as_they_would_one_by_one() {
    let stage = Stage::new().await;
    enqueue(&stage.db(), &LookAt { place: "hall".to_owned() }).await;
    enqueue(&stage.db(), &Remember { event: 1 }).await;
    let mut tx = stage.db().begin().await.unwrap();
    let look = |place: &str| Order::new(&LookAt { place: place.to_owned() }).unwrap();
    let orders = vec![
        look("hall"),
        look("yard").after(Duration::from_secs(60)),
        look("yard"),
        Order::new(&Note { n: 7 }).unwrap().after(Duration::from_secs(60)),
        Order::new(&Remember { event: 1 }).unwrap(),
        Order::new(&Remember { event: 2 }).unwrap(),
        Order::new(&Remember { event: 2 }).unwrap(),
    ];
    queue::enqueue_all(&mut tx, orders).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs where kind = 'look-at'").await, 2);
    assert_eq!(stage.count("select count(*) from jobs where kind = 'look-at' and run_at <= app_now()").await, 2);
    assert_eq!(
        stage.count("select count(*) from jobs where kind = 'note' and run_at > app_now() + interval '59 s'").await,
        1
    );
    assert_eq!(stage.count("select count(*) from jobs where kind = 'remember'").await, 2);
    stage.close().await;
}
