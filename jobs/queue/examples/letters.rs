//! A post office on an empty PostgreSQL: what crate `queue` does, told while it happens.
//!
//! ```sh
//! cargo run -p queue --example letters -- postgres://user@host/an_empty_database
//! ```
//!
//! It makes the queue's tables and one of its own, so give it a database that may be dropped. It can be stopped and started
//! again at any point; what was ordered is done.

#![allow(clippy::print_stdout, reason = "a program that shows something")]
#![allow(clippy::disallowed_methods, reason = "a stranger's program: its queries are not checked against our schema")]

use std::{error::Error, time::Duration};

use queue::{
    Ctx, Database, Dedupe, Enqueued, Job, JobError, Options, Outcome, Retry, Settings, Verdict, Wakes, Workers,
    admin::{self, Filter, Paging},
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

/// Bring one letter. It holds the letter's number; what is in it is looked up when it is brought.
#[derive(Debug, Serialize, Deserialize)]
struct BringLetter {
    letter: i64,
    street: String,
}

impl Job for BringLetter {
    const NAME: &'static str = "bring-letter";
    const POOL: &'static str = "post";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(200), Duration::from_secs(5));
    const TIMEOUT: Duration = Duration::from_secs(5);

    /// A letter that is ordered twice is brought once.
    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.letter.to_string()))
    }

    /// Letters to one street are brought one after another, in the order in which they were posted.
    fn order_key(&self) -> Option<String> {
        Some(self.street.clone())
    }
}

async fn bring(ctx: Ctx, job: BringLetter) -> Outcome {
    println!("    letter {} to {}, run {}", job.letter, job.street, ctx.attempt);
    match job.street.as_str() {
        // Waits 0.2 s in its row, then again; with the third run it succeeds.
        "Foggy Lane" if ctx.attempt < 3 => return Err(JobError::retry("nothing to be seen")),
        // No further try can help.
        "Nowhere" => return Err(JobError::discard("there is no such street")),
        _ => {}
    }
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    sqlx::query("update letters set brought_at = app_now() where id = $1").bind(job.letter).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("which database? postgres://user@host/an_empty_database")?;
    let options: PgConnectOptions = url.parse()?;
    let pool = PgPoolOptions::new().connect_with(queue::planning(options)).await?;
    println!("the queue's tables, and our own");
    queue::migrate(&pool).await?;
    let letters = "create table if not exists letters
        (id bigint generated always as identity primary key, street text not null, brought_at timestamptz)";
    sqlx::raw_sql(letters).execute(&pool).await?;

    let stop = CancellationToken::new();
    let (wakes, outward) = Wakes::new();
    let db = Database::new(pool, wakes);
    let exchange = tokio::spawn(queue::run_exchange(db.clone(), outward, stop.clone()));
    let workers = Workers::new("post", 4).handle(bring);
    let engine = tokio::spawn(queue::run(db.clone(), vec![workers], stop.clone(), Settings::default()));

    println!("letters and their orders, in one transaction each");
    for street in ["Main Street", "Main Street", "Foggy Lane", "Nowhere"] {
        post(&db, street, Options::default()).await?;
    }
    post(&db, "Tomorrow Alley", Options { delay: Some(Duration::from_secs(1)), ..Options::default() }).await?;

    println!("one that is ordered and taken back: neither letter nor order was ever there");
    let mut tx = db.begin().await?;
    queue::enqueue(&mut tx, &BringLetter { letter: 0, street: "Main Street".to_owned() }).await?;
    tx.rollback().await?;

    wait(&db).await?;
    println!("what is written about it");
    let mut conn = db.pool().acquire().await?;
    let found = admin::list(&mut conn, &Filter::default(), Paging { oldest_first: true, ..Paging::default() }).await?;
    for job in found.jobs {
        let reason = job.reason.unwrap_or_default();
        println!("    {:>3} {} {:<9} {} runs  {reason}", job.id, job.kind, job.state, job.attempts);
    }
    drop(conn);

    println!("draining");
    stop.cancel();
    engine.await??;
    exchange.await?;
    Ok(())
}

/// Writes the letter down and orders that it is brought. The order is repeated, and folds into the first.
async fn post(db: &Database, street: &str, options: Options) -> Result<(), Box<dyn Error>> {
    let mut tx = db.begin().await?;
    let insert = "insert into letters (street) values ($1) returning id";
    let letter = sqlx::query_scalar(insert).bind(street).fetch_one(&mut *tx).await?;
    let job = BringLetter { letter, street: street.to_owned() };
    queue::enqueue_with(&mut tx, &job, options).await?;
    assert_eq!(queue::enqueue(&mut tx, &job).await?, Enqueued::Folded);
    tx.commit().await?;
    Ok(())
}

/// Until nothing is to be done any more.
async fn wait(db: &Database) -> Result<(), Box<dyn Error>> {
    let left = "select count(*) from jobs where state in ('ready', 'running')";
    while sqlx::query_scalar::<_, i64>(left).fetch_one(db.pool()).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
