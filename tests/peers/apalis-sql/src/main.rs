//! apalis-sql, with large batches that it asks for often; `../README.md` has the words.

use std::{sync::Arc, time::Duration};

use apalis::{
    layers::{
        WorkerBuilderExt as _,
        retry::{
            HasherRng, RetryPolicy,
            backoff::{ExponentialBackoffMaker, MakeBackoff as _},
        },
    },
    prelude::{Data, Error, Monitor, Storage as _, WorkerBuilder, WorkerFactoryFn as _},
};
use apalis_sql::{
    Config,
    postgres::{PgListen, PgPool, PostgresStorage},
    sqlx::{self, postgres::PgPoolOptions},
};
use contender::{Arguments, Failure, Mode, Runs};
use serde::{Deserialize, Serialize};

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
        Mode::Fill => {
            let fill = "select apalis.push_job($1, json_build_object('n', n)) from generate_series(1, $2) n";
            sqlx::query(fill).bind(QUEUE).bind(arguments.jobs).execute(&pool).await?;
        }
        Mode::Work => {
            let enqueuing = arguments.rate.map(|_| {
                let (arguments, pool) = (arguments.clone(), pool.clone());
                tokio::spawn(async move { enqueue(&arguments, pool).await })
            });
            work(&arguments, pool).await?;
            if let Some(enqueuing) = enqueuing {
                enqueuing.await??;
            }
        }
        Mode::Enqueue => enqueue(&arguments, pool).await?,
    }
    Ok(())
}

async fn handle(job: Empty, runs: Data<Runs>) -> Result<(), Error> {
    runs.run(job.n).await.map_err(|failure| Error::Failed(Arc::new(failure)))
}

async fn work(arguments: &Arguments, pool: PgPool) -> Result<(), Failure> {
    if arguments.settings.starts_with("manual") {
        return work_by_the_manual(arguments, pool).await;
    }
    let config = Config::new(QUEUE).set_buffer_size(arguments.concurrency).set_poll_interval(Duration::from_millis(10));
    let mut storage = PostgresStorage::<Empty>::new_with_config(pool.clone(), config);
    let mut listener = PgListen::new(pool).await?;
    listener.subscribe_with(&mut storage);
    tokio::spawn(listener.listen());
    let builder = WorkerBuilder::new("bench").concurrency(arguments.concurrency).data(Runs::new(arguments));
    builder.backend(storage).build_fn(handle).run().await;
    Ok(())
}

/// With all settings at their defaults, under its monitor.
async fn work_by_the_manual(arguments: &Arguments, pool: PgPool) -> Result<(), Failure> {
    let mut config = Config::new(QUEUE);
    if arguments.settings == "manual-impatient" {
        config = config.set_keep_alive(Duration::from_secs(2)).set_reenqueue_orphaned_after(Duration::from_secs(10));
    }
    let storage = PostgresStorage::<Empty>::new_with_config(pool, config);
    let builder = WorkerBuilder::new(&arguments.name).concurrency(arguments.concurrency).data(Runs::new(arguments));
    let monitor = if arguments.settings == "manual-retry" {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(10));
        let backoff = ExponentialBackoffMaker::new(base, cap, 0.2, HasherRng::default())?.make_backoff();
        let policy = RetryPolicy::retries(3).with_backoff(backoff);
        Monitor::new().register(builder.retry(policy).backend(storage).build_fn(handle))
    } else {
        Monitor::new().register(builder.backend(storage).build_fn(handle))
    };
    Ok(monitor.run().await?)
}

async fn enqueue(arguments: &Arguments, pool: PgPool) -> Result<(), Failure> {
    let storage = PostgresStorage::<Empty>::new_with_config(pool, Config::new(QUEUE));
    contender::enqueue(arguments, move |_, n| {
        let mut storage = storage.clone();
        async move {
            storage.push(Empty { n }).await?;
            Ok(())
        }
    })
    .await
}
