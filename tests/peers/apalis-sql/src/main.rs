//! apalis-sql, with large batches that it asks for often; `../README.md` has the words.

use std::time::Duration;

use apalis::{
    layers::WorkerBuilderExt as _,
    prelude::{Data, Error, Storage as _, WorkerBuilder, WorkerFactoryFn as _},
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

async fn work(arguments: &Arguments, pool: PgPool) -> Result<(), Failure> {
    async fn empty(job: Empty, runs: Data<Runs>) -> Result<(), Error> {
        runs.begin(job.n);
        Ok(())
    }

    let config = Config::new(QUEUE).set_buffer_size(arguments.concurrency).set_poll_interval(Duration::from_millis(10));
    let mut storage = PostgresStorage::<Empty>::new_with_config(pool.clone(), config);
    let mut listener = PgListen::new(pool).await?;
    listener.subscribe_with(&mut storage);
    tokio::spawn(listener.listen());
    let builder = WorkerBuilder::new("bench").concurrency(arguments.concurrency).data(Runs::new(arguments));
    builder.backend(storage).build_fn(empty).run().await;
    Ok(())
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
