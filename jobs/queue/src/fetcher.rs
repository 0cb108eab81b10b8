//! Keeps the free slots of one pool full: claims when told that there is work, when a job comes due, and at the latest
//! after the fallback poll. A wake-up is a hint that is never lost (the bell keeps one ring); polling proves.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::{debug, warn};

use crate::{
    claim::{self, Found, Known, Next, Reach},
    hand_over::{Desk, Stray},
    limits,
    pool::{Claimed, Pool},
    settle::{self, Claim, Judgement},
};

/// Jobs in one claim, at most.
const BATCH: usize = 500;
/// Jobs with an order key or a limit that a claim looks at when the one before met some out of turn: a long line is soon set
/// aside.
const LINE: i64 = 300;
/// Of so many claims that left something behind, one begins with a smaller priority: the largest has three quarters of
/// what the pool can do while it has enough to be done, and starves nobody.
const SHARES: i32 = 4;

/// Until the next look at a due job that was locked.
const AGAIN: Duration = Duration::from_millis(50);
/// Until the next look at our own liveness.
const UNREGISTERED: Duration = Duration::from_millis(50);
/// Pause after a failed claim.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs until the pool drains. Dropping `jobs` tells the backend that no more will come.
pub(crate) async fn fetch(pool: Arc<Pool>, slots: Arc<Semaphore>, jobs: mpsc::UnboundedSender<Claimed>) {
    let (stray, strays) = mpsc::unbounded_channel();
    let desk = Desk::new(pool.clone(), slots.clone(), jobs.downgrade(), stray);
    pool.db.wakes().open(pool.name(), desk);
    let known = Known::new(&pool.workers.kinds());
    let mut fetcher = Fetcher {
        known,
        lost: Vec::new(),
        strays,
        full: 0,
        out_of_turn: false,
        limited: false,
        keys_first: false,
        pool,
        slots,
        jobs,
    };
    let drain = fetcher.pool.drain.clone();
    // A claim in flight is never cut: its jobs would be ours without our knowing.
    fetcher.run(&drain).await;
    fetcher.close_desk().await;
    fetcher.give_back().await;
}

/// What a claim saw.
enum Looked {
    /// It was full: there may be more.
    More,
    /// All that was due at that time.
    All(OffsetDateTime),
    /// Nothing: the pool's limit is reached for so long.
    Closed(Duration),
}

struct Fetcher {
    pool: Arc<Pool>,
    slots: Arc<Semaphore>,
    jobs: mpsc::UnboundedSender<Claimed>,
    known: Known,
    /// Claims that may have left something behind.
    full: i32,
    /// The last claim met jobs out of turn.
    out_of_turn: bool,
    /// The pool has a limit, or jobs with one.
    limited: bool,
    /// Those come first next time.
    keys_first: bool,
    /// Claims whose answer never came, and jobs of commits whose answer never came.
    lost: Vec<Stray>,
    /// Where the latter come from; ended when nobody can hand over any more.
    strays: mpsc::UnboundedReceiver<Stray>,
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
            look = match self.claim(worker, slots).await {
                Ok(Looked::More) => Instant::now(),
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
            if !self.lost.is_empty() {
                look = look.min(Instant::now() + PAUSE);
            }
        }
    }

    async fn claim(&mut self, worker: i64, mut slots: OwnedSemaphorePermit) -> Result<Looked, sqlx::Error> {
        self.recover().await?;
        let token = rand::random::<i64>();
        let limit = slots.num_permits();
        fail::fail_point!("queue::claim::before");
        let asked = i64::try_from(limit).unwrap_or(i64::MAX);
        let reach = Reach {
            limit: asked,
            keyed: if self.out_of_turn { LINE.max(asked) } else { asked },
            favour: if self.full % SHARES == SHARES - 1 { 1 + self.full / SHARES } else { 0 },
            under_limits: self.limited,
        };
        let mut closed = None;
        let found = match self.ask(worker, token, reach, &mut closed).await {
            Ok(found) => found,
            // Two claims met at one order key and the other was first: look again.
            Err(error) if settle::is_unique_violation(&error) => return Ok(Looked::More),
            Err(error) => {
                if error.as_database_error().is_none() {
                    self.lost.push(Stray { worker, token, transaction: None });
                }
                return Err(error);
            }
        };
        fail::fail_point!("queue::claim::after");
        let full = found.rows.len() == limit;
        self.full = self.full.wrapping_add(i32::from(full)).max(0);
        self.out_of_turn = !found.aside.is_empty();
        for row in found.rows {
            // There are as many permits as rows were asked for.
            let Some(slot) = slots.split(1) else { break };
            // The backend outlives the fetcher; if not, the process is ending and the lease gives the job back.
            drop(self.jobs.send(Claimed::new(row, slot)));
        }
        if self.out_of_turn {
            // After what was claimed is on its way; if this is lost, the janitor comes upon them.
            claim::turns(&self.pool.own, &found.aside).await?;
        }
        if let Some(sleep) = closed {
            return Ok(Looked::Closed(sleep));
        }
        if found.limited && !self.limited {
            // Only now we know that there is more than this claim could see.
            self.limited = true;
            return Ok(Looked::More);
        }
        self.limited = found.limited;
        // Behind those out of turn there may be others.
        Ok(if full || self.out_of_turn { Looked::More } else { Looked::All(found.at) })
    }

    async fn ask(
        &mut self,
        worker: i64,
        token: i64,
        reach: Reach,
        closed: &mut Option<Duration>,
    ) -> Result<Found, sqlx::Error> {
        let (own, pool) = (&self.pool.own, self.pool.name());
        if !self.limited {
            return claim::claim(own, pool, &self.known, worker, token, reach).await;
        }
        self.keys_first = !self.keys_first;
        let claimed = limits::claim(own, pool, &self.known, worker, token, reach, self.keys_first).await?;
        *closed = claimed.closed.map(|opens| opens.unwrap_or(self.pool.settings.poll));
        Ok(claimed.found)
    }

    /// How long nothing can be due, as far as the database knows now.
    async fn until_due(&self, worker: i64, looked: OffsetDateTime) -> Duration {
        let poll = self.pool.settings.poll;
        match claim::next(&self.pool.own, self.pool.name(), &self.known, worker, looked).await {
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
            self.lost.push(stray);
        }
        let mut at = 0;
        while let Some(Stray { worker, token, transaction }) = self.lost.get(at) {
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
            self.lost.swap_remove(at);
        }
        Ok(())
    }

    /// Waits for transactions that still hold a slot: what they commit must reach the runner, which gives it back.
    async fn close_desk(&mut self) {
        self.pool.db.wakes().close(self.pool.name());
        loop {
            tokio::select! {
                stray = self.strays.recv() => match stray {
                    Some(stray) => self.lost.push(stray),
                    None => return,
                },
                () = self.pool.cut.cancelled() => return,
            }
        }
    }

    /// The last act of a drain; if the database stays away, the lease gives the jobs back instead.
    async fn give_back(&mut self) {
        while !self.lost.is_empty() && !self.pool.cut.is_cancelled() {
            match self.recover().await {
                Ok(()) if self.lost.is_empty() => return,
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
