//! Writes the ends of runs in batches, and does not give up: a lost database delays an acknowledgement, never loses it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::{
    Topic, Wakes,
    pool::{Pool, Settlement},
    settle::{self, Claim, Death, Judgement},
};

/// Ends in one flush, at most.
const BATCH: usize = 500;
/// How long a flush is tried on after the grace of a drain is over.
const LAST_TRIES: Duration = Duration::from_secs(3);

/// The way in.
#[derive(Clone)]
pub(crate) struct Acks {
    send: mpsc::UnboundedSender<Settlement>,
    closed: CancellationToken,
}

impl Acks {
    /// Never blocks: each settlement keeps its slot until the acknowledger takes it, which bounds what can wait here.
    pub(crate) fn send(&self, settlement: Settlement) {
        // The acknowledger outlives all senders but a process that ends; then the lease gives the job back.
        drop(self.send.send(settlement));
    }

    /// Nothing more will be sent: flush and end.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }
}

/// Starts the acknowledger of a pool; the handle ends after `close` and the last flush.
pub(crate) fn start(pool: Arc<Pool>) -> (Acks, JoinHandle<()>) {
    let (send, mut ends) = mpsc::unbounded_channel();
    let closed = CancellationToken::new();
    let acks = Acks { send, closed: closed.clone() };
    let handle = tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                _ = ends.recv_many(&mut batch, BATCH) => {}
                () = closed.cancelled() => return,
            }
            flush(&pool, std::mem::take(&mut batch)).await;
        }
    });
    (acks, handle)
}

async fn flush(pool: &Pool, batch: Vec<Settlement>) {
    let mut done: Vec<Claim> = Vec::new();
    let mut other: Vec<(Claim, Judgement)> = Vec::new();
    // Others may run at once: a successor of an order key, who waits for a limit, or what we give back.
    let mut successors = false;
    // Due again in our own pool, the first of them so long after it is written: our fetcher must set its timer anew.
    let mut again: Option<Duration> = None;
    for Settlement { claim, awaited, judgement, slot } in batch {
        // From here on the batch itself is the bound; the slot may take the next job while we write.
        drop(slot);
        successors |= awaited || judgement == Judgement::Released;
        let due = match &judgement {
            Judgement::Snoozed(delay) | Judgement::Failed { delay: Some(delay), .. } => Some(*delay),
            // When, only the database knows.
            Judgement::Failed { delay: None, .. } | Judgement::Crashed(_) => Some(Duration::ZERO),
            _ => None,
        };
        again = again.into_iter().chain(due).min();
        match judgement {
            Judgement::Done => done.push(claim),
            Judgement::Finished | Judgement::Alone | Judgement::Lost => {}
            judgement => other.push((claim, judgement)),
        }
    }
    let mut pause = Duration::from_millis(50);
    let mut deadline = None;
    while !done.is_empty() || !other.is_empty() {
        match write(pool, &mut done, &mut other).await {
            Ok(deaths) => deaths.iter().for_each(|death| bury(pool.name(), death, pool.db.wakes())),
            Err(error) => {
                warn!(pool = pool.name(), %error, waiting = done.len() + other.len(), "acknowledgement failed, trying again");
                if pool.cut.is_cancelled() {
                    let deadline = *deadline.get_or_insert_with(|| tokio::time::Instant::now() + LAST_TRIES);
                    if tokio::time::Instant::now() >= deadline {
                        warn!(
                            pool = pool.name(),
                            jobs = done.len() + other.len(),
                            "stopping without a database; the lease gives these jobs back"
                        );
                        return;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
    if successors || pool.limited.load(Ordering::SeqCst) {
        pool.db.wakes().publish(Topic::Pool(pool.name().into()));
    } else if let Some(at) = again.and_then(|delay| Instant::now().checked_add(delay)) {
        pool.db.wakes().ring(&Topic::Later(pool.name().into(), at));
    }
}

/// Clears each list once it is committed, so that a failure repeats only what is left.
async fn write(
    pool: &Pool,
    done: &mut Vec<Claim>,
    other: &mut Vec<(Claim, Judgement)>,
) -> Result<Vec<Death>, sqlx::Error> {
    fail::fail_point!("queue::acknowledge::before");
    if !done.is_empty() {
        let ours = settle::done(&pool.own, done).await?;
        pool.meters.refused(done.len() - ours.len());
        done.clear();
    }
    let mut deaths = Vec::new();
    if !other.is_empty() {
        let mut conn = pool.own.acquire().await?;
        let written = settle::otherwise(&mut conn, other).await?;
        pool.meters.refused(other.len() - written.ours.len());
        deaths = written.deaths;
        other.clear();
    }
    fail::fail_point!("queue::acknowledge::after");
    Ok(deaths)
}

/// Somebody must look: the job will not run again by itself. Whoever does its last wish is woken.
pub(crate) fn bury(pool: &str, death: &Death, wakes: &Wakes) {
    if let Some(pool) = &death.wish_pool {
        wakes.publish(Topic::Pool(pool.as_str().into()));
    }
    error!(
        job.id = death.id,
        job.name = death.kind,
        job.attempt = death.attempts,
        crashes = death.crashes,
        pool,
        reason = death.reason,
        "job is dead"
    );
}
