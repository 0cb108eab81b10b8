//! `memalerts jobs ...` and `memalerts queues ...`: looking at the work, and at the pools that do it.

use anyhow::bail;
use queue::{
    Database, Wakes,
    admin::{self, Filter, JobView, Ordered},
};

use super::{print, print_json};
use crate::{
    boot,
    cli::{JobsCommand, QueuesCommand},
    config::Config,
    lifecycle::Lifecycle,
    roles::{Process, work},
};

/// One job or a list of them.
pub(super) async fn jobs(command: JobsCommand) -> anyhow::Result<()> {
    let db = database().await?;
    let outcome = match command {
        JobsCommand::List { pool, kind, state, trace, before, limit, json } => {
            let filter = Filter { pool: pool.map(|pool| pool.to_string()), kind, state, trace, before, limit };
            let page = admin::list(&mut *db.pool().acquire().await?, &filter).await?;
            if json { print_json(&page) } else { print(&table(&page.jobs, page.next)) }
        }
        JobsCommand::Show { id } => match admin::show(&mut *db.pool().acquire().await?, id).await? {
            Some(detail) => print_json(&detail),
            None => bail!("there is no job {id}"),
        },
        JobsCommand::Retry { id } => {
            let mut tx = db.begin().await?;
            let ordered = admin::retry(&mut tx, id).await?;
            tx.commit().await?;
            told(id, ordered, "is due now")
        }
        JobsCommand::Discard { id, reason } => {
            let mut tx = db.begin().await?;
            let ordered = admin::discard(&mut tx, id, &reason).await?;
            tx.commit().await?;
            told(id, ordered, "is discarded")
        }
    };
    end(&db).await;
    outcome
}

/// The pools.
pub(super) async fn queues(command: QueuesCommand) -> anyhow::Result<()> {
    let config = Config::from_env()?;
    let connected = boot::connect(&config, "queues", false, boot::Patience::None).await?;
    let process = Process::boot(config, connected.pool, Lifecycle::default()).await?;
    let db = &process.db;
    match command {
        QueuesCommand::List { json } => {
            let workers = work::Pool::ALL.iter().map(|pool| work::workers(&process, *pool));
            let kinds: Vec<_> =
                workers.collect::<anyhow::Result<Vec<_>>>()?.iter().flat_map(queue::Workers::kinds).collect();
            let queues = admin::queues(&mut *db.pool().acquire().await?, &kinds).await?;
            if json {
                print_json(&queues)?;
            } else {
                let mut text = format!(
                    "{:<10} {:>8} {:>10} {:>8} {:>6} {:>10} {:>8}\n",
                    "pool", "ready", "scheduled", "running", "dead", "oldest", "workers"
                );
                for queue in queues {
                    let oldest =
                        queue.oldest_due_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"));
                    let paused = queue.paused_at.map_or("", |_| "  paused");
                    text += &format!(
                        "{:<10} {:>8} {:>10} {:>8} {:>6} {:>10} {:>8}{paused}\n",
                        queue.pool, queue.ready, queue.scheduled, queue.running, queue.dead, oldest, queue.workers
                    );
                }
                print(&text)?;
            }
        }
        QueuesCommand::Pause { pool, reason } => {
            admin::pause(&mut *db.pool().acquire().await?, pool.as_str(), reason.as_deref()).await?;
            print(&format!("pool {pool} is paused: what runs ends, nothing new begins\n"))?;
        }
        QueuesCommand::Resume { pool } => {
            let mut tx = db.begin().await?;
            let paused = admin::resume(&mut tx, pool.as_str()).await?;
            tx.commit().await?;
            print(&if paused { format!("pool {pool} goes on\n") } else { format!("pool {pool} was not paused\n") })?;
        }
    }
    end(db).await;
    Ok(())
}

async fn database() -> anyhow::Result<Database> {
    let connected = boot::connect(&Config::from_env()?, "jobs", false, boot::Patience::None).await?;
    let (wakes, _) = Wakes::new();
    Ok(Database::new(connected.pool, wakes))
}

/// Other processes look at once instead of at their next poll; then the connections are given back.
async fn end(db: &Database) {
    if let Err(error) = queue::wake_everybody(db.pool()).await {
        tracing::debug!(%error, "the pools will see it at their next poll");
    }
    db.pool().close().await;
}

fn told(id: i64, ordered: Ordered, done: &str) -> anyhow::Result<()> {
    match ordered {
        Ordered::Yes => print(&format!("job {id} {done}\n")),
        Ordered::NotFound => bail!("there is no unfinished or dead job {id}"),
        Ordered::Running => bail!("job {id} runs right now"),
        Ordered::Covered => bail!("another unfinished job has the key of job {id} and does its work"),
    }
}

fn table(jobs: &[JobView], next: Option<i64>) -> String {
    let mut text =
        format!("{:>10}  {:<10} {:<10} {:<24} {:>8}  {}\n", "id", "state", "pool", "kind", "attempts", "reason");
    for job in jobs {
        let reason = job.reason.as_deref().unwrap_or_default();
        text += &format!(
            "{:>10}  {:<10} {:<10} {:<24} {:>8}  {reason}\n",
            job.id, job.state, job.pool, job.kind, job.attempts
        );
    }
    if let Some(next) = next {
        text += &format!("more: --before {next}\n");
    }
    text
}
