//! One run of one job: reads the payload, keeps the time, catches the panic, and turns the answer into a judgement.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis_core::task::Task;
use tokio::task::{JoinError, JoinHandle};
use tower::Service;
use tracing::{Instrument, info, info_span, warn};

use crate::{
    Ctx, JobError, Kind, Outcome, Verdict,
    claim::Row,
    isolated,
    pool::{Claimed, Pool, Settlement},
    settle::Judgement,
    trace,
};

/// How long a run may take to stop after it was asked to.
const STOPPING: Duration = Duration::from_secs(1);

/// The service that apalis' worker calls for each task.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) pool: Arc<Pool>,
}

impl Service<Task<Claimed>> for Runner {
    type Response = Settlement;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Settlement, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let pool = self.pool.clone();
        let job = task.args;
        Box::pin(async move {
            let run = pool.meters.begins(job.waited());
            let judgement =
                if job.row.crashes > 0 { isolated::judge(&pool, &job.row).await } else { judge(&pool, &job.row).await };
            pool.meters.ends(run, judgement.verdict());
            Ok(job.settle(judgement))
        })
    }
}

/// Runs the job here and says what becomes of it. Logs the run.
pub(crate) async fn judge(pool: &Arc<Pool>, row: &Row) -> Judgement {
    fail::fail_point!("queue::run::before");
    let begun = Instant::now();
    let span = info_span!(
        "job",
        job.id = row.id,
        job.name = row.kind,
        job.attempt = row.attempt,
        pool = pool.name(),
        trace = row.trace.as_deref()
    );
    let judgement = run(pool, row).instrument(span.clone()).await;
    fail::fail_point!("queue::run::after");
    report(&span, begun, &judgement);
    judgement
}

fn report(span: &tracing::Span, begun: Instant, judgement: &Judgement) {
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let _in_span = span.enter();
    match judgement {
        Judgement::Failed { error, .. } => warn!(duration_ms, verdict = judgement.verdict(), error, "job failed"),
        Judgement::Crashed(error) => warn!(duration_ms, verdict = judgement.verdict(), error, "job crashed"),
        _ => info!(duration_ms, verdict = judgement.verdict(), "job ended"),
    }
}

async fn run(pool: &Arc<Pool>, row: &Row) -> Judgement {
    let Some((kind, handler)) = pool.workers.find(&row.kind) else {
        return Judgement::Discarded(format!("no handler for kind {} in pool {}", row.kind, pool.name()));
    };
    let ctx = Ctx {
        db: pool.db.clone(),
        job_id: row.id,
        name: kind.name,
        attempt: row.attempt,
        token: row.token,
        trace: row.trace.clone(),
        cancelled: pool.drain.child_token(),
        finished: Arc::new(AtomicBool::new(false)),
    };
    let work = match handler(ctx.clone(), &row.payload) {
        Ok(work) => work,
        Err(error) => {
            return Judgement::Discarded(format!("payload of version {} cannot be read: {error}", row.version));
        }
    };
    let trace: Arc<str> = row.trace.clone().unwrap_or_else(|| format!("job-{}", row.id).into());
    // A task of its own: its panic is caught, and it may run on another core.
    let mut task = Cut(tokio::spawn(trace::scope(trace, work).in_current_span()));
    let ended = tokio::select! {
        ended = &mut task.0 => return decide(pool, &ctx, kind, ended),
        () = tokio::time::sleep(kind.timeout) => Judgement::Failed {
            error: format!("took longer than {} ms", kind.timeout.as_millis()),
            retry: kind.retry,
            delay: None,
            timed_out: true,
        },
        () = pool.cut.cancelled() => Judgement::Released,
    };
    ctx.cancelled.cancel();
    // A run that finishes on being asked has still done its work; one that fails now only says that it was stopped.
    match tokio::time::timeout(STOPPING, &mut task.0).await {
        Ok(Ok(Ok(verdict))) => decide(pool, &ctx, kind, Ok(Ok(verdict))),
        _ => ended,
    }
}

/// Aborts the task when dropped: a run that nobody judges must not go on.
struct Cut(JoinHandle<Outcome>);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn decide(pool: &Pool, ctx: &Ctx, kind: Kind, ended: Result<Outcome, JoinError>) -> Judgement {
    let failed = |error, delay| Judgement::Failed { error, retry: kind.retry, delay, timed_out: false };
    match ended {
        Ok(Ok(Verdict::Done)) if ctx.finished.load(Ordering::Acquire) => Judgement::Finished,
        Ok(Ok(Verdict::Done)) => Judgement::Done,
        Ok(Ok(Verdict::Snooze(delay))) => Judgement::Snoozed(delay),
        Ok(Ok(Verdict::Cancel(reason))) => Judgement::Cancelled(reason.into_owned()),
        // Asked to stop, the run gave up: that is our doing, not a failure of the job.
        Ok(Err(JobError::Retry(_) | JobError::RetryAfter(..))) if pool.drain.is_cancelled() => Judgement::Released,
        Ok(Err(JobError::Retry(error))) => failed(error, None),
        Ok(Err(JobError::RetryAfter(delay, error))) => failed(error, Some(delay)),
        Ok(Err(JobError::Discard(reason))) => Judgement::Discarded(reason),
        Ok(Err(JobError::Stale)) => Judgement::Lost,
        Err(broken) => failed(panic_text(broken), None),
    }
}

fn panic_text(broken: JoinError) -> String {
    let Ok(payload) = broken.try_into_panic() else { return "the run was aborted".to_owned() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()))
}
