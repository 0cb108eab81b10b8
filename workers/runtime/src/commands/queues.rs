//! `memalerts queues ...`: the pools, and the processes that serve them.

use anyhow::Context as _;
use queue::{
    Limit, Rate,
    admin::{self, LimitView, QueueView},
};

use super::{
    ops::{by, database, end},
    print, print_json,
};
use crate::cli::{QueuesCommand, Whom};

/// The pools.
pub(super) async fn run(command: QueuesCommand) -> anyhow::Result<()> {
    let db = database("queues").await?;
    let outcome = match command {
        QueuesCommand::List { json } => {
            let queues = admin::queues(&mut *db.pool().acquire().await?, &domain::kinds::all()).await?;
            if json { print_json(&queues) } else { print(&table(&queues)) }
        }
        QueuesCommand::Workers { json } => {
            let queues = admin::queues(&mut *db.pool().acquire().await?, &domain::kinds::all()).await?;
            if json {
                let workers: Vec<_> = queues
                    .iter()
                    .flat_map(|queue| {
                        queue.processes.iter().map(|it| serde_json::json!({ "pool": queue.pool, "worker": it }))
                    })
                    .collect();
                print_json(&workers)
            } else {
                print(&workers(&queues))
            }
        }
        QueuesCommand::Pause { whom, reason } => pause(&db, whom, reason.as_deref()).await,
        QueuesCommand::Resume { whom } => resume(&db, whom).await,
        QueuesCommand::Limit { pool, running, starts, per, reason } => {
            let starts = starts.zip(per).map(|(most, per)| Rate { most, per });
            limit(&db, pool.as_str(), Some(Limit { running, starts }), reason.as_deref()).await
        }
        QueuesCommand::Unlimit { pool } => limit(&db, pool.as_str(), None, None).await,
    };
    end(&db).await;
    outcome
}

async fn pause(db: &queue::Database, whom: Whom, reason: Option<&str>) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let pool = whom.pool.map(|pool| pool.as_str());
    let said = match (whom.worker, pool) {
        (Some(worker), pool) => {
            let paused = admin::pause_worker(&mut tx, &by(), worker, pool, reason).await?;
            let paused = paused.context("there is no such worker, or it does not serve this pool")?;
            format!("worker {worker} begins nothing new in {}\n", paused.join(", "))
        }
        (None, Some(pool)) => {
            admin::pause(&mut tx, &by(), pool, reason).await?;
            format!("pool {pool} is paused: what runs ends, nothing new begins\n")
        }
        // The command line does not take it.
        (None, None) => String::new(),
    };
    tx.commit().await?;
    print(&said)
}

async fn limit(
    db: &queue::Database,
    pool: &'static str,
    limit: Option<Limit>,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let changed = admin::limit(&mut tx, &by(), pool, limit, reason).await?;
    tx.commit().await?;
    print(&match (limit, changed) {
        (Some(limit), true) => format!("pool {pool}: {}, in all processes together\n", told(&limit.into())),
        (Some(_), false) => format!("pool {pool} had this limit\n"),
        (None, true) => format!("pool {pool} has no limit\n"),
        (None, false) => format!("pool {pool} had no limit\n"),
    })
}

/// `2 at once, 20 in 30 s`
fn told(limit: &LimitView) -> String {
    let running = limit.running.map(|most| format!("{most} at once"));
    let starts = limit.starts.zip(limit.per_seconds).map(|(most, per)| format!("{most} in {per} s"));
    running.into_iter().chain(starts).collect::<Vec<_>>().join(", ")
}

async fn resume(db: &queue::Database, whom: Whom) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let pool = whom.pool.map(|pool| pool.as_str());
    let said = match (whom.worker, pool) {
        (Some(worker), pool) => {
            let paused = admin::resume_worker(&mut tx, &by(), worker, pool).await?;
            match paused.context("there is no such worker, or it does not serve this pool")? {
                paused if paused.is_empty() => format!("worker {worker} goes on\n"),
                paused => format!("worker {worker} goes on, but not in {}\n", paused.join(", ")),
            }
        }
        (None, Some(pool)) => match admin::resume(&mut tx, &by(), pool).await? {
            true => format!("pool {pool} goes on\n"),
            false => format!("pool {pool} was not paused\n"),
        },
        // The command line does not take it.
        (None, None) => String::new(),
    };
    tx.commit().await?;
    print(&said)
}

fn table(queues: &[QueueView]) -> String {
    let mut text = format!(
        "{:<10} {:>8} {:>10} {:>8} {:>6} {:>10} {:>8}\n",
        "pool", "ready", "scheduled", "running", "dead", "oldest", "workers"
    );
    for queue in queues {
        let oldest = queue.oldest_due_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"));
        let silent = match queue.silent {
            0 => String::new(),
            silent => format!("  and {silent} silent for over 2 s"),
        };
        let paused = queue.paused_at.map_or("", |_| "  paused");
        let limit = queue.limit.as_ref().map_or_else(String::new, |limit| format!("  limit: {}", told(limit)));
        let some = queue.processes.iter().filter(|worker| worker.paused).count();
        let some = if some == 0 { String::new() } else { format!("  paused in {some}") };
        text += &format!(
            "{:<10} {:>8} {:>10} {:>8} {:>6} {:>10} {:>8}{silent}{paused}{some}{limit}\n",
            queue.pool, queue.ready, queue.scheduled, queue.running, queue.dead, oldest, queue.workers
        );
    }
    text
}

fn workers(queues: &[QueueView]) -> String {
    let mut text = format!("{:>8}  {:<10} {:>8} {:>6}  {}\n", "worker", "pool", "running", "slots", "process");
    for queue in queues {
        for worker in &queue.processes {
            let slots = worker.slots.map_or_else(|| "-".to_owned(), |slots| slots.to_string());
            let silent = if worker.silent { "  silent for over 2 s" } else { "" };
            let paused = if worker.paused { "  paused" } else { "" };
            text += &format!(
                "{:>8}  {:<10} {:>8} {slots:>6}  {}{silent}{paused}\n",
                worker.id, queue.pool, worker.running, worker.name
            );
        }
    }
    text
}
