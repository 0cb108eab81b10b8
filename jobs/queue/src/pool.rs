//! What the parts of one running pool share: fetcher, runner, acknowledger.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::{
    Database, Settings, Workers,
    claim::Row,
    presence::Presence,
    settle::{Claim, Judgement},
    telemetry::Meters,
};

/// One running pool of one process.
#[derive(Debug)]
pub(crate) struct Pool {
    /// For handlers.
    pub(crate) db: Database,
    /// The queue's own connections: a flood of handlers cannot starve claims and acknowledgements.
    pub(crate) own: PgPool,
    pub(crate) workers: Workers,
    pub(crate) presence: Arc<Presence>,
    pub(crate) settings: Settings,
    pub(crate) meters: Meters,
    /// Claims go by limits, also by the pool's own, for which the end of any run counts, whenever it began.
    pub(crate) limited: AtomicBool,
    /// No more claims; what has not started goes back; handlers are asked to stop.
    pub(crate) drain: CancellationToken,
    /// The grace is over: runs are cut.
    pub(crate) cut: CancellationToken,
}

impl Pool {
    pub(crate) fn name(&self) -> &'static str {
        self.workers.pool()
    }
}

/// A job with the slot that it occupies.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) row: Row,
    pub(crate) slot: OwnedSemaphorePermit,
    /// When this process learned that it is ours.
    pub(crate) at: Instant,
}

impl Claimed {
    pub(crate) fn new(row: Row, slot: OwnedSemaphorePermit) -> Self {
        Self { row, slot, at: Instant::now() }
    }

    /// Seconds since it was due: by the database's clock until it was taken, by ours from then on.
    pub(crate) fn waited(&self) -> f64 {
        self.row.waited + self.at.elapsed().as_secs_f64()
    }

    pub(crate) fn claim(&self) -> Claim {
        Claim { id: self.row.id, token: self.row.token, wake: self.row.wake }
    }

    pub(crate) fn settle(self, judgement: Judgement) -> Settlement {
        Settlement { claim: self.claim(), awaited: self.row.awaited, judgement, slot: self.slot }
    }
}

/// The end of a run on its way to the database. Keeps its slot until the acknowledger takes it over, so that what waits
/// for acknowledgement is never more than the slots and one batch.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) claim: Claim,
    pub(crate) awaited: bool,
    pub(crate) judgement: Judgement,
    pub(crate) slot: OwnedSemaphorePermit,
}
