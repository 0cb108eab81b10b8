//! Our own queue as a contender's program: crate `queue` with a handler that does nothing and is acknowledged in batches.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use contender::{Arguments, Failure, Mode, Runs};
use queue::{Ctx, Database, Isolation, Job, JobError, Order, Retry, Settings, Verdict, Wakes, Workers};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// The job of all contenders.
#[derive(Debug, Serialize, Deserialize)]
struct Empty {
    n: i64,
}

impl Job for Empty {
    const NAME: &'static str = "empty";
    const POOL: &'static str = "bench";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(1), Duration::from_secs(10));
    const TIMEOUT: Duration = Duration::from_secs(10);
}

/// Does what the command line says. Before the words of all contenders, ours knows `alone ID TOKEN`: one job, in this
/// process alone.
pub(crate) fn run(words: Vec<String>) -> anyhow::Result<()> {
    let ran = async {
        let (alone, words) = match &words[..] {
            [alone, id, token, rest @ ..] if alone == "alone" => (Some((id.parse()?, token.parse()?)), rest.to_vec()),
            _ => (None, words),
        };
        let arguments = Arguments::parse(words.clone())?;
        let (wakes, outward) = Wakes::new();
        let options = queue::planning(PgConnectOptions::from_str(&arguments.database)?);
        let connections = u32::try_from(arguments.connections)?.max(4);
        let pool =
            PgPoolOptions::new().max_connections(connections).test_before_acquire(false).connect_with(options).await?;
        let db = Database::new(pool, wakes);
        match arguments.mode {
            Mode::Prepare => sqlx::migrate!("../../migrations").run(db.pool()).await?,
            Mode::Fill => fill(&db, arguments.jobs).await?,
            Mode::Enqueue => {
                let stop = CancellationToken::new();
                let exchange = tokio::spawn(queue::run_exchange(db.clone(), outward, stop.clone()));
                enqueue(&arguments, db).await?;
                stop.cancel();
                exchange.await?;
            }
            Mode::Work => {
                let never = CancellationToken::new();
                let runs = Runs::new(&arguments);
                let handler = move |_: Ctx, job: Empty| {
                    let runs = runs.clone();
                    async move { runs.run(job.n).await.map(|()| Verdict::Done).map_err(JobError::retry) }
                };
                let workers = vec![Workers::new(Empty::POOL, arguments.concurrency).handle(handler)];
                if let Some((id, token)) = alone {
                    return Ok(queue::run_alone(db, workers, id, token, never).await?);
                }
                let program = std::env::current_exe()?;
                let isolation = Isolation::new(move |id, token| {
                    let mut command = Command::new(&program);
                    command.args(["contender", "alone", &id.to_string(), &token.to_string()]).args(&words);
                    command
                });
                let settings = Settings { isolation: Some(isolation), ..Settings::default() };
                let engine = queue::run(db.clone(), workers, never.clone(), settings);
                let engine = tokio::spawn(engine);
                let exchange = tokio::spawn(queue::run_exchange(db.clone(), outward, never));
                if arguments.rate.is_some() {
                    enqueue(&arguments, db).await?;
                }
                engine.await??;
                exchange.await?;
            }
        }
        Ok::<_, Failure>(())
    };
    // As `memalerts` has it: this program's other half gets by with one thread.
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(ran).map_err(anyhow::Error::from_boxed)
}

async fn fill(db: &Database, jobs: i64) -> Result<(), Failure> {
    let mut first = 0;
    while first < jobs {
        let end = (first + 1000).min(jobs);
        let orders = (first..end).map(|n| Order::new(&Empty { n })).collect::<Result<_, _>>()?;
        let mut tx = db.begin().await?;
        queue::enqueue_all(&mut tx, orders).await?;
        tx.commit().await?;
        first = end;
    }
    Ok(())
}

async fn enqueue(arguments: &Arguments, db: Database) -> Result<(), Failure> {
    let db = Arc::new(db);
    contender::enqueue(arguments, move |_, n| {
        let db = db.clone();
        async move {
            let mut tx = db.begin().await?;
            queue::enqueue(&mut tx, &Empty { n }).await?;
            Ok(tx.commit().await?)
        }
    })
    .await
}
