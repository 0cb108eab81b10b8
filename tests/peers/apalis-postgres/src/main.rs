//! apalis-postgres, with the largest batches that help it; `../README.md` has the words.

use std::time::Duration;

use apalis::{
    layers::{WorkerBuilderExt as _, retry::RetryPolicy},
    prelude::{BackendExt as _, BoxDynError, Data, Monitor, TaskBuilder, WorkerBuilder},
};
use apalis_postgres::{Config, PostgresStorage, queries::push_tasks};
use contender::{Arguments, Failure, Mode, Runs};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tower::{
    retry::backoff::{ExponentialBackoffMaker, MakeBackoff as _},
    util::rng::HasherRng,
};

const QUEUE: &str = "empty";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Empty {
    n: i64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let connections = u32::try_from(arguments.connections)?.max(10);
    let pool = PgPoolOptions::new().max_connections(connections).connect(&arguments.database).await?;
    match arguments.mode {
        Mode::Prepare => PostgresStorage::setup(&pool).await?,
        Mode::Fill => fill(&pool, arguments.jobs).await?,
        Mode::Work => {
            let enqueuing = arguments.rate.map(|_| {
                let (arguments, pool) = (arguments.clone(), pool.clone());
                tokio::spawn(async move { enqueue(&arguments, pool).await })
            });
            work(&arguments, &pool).await?;
            if let Some(enqueuing) = enqueuing {
                enqueuing.await??;
            }
        }
        Mode::Enqueue => enqueue(&arguments, pool).await?,
    }
    Ok(())
}

async fn handle(job: Empty, runs: Data<Runs>) -> Result<(), BoxDynError> {
    runs.run(job.n).await
}

async fn work(arguments: &Arguments, pool: &PgPool) -> Result<(), Failure> {
    if arguments.settings.starts_with("manual") {
        return work_by_the_manual(arguments, pool).await;
    }
    // A claim locks what it takes; locking each once more is a statement a job.
    let config = Config::default().queue(QUEUE).batch_size(arguments.concurrency).lock_tasks(false);
    let storage = PostgresStorage::<Empty>::new(pool).with_config(config);
    let builder = WorkerBuilder::new("bench");
    let runs = Runs::new(arguments);
    if arguments.settings == "pubsub" {
        let storage = storage.with_pubsub().poll_with_interval(Duration::from_secs(5));
        builder.backend(storage).concurrency(arguments.concurrency).data(runs).build(handle).run().await?;
    } else {
        builder.backend(storage).concurrency(arguments.concurrency).data(runs).build(handle).run().await?;
    }
    Ok(())
}

/// With all settings at their defaults, woken by NOTIFY as its manual's example is, under its monitor, which starts a worker
/// again that has ended.
async fn work_by_the_manual(arguments: &Arguments, pool: &PgPool) -> Result<(), Failure> {
    let mut config = Config::default().queue(QUEUE);
    if arguments.settings == "manual-impatient" {
        config = config.heartbeat_interval(Duration::from_secs(2)).missed_heartbeats(5);
    }
    let (arguments, pool) = (arguments.clone(), pool.clone());
    let retry = arguments.settings == "manual-retry";
    let (base, cap) = (Duration::from_secs(1), Duration::from_secs(10));
    let backoff = ExponentialBackoffMaker::new(base, cap, 0.2, HasherRng::default())?;
    let builder = move |_| {
        let storage = PostgresStorage::<Empty>::new(&pool).with_config(config.clone());
        let storage = storage.with_pubsub().poll_with_interval(Duration::from_secs(5));
        let runs = Runs::new(&arguments);
        WorkerBuilder::new(arguments.name.as_str()).backend(storage).concurrency(arguments.concurrency).data(runs)
    };
    let monitor = if retry {
        let mut backoff = backoff;
        let policy = RetryPolicy::retries(3).with_backoff(backoff.make_backoff());
        Monitor::new().register(move |start| builder(start).retry(policy.clone()).build(handle))
    } else {
        Monitor::new().register(move |start| builder(start).build(handle))
    };
    Ok(monitor.should_restart(|worker, _| worker.restarts() < 5).run().await?)
}

async fn fill(pool: &PgPool, jobs: i64) -> Result<(), Failure> {
    let mut connection = pool.acquire().await?.detach();
    let mut first = 0;
    while first < jobs {
        let end = (first + 1000).min(jobs);
        let tasks = (first..end)
            .map(|n| Ok(TaskBuilder::new(serde_json::to_vec(&Empty { n })?).build()))
            .collect::<Result<_, Failure>>()?;
        push_tasks(&mut connection, QUEUE, tasks).await?;
        first = end;
    }
    Ok(())
}

async fn enqueue(arguments: &Arguments, pool: PgPool) -> Result<(), Failure> {
    contender::enqueue(arguments, move |_, n| {
        let pool = pool.clone();
        async move {
            let task = TaskBuilder::new(serde_json::to_vec(&Empty { n })?).build();
            let mut connection = pool.acquire().await?;
            push_tasks(&mut *connection, QUEUE, vec![task]).await?;
            Ok(())
        }
    })
    .await
}
