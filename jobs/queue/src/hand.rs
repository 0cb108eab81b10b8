//! The hand of a pool that claims jobs, and what it remembers from one claim to the next.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::{
    claim::{self, Known, Reach},
    hand_over::Stray,
    limits::{self, Limited},
    lines,
    pool::{Claimed, Pool},
    settle,
};

/// Jobs with an order key or a limit that a claim looks at when the one before met some out of turn: a long line is soon set
/// aside.
const LINE: i64 = 300;
/// Of so many claims that left something behind, one begins with a smaller priority: the largest has three quarters of
/// what the pool can do while it has enough to be done, and starves nobody.
const SHARES: i32 = 4;

/// What a claim saw.
pub(crate) enum Looked {
    /// It was full: there may be more.
    More,
    /// All that was due at that time.
    All(OffsetDateTime),
    /// Nothing: the pool's limit is reached for so long.
    Closed(Duration),
}

/// Claims for one pool, one claim at a time.
pub(crate) struct Hand {
    pool: Arc<Pool>,
    jobs: mpsc::UnboundedSender<Claimed>,
    pub(crate) known: Known,
    /// Claims that may have left something behind.
    full: i32,
    /// The last claim met jobs out of turn.
    out_of_turn: bool,
    /// The pool has a limit, or jobs with one.
    limited: bool,
    /// Those come first next time.
    keys_first: bool,
    /// Claims whose answer never came.
    pub(crate) lost: Vec<Stray>,
}

impl Hand {
    pub(crate) fn new(pool: Arc<Pool>, jobs: mpsc::UnboundedSender<Claimed>) -> Self {
        let known = Known::new(&pool.workers.kinds());
        Self { pool, jobs, known, full: 0, out_of_turn: false, limited: false, keys_first: false, lost: Vec::new() }
    }

    /// Claims as many as there are slots, and sends them to the runner with their slots.
    pub(crate) async fn claim(&mut self, worker: i64, mut slots: OwnedSemaphorePermit) -> Result<Looked, sqlx::Error> {
        let token = rand::random::<i64>();
        fail::fail_point!("queue::claim::before");
        let asked = i64::try_from(slots.num_permits()).unwrap_or(i64::MAX);
        let reach = Reach {
            limit: asked,
            keyed: if self.out_of_turn { LINE.max(asked) } else { asked },
            favour: if self.full % SHARES == SHARES - 1 { 1 + self.full / SHARES } else { 0 },
            under_limits: self.limited,
        };
        let Limited { found, closed, most } = match self.ask(worker, token, reach).await {
            Ok(claimed) => claimed,
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
        // A pool with a limit is full before its slots are.
        let full = !found.rows.is_empty() && i64::try_from(found.rows.len()).unwrap_or(i64::MAX) >= most;
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
            lines::take_back(&self.pool.own, &found.aside).await?;
        }
        if let Some(opens) = closed {
            return Ok(Looked::Closed(opens.unwrap_or(self.pool.settings.poll)));
        }
        if found.limited && !self.limited {
            // Only now we know that there is more than this claim could see.
            self.limited = true;
            return Ok(Looked::More);
        }
        if self.limited && !found.limited {
            self.pool.limited.store(false, Ordering::SeqCst);
        }
        self.limited = found.limited;
        // Behind those out of turn there may be others.
        Ok(if full || self.out_of_turn { Looked::More } else { Looked::All(found.at) })
    }

    async fn ask(&mut self, worker: i64, token: i64, reach: Reach) -> Result<Limited, sqlx::Error> {
        let (own, pool) = (&self.pool.own, self.pool.name());
        if !self.limited {
            let found = claim::claim(own, pool, &self.known, worker, token, reach).await?;
            return Ok(Limited { found, closed: None, most: reach.limit });
        }
        // Before it counts: the end of a run that it does not see yet sees this.
        self.pool.limited.store(true, Ordering::SeqCst);
        let claimed = limits::claim(own, pool, &self.known, worker, token, reach, self.keys_first).await?;
        // A look at a closed gate is no turn.
        if !claimed.found.rows.is_empty() {
            self.keys_first = !self.keys_first;
        }
        Ok(claimed)
    }
}
