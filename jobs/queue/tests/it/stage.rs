//! A database of its own for each test, jobs that leave marks, and waiting for conditions instead of sleeping.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use queue::{Ctx, Database, Job, Outcome, Retry, Settings, Topic, Verdict, Wakes, Workers, admin::By};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The server on which tests make their databases.
fn server() -> String {
    std::env::var("MEMALERTS_TEST_DATABASE_URL")
        .or_else(|_| std::env::var("DATABASE_URL"))
        .expect("set MEMALERTS_TEST_DATABASE_URL (or DATABASE_URL) to a server on which databases may be made")
}

/// The same server, another database.
fn with_name(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let scheme_end = base.find("://").expect("a URL") + 3;
    let path = base[scheme_end..].find('/').map_or(base.len(), |at| scheme_end + at);
    format!("{}/{name}{query}", &base[..path])
}

/// One test's database; dropped with it.
pub struct Stage {
    pub url: String,
    pub pool: PgPool,
    name: String,
}

/// A process's engine, run inside the test.
pub struct Engine {
    pub db: Database,
    pub shutdown: CancellationToken,
    run: JoinHandle<()>,
}

impl Stage {
    pub async fn new() -> Self {
        let mut admin = PgConnection::connect(&with_name(&server(), "postgres")).await.expect("the server answers");
        let template = template(&mut admin).await;
        let name = format!("queue_test_{:016x}", rand::random::<u64>());
        admin
            .execute(sqlx::AssertSqlSafe(format!("create database {name} template {template} strategy file_copy")))
            .await
            .unwrap();
        let url = with_name(&server(), &name);
        // As every program of the house plans.
        let options = queue::planning(url.parse().unwrap());
        let pool = PgPoolOptions::new().max_connections(10).connect_with(options).await.unwrap();
        pool.execute("create table marks (id bigint generated always as identity, n bigint not null, what text not null, at timestamptz not null default clock_timestamp())")
            .await
            .unwrap();
        Self { url, pool, name }
    }

    /// A database handle whose wake-ups reach nobody outside.
    pub fn db(&self) -> Database {
        self.db_with_outward().0
    }

    pub fn db_with_outward(&self) -> (Database, mpsc::UnboundedReceiver<Topic>) {
        let (wakes, outward) = Wakes::new();
        (Database::new(self.pool.clone(), wakes), outward)
    }

    /// Starts an engine as another process would be: with its own exchange of wake-ups.
    pub fn engine(&self, workers: Vec<Workers>) -> Engine {
        self.engine_with(workers, quick())
    }

    pub fn engine_with(&self, workers: Vec<Workers>, settings: Settings) -> Engine {
        let (db, outward) = self.db_with_outward();
        let shutdown = CancellationToken::new();
        let exchange = queue::run_exchange(db.clone(), outward, shutdown.clone());
        let engine = queue::run(db.clone(), workers, shutdown.clone(), settings);
        let run = tokio::spawn(async move {
            let (ran, ()) = tokio::join!(engine, exchange);
            ran.expect("the engine starts");
        });
        Engine { db, shutdown, run }
    }

    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn text(&self, sql: &str) -> Option<String> {
        sqlx::query_scalar::<_, Option<String>>(sqlx::AssertSqlSafe(sql.to_owned()))
            .fetch_optional(&self.pool)
            .await
            .unwrap()
            .flatten()
    }

    pub async fn run(&self, sql: &str) {
        self.pool.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// Waits until the query's number is `expected`.
    pub async fn until(&self, sql: &str, expected: i64) {
        let mut last = -1;
        let reached = within(Duration::from_secs(20), async || {
            last = self.count(sql).await;
            last == expected
        })
        .await;
        assert!(reached, "{sql} is {last}, not {expected}");
    }

    pub async fn until_done(&self, expected: i64) {
        self.until("select count(*) from jobs_done where verdict = 'done'", expected).await;
    }

    /// Counts from now on how often a fetcher looks into the queue, by [`Stage::looks`].
    pub async fn count_looks(&self) {
        // Whoever looks asks for pauses; a sequence counts it, whatever becomes of the transaction.
        self.run(
            "create sequence fetches;
             alter table job_pauses rename to pauses;
             create function job_pauses_looked_at() returns setof pauses language plpgsql volatile as
                 $$ begin perform nextval('fetches'); return query select * from pauses; end $$;
             create view job_pauses as select * from job_pauses_looked_at()",
        )
        .await;
    }

    pub async fn looks(&self) -> i64 {
        self.count("select case when is_called then last_value else 0 end from fetches").await
    }

    /// Makes `app_now()` a clock that stands still and is moved by [`Stage::advance`].
    pub async fn manual_clock(&self) {
        self.run(queue::testing::MANUAL_CLOCK).await;
    }

    pub async fn advance(&self, by: Duration) {
        queue::testing::advance(&self.pool, by).await.unwrap();
    }

    pub async fn close(self) {
        self.pool.close().await;
        let mut admin = PgConnection::connect(&with_name(&server(), "postgres")).await.unwrap();
        admin
            .execute(sqlx::AssertSqlSafe(format!("drop database if exists {} with (force)", self.name)))
            .await
            .unwrap();
    }
}

impl Engine {
    /// Drains and ends.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.run.await.unwrap();
    }
}

/// Settings under which nothing is found by polling: what runs soon was woken.
pub fn quick() -> Settings {
    Settings { poll: Duration::from_secs(30), grace: Duration::from_secs(5), ..Settings::default() }
}

/// Whether the condition came true in time.
pub async fn within(limit: Duration, mut condition: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if condition().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

/// Built once per state of the migrations, then copied.
async fn template(admin: &mut PgConnection) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let scripts: Vec<String> = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut hash = DefaultHasher::new();
    scripts.hash(&mut hash);
    let name = format!("queue_template_{:016x}", hash.finish());
    admin.execute("select pg_advisory_lock(7265)").await.unwrap();
    let there: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = $1")
        .bind(&name)
        .fetch_optional(&mut *admin)
        .await
        .unwrap();
    if there.is_none() {
        let making = format!("{name}_making");
        admin.execute(sqlx::AssertSqlSafe(format!("drop database if exists {making} with (force)"))).await.unwrap();
        admin.execute(sqlx::AssertSqlSafe(format!("create database {making}"))).await.unwrap();
        let mut conn = PgConnection::connect(&with_name(&server(), &making)).await.unwrap();
        for script in &scripts {
            conn.execute(sqlx::AssertSqlSafe(script.clone())).await.unwrap();
        }
        conn.close().await.unwrap();
        admin.execute(sqlx::AssertSqlSafe(format!("alter database {making} rename to {name}"))).await.unwrap();
    }
    admin.execute("select pg_advisory_unlock(7265)").await.unwrap();
    name
}

/// The plain job of these tests; its number says what it is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    pub n: i64,
}

impl Job for Note {
    const NAME: &'static str = "note";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(3, Duration::from_millis(40), Duration::from_secs(1));
    const TIMEOUT: Duration = Duration::from_secs(5);
}

/// Leaves a mark in the effect's transaction.
pub async fn mark(ctx: &Ctx, n: i64, what: &str) -> Outcome {
    let mut tx = ctx.db().begin().await?;
    ctx.finish(&mut tx).await?;
    sqlx::query("insert into marks (n, what) values ($1, $2)").bind(n).bind(what).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// A desk that marks each note.
pub fn desk(concurrency: usize) -> Workers {
    Workers::new("desk", concurrency).handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "noted").await })
}

/// Whoever acts in these tests.
pub fn by() -> By {
    By { actor: "os:tester".to_owned(), request: None }
}

/// Pauses the desk everywhere.
pub async fn pause(db: &Database, reason: Option<&str>) {
    let mut tx = db.begin().await.unwrap();
    assert!(queue::admin::pause(&mut tx, &by(), "desk", reason).await.unwrap());
    tx.commit().await.unwrap();
}

pub async fn enqueue<J: Job>(db: &Database, job: &J) -> queue::Enqueued {
    let mut tx = db.begin().await.unwrap();
    let enqueued = queue::enqueue(&mut tx, job).await.unwrap();
    tx.commit().await.unwrap();
    enqueued
}
