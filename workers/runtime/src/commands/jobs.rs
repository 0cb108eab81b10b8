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
};

/// One job or a list of them.
pub(super) async fn jobs(command: JobsCommand) -> anyhow::Result<()> {
    let db = database("jobs").await?;
    let outcome = match command {
        JobsCommand::List { pool, kind, state, trace, before, limit, json } => {
            let state = Some(state).filter(|state| state != "any");
            let filter = Filter { pool: pool.map(|pool| pool.to_string()), kind, state, trace, before, limit };
            let mut conn = db.pool().acquire().await?;
            let mut page = admin::list(&mut conn, &filter).await?;
            // What somebody must look at stands where it is seen first, however much is newer.
            if before.is_none() && filter.state.as_deref() == Some("unfinished") {
                let dead = admin::list(&mut conn, &Filter { state: Some("dead".to_owned()), ..filter }).await?;
                page.jobs.retain(|job| job.state != "dead");
                page.jobs.splice(0..0, dead.jobs);
            }
            drop(conn);
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
            told(&db, id, ordered, "is due now").await
        }
        JobsCommand::Discard { id, reason } => {
            let mut tx = db.begin().await?;
            let ordered = admin::discard(&mut tx, id, &reason).await?;
            tx.commit().await?;
            told(&db, id, ordered, "is discarded").await
        }
    };
    end(&db).await;
    outcome
}

/// The pools.
pub(super) async fn queues(command: QueuesCommand) -> anyhow::Result<()> {
    let db = database("queues").await?;
    match command {
        QueuesCommand::List { json } => {
            let queues = admin::queues(&mut *db.pool().acquire().await?, &domain::kinds::all()).await?;
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
                    let silent = match queue.silent {
                        0 => String::new(),
                        silent => format!("  and {silent} silent for over 2 s"),
                    };
                    let paused = queue.paused_at.map_or("", |_| "  paused");
                    text += &format!(
                        "{:<10} {:>8} {:>10} {:>8} {:>6} {:>10} {:>8}{silent}{paused}\n",
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
    end(&db).await;
    Ok(())
}

/// The database alone: whoever looks at the work needs no files and changes no schema.
async fn database(name: &str) -> anyhow::Result<Database> {
    let connected = boot::connect(&Config::from_env()?, name, false, boot::Patience::None).await?;
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

async fn told(db: &Database, id: i64, ordered: Ordered, done: &str) -> anyhow::Result<()> {
    match ordered {
        Ordered::Yes => print(&format!("job {id} {done}\n")),
        Ordered::NotFound => match admin::show(&mut *db.pool().acquire().await?, id).await? {
            Some(detail) => bail!("job {id} is finished: {} (memalerts jobs show {id})", detail.job.state),
            None => bail!("there is no job {id}, or it was finished so long ago that it is forgotten"),
        },
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
