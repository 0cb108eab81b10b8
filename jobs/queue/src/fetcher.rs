//! Keeps the free slots of one pool full: claims when told that there is work, when a job comes due, and at the latest
//! after the fallback poll. A wake-up is a hint that is never lost (the bell keeps one ring); polling proves.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::{debug, warn};

use crate::{
    claim,
    hand::{Hand, Looked},
    hand_over::{Desk, Stray},
    look::{self, Next},
    pool::{Claimed, Pool},
    settle::{self, Claim, Judgement},
};

/// Jobs in one claim, at most.
const BATCH: usize = 500;
/// Slots from which on a pool has a second hand.
const MASS: usize = 64;

/// Until the next look at a due job that was locked.
const AGAIN: Duration = Duration::from_millis(50);
/// Until the next look at our own liveness.
const UNREGISTERED: Duration = Duration::from_millis(50);
/// Pause after a failed claim.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs until the pool drains. Dropping `jobs` tells the backend that no more will come.
pub(crate) async fn fetch(pool: Arc<Pool>, slots: Arc<Semaphore>, jobs: mpsc::UnboundedSender<Claimed>) {
    let (stray, strays) = mpsc::unbounded_channel();
    let desk = Desk::new(pool.clone(), slots.clone(), jobs.downgrade(), stray.clone());
    pool.db.wakes().open(pool.name(), desk);
    let backlog = Arc::new(Notify::new());
    let second = tokio::spawn(assist(
        Hand::new(pool.clone(), jobs.clone()),
        pool.clone(),
        slots.clone(),
        backlog.clone(),
        stray,
    ));
    let mut fetcher = Fetcher { hand: Hand::new(pool.clone(), jobs), strays, backlog, pool, slots };
    let drain = fetcher.pool.drain.clone();
    // A claim in flight is never cut: its jobs would be ours without our knowing.
    fetcher.run(&drain).await;
    // It ends for the same reasons; if it panicked, the lease gives back what it had in hand.
    drop(second.await);
    fetcher.close_desk().await;
    fetcher.give_back().await;
}

struct Fetcher {
    pool: Arc<Pool>,
    slots: Arc<Semaphore>,
    hand: Hand,
    /// Tells the second hand that there is a mass of jobs.
    backlog: Arc<Notify>,
    /// Jobs of commits whose answer never came, and claims of the second hand; ended when nobody can hand over any more.
    strays: mpsc::UnboundedReceiver<Stray>,
}

/// The second hand of a pool with many slots: while claims come back full, takes its turn beside the first one, so that
/// jobs are taken while a commit waits for the disk.
async fn assist(
    mut hand: Hand,
    pool: Arc<Pool>,
    slots: Arc<Semaphore>,
    backlog: Arc<Notify>,
    stray: mpsc::UnboundedSender<Stray>,
) {
    loop {
        let taken = tokio::select! {
            taken = async { backlog.notified().await; take(&slots).await } => taken,
            () = pool.drain.cancelled() => return,
        };
        let (Some(taken), Some(worker)) = (taken, pool.presence.current()) else { continue };
        if taken.num_permits() < MASS {
            continue;
        }
        match hand.claim(worker, taken).await {
            Ok(Looked::More) => backlog.notify_one(),
            Ok(Looked::All(_) | Looked::Closed(_)) => {}
            // The first hand says it often enough.
            Err(error) => debug!(pool = pool.name(), %error, "claim of the second hand failed"),
        }
        for lost in hand.lost.drain(..) {
            // The fetcher waits for us before it looks for the last time.
            drop(stray.send(lost));
        }
    }
}

impl Fetcher {
    async fn run(&mut self, drain: &tokio_util::sync::CancellationToken) {
        let bell = self.pool.db.wakes().pool(self.pool.name());
        let mut look = Instant::now();
        loop {
            // Who is told of work to come sleeps less; looking now would find nothing.
            while let Some(sleep) = look.checked_duration_since(Instant::now()).filter(|sleep| !sleep.is_zero()) {
                tokio::select! {
                    at = bell.heard() => look = look.min(at),
                    () = tokio::time::sleep(sleep) => {}
                    () = drain.cancelled() => return,
                }
            }
            let slots = tokio::select! {
                slots = take(&self.slots) => slots,
                () = drain.cancelled() => return,
            };
            let Some(slots) = slots else { return };
            let Some(worker) = self.pool.presence.current() else {
                // Not registered, or too long without a beat: what we took now would be taken from us.
                look = Instant::now() + UNREGISTERED;
                continue;
            };
            // What was rung for until now, this claim sees, or the question after it.
            let _ = bell.take();
            let many = slots.num_permits() >= MASS;
            look = match self.claim(worker, slots).await {
                Ok(Looked::More) => {
                    if many {
                        self.backlog.notify_one();
                    }
                    Instant::now()
                }
                Ok(Looked::Closed(sleep)) => Instant::now() + sleep.min(self.pool.settings.poll),
                Ok(Looked::All(at)) => match bell.take() {
                    // Under load there is news already: when the next job comes due is not worth a question.
                    Some(news) if news <= Instant::now() => news,
                    news => {
                        let due = Instant::now() + self.until_due(worker, at).await;
                        news.map_or(due, |news| due.min(news))
                    }
                },
                Err(error) => {
                    warn!(pool = self.pool.name(), %error, "claim failed, trying again");
                    Instant::now() + PAUSE
                }
            };
            if !self.hand.lost.is_empty() {
                look = look.min(Instant::now() + PAUSE);
            }
        }
    }

    async fn claim(&mut self, worker: i64, slots: OwnedSemaphorePermit) -> Result<Looked, sqlx::Error> {
        self.recover().await?;
        self.hand.claim(worker, slots).await
    }

    /// How long nothing can be due, as far as the database knows now.
    async fn until_due(&self, worker: i64, looked: OffsetDateTime) -> Duration {
        let poll = self.pool.settings.poll;
        match look::next(&self.pool.own, self.pool.name(), &self.hand.known, worker, looked).await {
            Ok(Next { skipped: true, .. }) => AGAIN.min(poll),
            Ok(Next { due_in: Some(seconds), .. }) => {
                Duration::try_from_secs_f64(seconds.max(0.001)).unwrap_or(poll).min(poll)
            }
            Ok(Next { due_in: None, .. }) => poll,
            Err(error) => {
                debug!(pool = self.pool.name(), %error, "could not ask for the next due job");
                PAUSE
            }
        }
    }

    /// Gives back what lost answers may have left in our name, before anything new is taken. What may still commit stays in
    /// the list.
    async fn recover(&mut self) -> Result<(), sqlx::Error> {
        while let Ok(stray) = self.strays.try_recv() {
            self.hand.lost.push(stray);
        }
        let mut at = 0;
        while let Some(Stray { worker, token, transaction }) = self.hand.lost.get(at) {
            if let Some(transaction) = transaction
                && claim::is_open(&self.pool.own, transaction).await?
            {
                at += 1;
                continue;
            }
            let token = *token;
            let rows = claim::owned(&self.pool.own, *worker, token).await?;
            let ends: Vec<_> =
                rows.into_iter().map(|(id, wake)| (Claim { id, token, wake }, Judgement::Released)).collect();
            if !ends.is_empty() {
                let mut conn = self.pool.own.acquire().await?;
                settle::otherwise(&mut conn, &ends).await?;
            }
            self.hand.lost.swap_remove(at);
        }
        Ok(())
    }

    /// Waits for transactions that still hold a slot: what they commit must reach the runner, which gives it back.
    async fn close_desk(&mut self) {
        self.pool.db.wakes().close(self.pool.name());
        loop {
            tokio::select! {
                stray = self.strays.recv() => match stray {
                    Some(stray) => self.hand.lost.push(stray),
                    None => return,
                },
                () = self.pool.cut.cancelled() => return,
            }
        }
    }

    /// The last act of a drain; if the database stays away, the lease gives the jobs back instead.
    async fn give_back(&mut self) {
        while !self.hand.lost.is_empty() && !self.pool.cut.is_cancelled() {
            match self.recover().await {
                Ok(()) if self.hand.lost.is_empty() => return,
                Ok(()) => {}
                Err(error) => debug!(%error, "could not give back a claim yet"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Waits for one free slot and takes all that are free.
async fn take(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let mut taken = slots.clone().acquire_owned().await.ok()?;
    let more = slots.available_permits().min(BATCH - 1);
    if more > 0
        && let Ok(more) = slots.clone().try_acquire_many_owned(u32::try_from(more).unwrap_or(u32::MAX))
    {
        taken.merge(more);
    }
    Some(taken)
}
