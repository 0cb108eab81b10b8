//! One process incarnation: its row, renewed each second from a thread and a connection of its own, so that neither a
//! busy runtime nor a drained connection pool makes a live process look dead.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use time::OffsetDateTime;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Time between two beats.
pub(crate) const BEAT: Duration = Duration::from_secs(1);
/// A process without a beat for this long is dead.
pub(crate) const LEASE: Duration = Duration::from_secs(4);

/// The pools of a process, and how many jobs of each it runs at once.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) names: Vec<String>,
    pub(crate) slots: Vec<i32>,
}

/// What the rest of the process knows about its own liveness.
#[derive(Debug)]
pub(crate) struct Presence {
    id: AtomicI64,
    beat: Mutex<Instant>,
    pub(crate) changed: Notify,
    /// What people said that it is to begin nothing of: of the process, whatever name it goes by.
    paused: Mutex<Paused>,
}

#[derive(Debug, Default, Clone)]
struct Paused {
    pools: Vec<String>,
    at: Option<OffsetDateTime>,
    reason: Option<String>,
}

impl Presence {
    fn new() -> Self {
        Self {
            id: AtomicI64::new(0),
            beat: Mutex::new(Instant::now()),
            changed: Notify::new(),
            paused: Mutex::default(),
        }
    }

    /// For a child process: its parent's claim is all it needs.
    pub(crate) fn absent() -> Self {
        Self::new()
    }

    /// Our row's id while others must believe that we live. None: claim nothing, what we took would be taken away.
    pub(crate) fn current(&self) -> Option<i64> {
        let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        let id = self.id.load(Ordering::Acquire);
        (id != 0 && beat.elapsed() < LEASE - BEAT).then_some(id)
    }

    fn beaten(&self, id: i64, sent: Instant) {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = sent;
        if self.id.swap(id, Ordering::AcqRel) != id {
            self.changed.notify_waiters();
        }
    }
}

/// Starts the thread. It ends, and removes the row, when `stop` is cancelled; then the receiver resolves.
pub(crate) fn start(
    options: PgConnectOptions,
    pools: Served,
    stop: CancellationToken,
) -> std::io::Result<(Arc<Presence>, oneshot::Receiver<()>)> {
    let (ended, end) = oneshot::channel();
    let presence = Arc::new(Presence::new());
    let shared = presence.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("liveness".to_owned()).spawn(move || {
        runtime.block_on(async {
            let live = live(&options, &pools, &shared);
            tokio::select! {
                () = live => {}
                () = stop.cancelled() => {}
            }
            let id = shared.id.swap(0, Ordering::AcqRel);
            if id != 0
                && let Ok(Err(error)) = tokio::time::timeout(BEAT, resign(&options, id)).await
            {
                debug!(%error, "could not remove the worker's row; the lease does");
            }
        });
        drop(ended);
    })?;
    Ok((presence, end))
}

async fn live(options: &PgConnectOptions, pools: &Served, presence: &Presence) {
    loop {
        if let Err(error) = beat_until_lost(options, pools, presence).await {
            warn!(%error, "liveness lost its database connection, connecting again");
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn beat_until_lost(options: &PgConnectOptions, pools: &Served, presence: &Presence) -> Result<(), sqlx::Error> {
    let mut conn = tokio::time::timeout(LEASE, options.connect()).await.map_err(|_| timed_out())??;
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Counted from before the question: others count from when they see the answer, which is later.
        let sent = Instant::now();
        let id = tokio::time::timeout(LEASE, beat(&mut conn, pools, presence)).await.map_err(|_| timed_out())??;
        presence.beaten(id, sent);
    }
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

async fn beat(conn: &mut PgConnection, pools: &Served, presence: &Presence) -> Result<i64, sqlx::Error> {
    let id = presence.id.load(Ordering::Acquire);
    if id != 0 {
        let beaten = sqlx::query_as!(
            Paused,
            "update job_workers set beats = beats + 1, seen_at = machine_now() where id = $1
             returning paused as pools, paused_at as at, paused_reason as reason",
            id
        )
        .fetch_optional(&mut *conn)
        .await?;
        if let Some(paused) = beaten {
            *presence.paused.lock().unwrap_or_else(PoisonError::into_inner) = paused;
            return Ok(id);
        }
        warn!(worker = id, "this process was taken for dead; its jobs have new owners, it goes on under a new name");
    }
    let paused = presence.paused.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sqlx::query_scalar!(
        "insert into job_workers (name, pools, slots, paused, paused_at, paused_reason) values ($1, $2, $3, $4, $5, $6)
         returning id",
        name(),
        &pools.names,
        &pools.slots,
        &paused.pools,
        paused.at,
        paused.reason,
    )
    .fetch_one(conn)
    .await
}

async fn resign(options: &PgConnectOptions, id: i64) -> Result<(), sqlx::Error> {
    let mut conn = options.connect().await?;
    sqlx::query!(
        "delete from job_workers w where id = $1
             and not exists (select 1 from jobs j where j.worker = w.id and j.state = 'running')",
        id
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// host/boot/pid/random: says where to look, and no two incarnations share it.
fn name() -> String {
    let read =
        |path| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_else(|_| "-".to_owned());
    let host = read("/proc/sys/kernel/hostname");
    let boot = read("/proc/sys/kernel/random/boot_id");
    format!("{host}/{boot}/{}/{:016x}", std::process::id(), rand::random::<u64>())
}
