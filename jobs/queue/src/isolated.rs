//! Jobs that were under a process when it died run alone, in a child process: a poison takes no neighbours along.
//!
//! The parent keeps the claim and waits; the child runs the job under the claim's token and settles it. A child that
//! dies is one more crash, seen at once. Without a way to start children, such jobs run one at a time in this process.

use std::{
    process::Stdio,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use sqlx::PgPool;
use tokio::{process::Command, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    Database, JobId, Settings, Workers,
    claim::Row,
    pool::Pool,
    presence::Presence,
    runner,
    settle::{self, Claim, Judgement},
    telemetry::Meters,
};

/// How a child is started for one job: the program with all arguments and environment. The queue adds process group,
/// standard input and the end with its parent.
#[derive(Clone)]
pub struct Isolation(Arc<dyn Fn(JobId, i64) -> Command + Send + Sync>);

impl Isolation {
    /// `command` gets the job's id and the claim's token, which the child hands to [`run_alone`].
    pub fn new(command: impl Fn(JobId, i64) -> Command + Send + Sync + 'static) -> Self {
        Self(Arc::new(command))
    }
}

impl std::fmt::Debug for Isolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Isolation")
    }
}

/// Time beyond the job's own that the child gets for starting and settling.
const SLACK: Duration = Duration::from_secs(10);

/// Only one suspect runs inside this process at a time.
static ALONE: Semaphore = Semaphore::const_new(1);

pub(crate) async fn judge(pool: &Arc<Pool>, row: &Row) -> Judgement {
    let Some((kind, _)) = pool.workers.find(&row.kind) else { return runner::judge(pool, row).await };
    let Some(isolation) = &pool.settings.isolation else {
        let Ok(_alone) = ALONE.acquire().await else { return Judgement::Released };
        return runner::judge(pool, row).await;
    };
    let mut command = (isolation.0)(row.id, row.token);
    command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Judgement::Failed {
                error: format!("could not start a process of its own: {error}"),
                retry: kind.retry,
                delay: None,
                timed_out: false,
            };
        }
    };
    tokio::select! {
        status = child.wait() => match status {
            // The child has settled the job; if it could not, the row is still ours and is overdue some time.
            Ok(status) if status.success() => Judgement::Alone,
            Ok(status) => Judgement::Crashed(format!("its process of its own ended with {status}")),
            Err(error) => Judgement::Crashed(format!("its process of its own was lost: {error}")),
        },
        () = tokio::time::sleep(kind.timeout + SLACK) => Judgement::Failed {
            error: format!("took longer than {} ms, in a process of its own", kind.timeout.as_millis()),
            retry: kind.retry,
            delay: None,
            timed_out: true,
        },
        () = pool.cut.cancelled() => Judgement::Released,
    }
}

/// Why a job could not be run alone.
#[derive(Debug, thiserror::Error)]
pub enum RunAloneError {
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The job has another owner by now, or is finished.
    #[error("job {0} is not claimed under this token")]
    NotClaimed(JobId),
    /// The program has no such pool.
    #[error("no pool {0} in this program")]
    UnknownPool(String),
}

/// The child's side: runs the one claimed job and settles it. The process should exit with success after `Ok`.
///
/// # Errors
/// The job is not claimed under this token (any more), its pool is not among `workers`, or the database refused.
pub async fn run_alone(
    db: Database,
    workers: Vec<Workers>,
    id: JobId,
    token: i64,
    shutdown: CancellationToken,
) -> Result<(), RunAloneError> {
    let row = sqlx::query!(
        r#"select pool, kind, version, payload::text as "payload!", attempts, crashes, trace, (order_key is not null or limit_key is not null) as "awaited!",
            wake_key is not null as "wake!"
         from jobs where id = $1 and token = $2 and state = 'running'"#,
        id,
        token,
    )
    .fetch_optional(db.pool())
    .await?
    .ok_or(RunAloneError::NotClaimed(id))?;
    let workers = workers
        .into_iter()
        .find(|workers| workers.pool() == row.pool)
        .ok_or_else(|| RunAloneError::UnknownPool(row.pool.clone()))?;
    let own: PgPool = db.pool().clone();
    let pool = Arc::new(Pool {
        meters: Meters::new(&workers),
        own: own.clone(),
        presence: Arc::new(Presence::absent()),
        settings: Settings::default(),
        cut: CancellationToken::new(),
        limited: AtomicBool::new(false),
        drain: shutdown,
        db,
        workers,
    });
    let row = Row {
        id,
        token,
        kind: row.kind,
        version: row.version,
        payload: row.payload,
        attempt: row.attempts,
        crashes: row.crashes,
        trace: row.trace.map(Into::into),
        awaited: row.awaited,
        wake: row.wake,
        waited: 0.0,
    };
    let judgement = runner::judge(&pool, &row).await;
    let claim = Claim { id, token, wake: row.wake };
    match judgement {
        Judgement::Finished | Judgement::Alone | Judgement::Lost => {}
        Judgement::Done => drop(settle::done(&own, &[claim]).await?),
        judgement => {
            let mut conn = own.acquire().await?;
            for death in settle::otherwise(&mut conn, &[(claim, judgement)]).await?.deaths {
                crate::acknowledger::bury(pool.name(), &death, pool.db.wakes());
            }
        }
    }
    Ok(())
}
