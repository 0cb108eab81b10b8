//! What the queue refuses to take.

use std::time::Duration;

use queue::{Ctx, EnqueueError, Job, Options, Order, Retry, Verdict, Workers};
use serde::{Deserialize, Serialize};

use crate::stage::{Note, Stage};

/// A job that carries what it is about, instead of naming it.
#[derive(Debug, Serialize, Deserialize)]
struct Parcel {
    content: String,
}

impl Job for Parcel {
    const NAME: &'static str = "parcel";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Note::RETRY;
    const TIMEOUT: Duration = Note::TIMEOUT;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_over_one_mebibyte_is_refused_at_each_door() {
    let stage = Stage::new().await;
    let parcel = |bytes: usize| Parcel { content: "x".repeat(bytes - r#"{"content":""}"#.len()) };
    let mut tx = stage.db().begin().await.unwrap();
    queue::enqueue(&mut tx, &parcel(1 << 20)).await.unwrap();
    let refused = queue::enqueue(&mut tx, &parcel((1 << 20) + 1)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "payload of parcel has 1048577 bytes, at most 1048576 are taken: a job holds ids, not copies"
    );
    assert!(matches!(Order::new(&parcel((1 << 20) + 1)), Err(EnqueueError::TooLarge { .. })));
    // Refused before the database was asked: the transaction is still good.
    tx.commit().await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs").await, 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_a_time_beyond_a_year_is_refused() {
    let stage = Stage::new().await;
    let year = Duration::from_hours(366 * 24);
    let mut tx = stage.db().begin().await.unwrap();
    for (delay, taken) in [(year, true), (year + Duration::from_millis(1), false), (Duration::MAX, false)] {
        let options = Options { delay: Some(delay), ..Options::default() };
        let enqueued = queue::enqueue_with(&mut tx, &Note { n: 1 }, options).await;
        assert_eq!(enqueued.is_ok(), taken, "{enqueued:?}");
        let ordered = queue::enqueue_all(&mut tx, vec![Order::new(&Note { n: 2 }).unwrap().after(delay)]).await;
        assert_eq!(ordered.is_ok(), taken, "{ordered:?}");
    }
    tx.commit().await.unwrap();
    assert_eq!(stage.count("select count(*) from jobs").await, 2);
    stage.close().await;
}

/// A job that could never be tried.
#[derive(Debug, Serialize, Deserialize)]
struct Never;

impl Job for Never {
    const NAME: &'static str = "never";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(0, Duration::from_secs(1), Duration::from_secs(2));
    const TIMEOUT: Duration = Duration::from_secs(1);
}

#[test]
#[should_panic(expected = "job never cannot be run by its policy: it has no attempt")]
fn a_policy_that_cannot_be_kept_stops_the_program_at_its_start() {
    drop(Workers::new("desk", 1).handle(|_: Ctx, _: Never| async { Ok(Verdict::Done) }));
}
