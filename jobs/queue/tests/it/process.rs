//! Real processes to be killed: this test binary starts itself again, as a worker of a test's database.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use queue::{Ctx, Database, Isolation, Job, Retry, Settings, Verdict, Wakes, Workers};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;

use crate::stage::{Note, mark};

const URL: &str = "QUEUE_TEST_CHILD_DATABASE";
const KILL_AT: &str = "QUEUE_TEST_CHILD_KILL_AT";
const ALONE: &str = "QUEUE_TEST_CHILD_ALONE";
const ISOLATE: &str = "QUEUE_TEST_CHILD_ISOLATE";

/// Kills the process that runs it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Poison {}

impl Job for Poison {
    const NAME: &'static str = "poison";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(2, Duration::from_millis(10), Duration::from_millis(10));
    const TIMEOUT: Duration = Duration::from_secs(30);
}

/// Says that it has begun, then waits for its end.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wait {
    pub n: i64,
}

impl Job for Wait {
    const NAME: &'static str = "wait";
    const POOL: &'static str = "desk";
    const RETRY: Retry = Retry::new(2, Duration::from_millis(10), Duration::from_millis(10));
    const TIMEOUT: Duration = Duration::from_secs(60);
}

/// A worker process.
pub struct Process {
    child: Child,
}

/// How to start a worker process.
#[derive(Default)]
pub struct Start<'a> {
    /// Failpoint at which it kills itself.
    pub kill_at: Option<&'a str>,
    /// Crashed jobs run in children of their own.
    pub isolate: bool,
}

fn again(url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["process::child", "--exact", "--nocapture"])
        .env(URL, url)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

impl Process {
    pub fn start(url: &str, start: &Start<'_>) -> Self {
        let mut command = again(url);
        if let Some(point) = start.kill_at {
            command.env(KILL_AT, point);
        }
        if start.isolate {
            command.env(ISOLATE, "1");
        }
        Self { child: command.spawn().unwrap() }
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// As after `kill -9`.
fn die() {
    let _ = kill(Pid::this(), Signal::SIGKILL);
}

fn workers() -> Workers {
    Workers::new("desk", 8)
        .handle(|ctx: Ctx, note: Note| async move { mark(&ctx, note.n, "noted").await })
        .handle(|_: Ctx, _: Poison| async {
            die();
            Ok(Verdict::Done)
        })
        .handle(|ctx: Ctx, wait: Wait| async move {
            let again: bool = sqlx::query_scalar("select exists (select 1 from marks where n = $1)")
                .bind(wait.n)
                .fetch_one(ctx.db().pool())
                .await?;
            sqlx::query("insert into marks (n, what) values ($1, 'begun')")
                .bind(wait.n)
                .execute(ctx.db().pool())
                .await?;
            if again {
                return mark(&ctx, wait.n, "ended").await;
            }
            // A stalled owner wakes up here, and must be refused.
            let _ = tokio::time::timeout(Duration::from_secs(8), ctx.cancelled.cancelled()).await;
            mark(&ctx, wait.n, "late").await
        })
}

/// Not a test when run by hand or by a runner: it needs its parent.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let _scenario = fail::FailScenario::setup();
    if let Ok(point) = std::env::var(KILL_AT) {
        fail::cfg_callback(point, die).unwrap();
    }
    let pool = PgPoolOptions::new().max_connections(4).connect(&url).await.unwrap();
    let (wakes, outward) = Wakes::new();
    let db = Database::new(pool, wakes);
    let stop = CancellationToken::new();
    if let Ok(claim) = std::env::var(ALONE) {
        let (id, token) = claim.split_once(' ').unwrap();
        queue::run_alone(db, vec![workers()], id.parse().unwrap(), token.parse().unwrap(), stop).await.unwrap();
        return;
    }
    let isolation = std::env::var(ISOLATE).is_ok().then(|| {
        Isolation::new(move |id, token| {
            let mut command = again(&url);
            command.env_remove(KILL_AT).env(ALONE, format!("{id} {token}"));
            command.into()
        })
    });
    let settings = Settings { poll: Duration::from_secs(30), isolation, ..Settings::default() };
    let exchange = queue::run_exchange(db.clone(), outward, stop.clone());
    let (ran, ()) = tokio::join!(queue::run(db, vec![workers()], stop, settings), exchange);
    ran.unwrap();
}
