//! The limit: what a loop by hand does for jobs that cannot fail, with the safety of a queue and nothing else.
//!
//! A claim takes a batch under a token of its own and counts the attempt, committed before a job runs; an
//! acknowledgement shows the token, a batch at a time. The two go on side by side, each on a connection of its own.

use std::sync::Arc;

use contender::{Arguments, Failure, Mode, Runs};
use tokio::sync::mpsc;
use tokio_postgres::{Client, NoTls, types::Json};

const SCHEMA: &str = "
    create table jobs (
        id bigint generated always as identity primary key,
        token bigint,
        run_at timestamptz not null default now(),
        attempts smallint not null default 0,
        payload jsonb not null
    ) with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);
    create index jobs_ready on jobs (run_at, id) where token is null;
    create table jobs_done (
        id bigint not null,
        finished_at timestamptz not null default now(),
        attempts smallint not null,
        payload jsonb not null
    );
    create index jobs_done_id on jobs_done (id);";

const CLAIM: &str = "
    with due as (
        select id from jobs where token is null and run_at <= now() order by run_at, id limit $2 for update skip locked
    )
    update jobs j set token = $1, attempts = j.attempts + 1 from due where j.id = due.id
    returning j.id, j.attempts, j.payload";

/// What is done is gone.
const DELETE: &str = "delete from jobs j using unnest($1::bigint[]) as done (id) where j.id = done.id and j.token = $2";

/// What is done is kept.
const MOVE: &str = "
    with gone as (
        delete from jobs j using unnest($1::bigint[]) as done (id) where j.id = done.id and j.token = $2 returning j.*
    )
    insert into jobs_done (id, attempts, payload) select id, attempts, payload from gone";

/// As the queue's own connections plan: with a generic plan, along indexes.
const PLANNING: &str = "
    set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
    set enable_mergejoin = off; set enable_bitmapscan = off; set jit = off";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    match arguments.mode {
        Mode::Prepare => connect(&arguments).await?.batch_execute(SCHEMA).await?,
        Mode::Fill => {
            let fill = "insert into jobs (payload) select jsonb_build_object('n', n) from generate_series(1::bigint, $1) n";
            connect(&arguments).await?.execute(fill, &[&arguments.jobs]).await?;
        }
        Mode::Work => work(&arguments).await?,
        Mode::Enqueue => enqueue(&arguments).await?,
    }
    Ok(())
}

async fn connect(arguments: &Arguments) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(&arguments.database, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(PLANNING).await?;
    Ok(client)
}

/// Jobs of one claim, with its token.
type Batch = (i64, Vec<i64>);

async fn work(arguments: &Arguments) -> Result<(), Failure> {
    let runs = Runs::new(arguments);
    let batch = i64::try_from(arguments.concurrency)?;
    let (claimer, acknowledger) = (connect(arguments).await?, connect(arguments).await?);
    let (send, mut done) = mpsc::channel::<Batch>(1);
    let sql = if arguments.settings == "keep" { MOVE } else { DELETE };
    let acknowledge = acknowledger.prepare(sql).await?;
    let acknowledging = tokio::spawn(async move {
        while let Some((token, jobs)) = done.recv().await {
            acknowledger.execute(&acknowledge, &[&jobs, &token]).await?;
        }
        Ok::<_, Failure>(())
    });
    let claim = claimer.prepare(CLAIM).await?;
    loop {
        let token = rand::random::<i64>();
        let rows = claimer.query(&claim, &[&token, &batch]).await?;
        if rows.is_empty() {
            // Nothing is left: the bench ends us.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        }
        let mut jobs = Vec::with_capacity(rows.len());
        for row in rows {
            let Json(payload) = row.try_get::<_, Json<serde_json::Value>>(2)?;
            runs.begin(payload["n"].as_i64().ok_or("a job without a number")?);
            jobs.push(row.try_get(0)?);
        }
        if send.send((token, jobs)).await.is_err() {
            return acknowledging.await?;
        }
    }
}

async fn enqueue(arguments: &Arguments) -> Result<(), Failure> {
    let mut clients = Vec::new();
    for _ in 0..arguments.connections {
        let client = connect(arguments).await?;
        let insert = client.prepare("insert into jobs (payload) values ($1)").await?;
        clients.push((client, insert));
    }
    let clients = Arc::new(clients);
    contender::enqueue(arguments, move |connection, job| {
        let clients = clients.clone();
        async move {
            let (client, insert) = &clients[connection];
            client.execute(insert, &[&Json(serde_json::json!({ "n": job }))]).await?;
            Ok(())
        }
    })
    .await
}
