//! Runs the pools of one process: each pool as an apalis worker over our backend, beside them the liveness thread, the
//! janitor, the periodic jobs and the retention. Survives any loss of the database; ends only when told to.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use apalis::prelude::{Worker, WorkerContext};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::layer::util::Identity;
use tracing::{error, info};

use crate::{
    Database, Isolation, Workers,
    backend::QueueBackend,
    janitor, planning,
    pool::{Claimed, Pool},
    presence::{self, Presence},
    retention,
    runner::Runner,
    sampler, schedule,
    telemetry::Meters,
};

/// How a process runs its pools.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A pool looks for work at least this often, also when no wake-up came.
    pub poll: Duration,
    /// From the shutdown on, running jobs may take this long to end.
    pub grace: Duration,
    /// Days for which finished jobs and attempts are kept.
    pub keep_days: u16,
    /// How a child process is started for a job whose process died under it. None: such jobs run one at a time in here.
    pub isolation: Option<Isolation>,
    /// Cancelled to end the grace at once (a second signal).
    pub hurry: CancellationToken,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            grace: Duration::from_secs(20),
            keep_days: 14,
            isolation: None,
            hurry: CancellationToken::new(),
        }
    }
}

/// Runs the pools until `shutdown`, then drains: nothing more is claimed, what has not started is given back at once,
/// [`Ctx::cancelled`](crate::Ctx) fires, and runs that outlast the grace are given back without using an attempt.
///
/// # Errors
/// Only at the start: the liveness thread could not be made.
pub async fn run(
    db: Database,
    workers: Vec<Workers>,
    shutdown: CancellationToken,
    settings: Settings,
) -> std::io::Result<()> {
    let options = (*db.pool().connect_options()).clone();
    let own = connections(options.clone(), workers.len());
    let served = presence::Served {
        names: workers.iter().map(|workers| workers.pool().to_owned()).collect(),
        slots: workers.iter().map(|workers| i32::try_from(workers.concurrency()).unwrap_or(i32::MAX)).collect(),
    };
    let gone = CancellationToken::new();
    let (presence, resigned) = presence::start(options, served, gone.clone())?;
    let cut = CancellationToken::new();

    let mut pools = JoinSet::new();
    for workers in &workers {
        let pool = Pool {
            db: db.clone(),
            own: own.clone(),
            workers: workers.clone(),
            presence: presence.clone(),
            settings: settings.clone(),
            meters: Meters::new(workers),
            limited: AtomicBool::new(false),
            drain: shutdown.clone(),
            cut: cut.clone(),
        };
        pools.spawn(supervise(Arc::new(pool)));
    }
    let mut chores = JoinSet::new();
    let schedules = workers.iter().flat_map(|workers| workers.schedules().iter().cloned()).collect();
    chores.spawn(schedule::run(db.clone(), schedules, shutdown.clone()));
    chores.spawn(retention::run(own.clone(), settings.keep_days, shutdown.clone()));
    chores.spawn(sampler::run(own.clone(), workers.iter().map(Workers::pool).collect(), shutdown.clone()));
    chores.spawn(janitor::run(own.clone(), db.wakes().clone(), gone.clone()));
    chores.spawn(greet(presence.clone(), db.clone(), workers.iter().map(Workers::pool).collect(), shutdown.clone()));

    shutdown.cancelled().await;
    info!("draining: no more jobs are claimed");
    let all_ended = async { while pools.join_next().await.is_some() {} };
    tokio::pin!(all_ended);
    tokio::select! {
        () = &mut all_ended => {}
        () = async { tokio::select! { () = tokio::time::sleep(settings.grace) => {} () = settings.hurry.cancelled() => {} } } => {
            info!("the grace is over: running jobs are given back");
            cut.cancel();
            all_ended.await;
        }
    }
    gone.cancel();
    while chores.join_next().await.is_some() {}
    // An error is the thread's end, too.
    let _ = resigned.await;
    own.close().await;
    info!("drained");
    Ok(())
}

/// Apalis' worker has no reason to end before the drain; should it, the pool starts again.
async fn supervise(pool: Arc<Pool>) {
    loop {
        let worker: Worker<Claimed, _, _, _> = Worker::new(
            WorkerContext::new(pool.name()),
            QueueBackend::start(pool.clone()),
            Runner { pool: pool.clone() },
            Identity::new(),
        );
        let ended = worker.run().await;
        if pool.drain.is_cancelled() {
            return;
        }
        error!(pool = pool.name(), ?ended, "the pool's worker ended by itself, starting it again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A fetcher that found us unregistered looks again as soon as we are.
async fn greet(presence: Arc<Presence>, db: Database, pools: Vec<&'static str>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = presence.changed.notified() => pools.iter().for_each(|pool| db.wakes().pool(pool).ring()),
            () = stop.cancelled() => return,
        }
    }
}

/// Two connections a pool (claim, acknowledge) and two for chores and second hands, made when needed and apart from those of
/// handlers.
fn connections(options: PgConnectOptions, pools: usize) -> PgPool {
    PgPoolOptions::new()
        .max_connections(u32::try_from(pools * 2 + 2).unwrap_or(u32::MAX))
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(60))
        // A ping before each use would double the round trips; whoever uses these tries again after a failure anyway.
        .test_before_acquire(false)
        .connect_lazy_with(planning(options))
}
