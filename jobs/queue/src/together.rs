//! Jobs of one kind that share a transaction: what is claimed while a batch is on its way is handled together by the next.
//!
//! For kinds of which many are small and wait for nothing but the commit. Each job keeps its own claim, fence and verdict:
//! a job that was lost is left out of its batch, and a batch that fails is tried one by one, so that one job's trouble is
//! not the others'.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use sqlx::PgConnection;
use tokio::sync::oneshot;

use crate::{Ctx, Database, JobError, Outcome, Verdict, settle};

/// The jobs of one batch, at least one.
#[derive(Debug)]
pub struct Together<J> {
    entries: Vec<(Ctx, Arc<J>)>,
}

impl<J> Together<J> {
    /// As [`Ctx::db`].
    #[must_use]
    pub fn db(&self) -> &Database {
        self.entries[0].0.db()
    }

    /// As [`Ctx::finish`], for the whole batch, as the transaction's first statement. Afterwards [`Together::jobs`] are
    /// those that are still ours.
    ///
    /// # Errors
    /// [`JobError::Stale`] when all claims are lost, a retry when the database refused.
    pub async fn finish(&mut self, tx: &mut PgConnection) -> Result<(), JobError> {
        fail::fail_point!("queue::finish::before");
        let claims: Vec<_> = self.entries.iter().map(|(ctx, _)| ctx.claim()).collect();
        let ours = settle::done(tx, &claims).await?;
        self.entries.retain(|(ctx, _)| ours.contains(&ctx.job_id));
        if self.entries.is_empty() {
            return Err(JobError::Stale);
        }
        fail::fail_point!("queue::finish::after");
        for (ctx, _) in &self.entries {
            ctx.finished.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The jobs, in the order in which they came.
    pub fn jobs(&self) -> impl Iterator<Item = &J> {
        self.entries.iter().map(|(_, job)| job.as_ref())
    }
}

/// Where the jobs of one kind gather. There is no task behind it: of those that wait, one has the turn, handles what has
/// gathered, and hands the turn on.
#[derive(Debug)]
pub(crate) struct Gathering<J> {
    waiting: Mutex<VecDeque<Waiting<J>>>,
    turn: tokio::sync::Mutex<()>,
    most: usize,
}

#[derive(Debug)]
struct Waiting<J> {
    ctx: Ctx,
    job: Arc<J>,
    answer: oneshot::Sender<Outcome>,
}

impl<J> Gathering<J> {
    /// Batches have at most `most` jobs.
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::new(()), most: most.max(1) }
    }

    /// Has the job handled with others, by its own hand or another's.
    pub(crate) async fn join<F, Fut>(&self, ctx: Ctx, job: J, handler: &F) -> Outcome
    where
        F: Fn(Together<J>) -> Fut,
        Fut: Future<Output = Outcome>,
    {
        let (answer, mut answered) = oneshot::channel();
        self.lock().push_back(Waiting { ctx, job: Arc::new(job), answer });
        // Those that were claimed with this one are about to arrive.
        tokio::task::yield_now().await;
        loop {
            tokio::select! {
                biased;
                outcome = &mut answered => return outcome.unwrap_or_else(|_| Err(stopped())),
                _turn = self.turn.lock() => {
                    // Between the answer and the turn there may be no time at all.
                    match answered.try_recv() {
                        Ok(outcome) => return outcome,
                        Err(oneshot::error::TryRecvError::Closed) => return Err(stopped()),
                        Err(oneshot::error::TryRecvError::Empty) => {}
                    }
                    let batch = {
                        let mut waiting = self.lock();
                        let count = waiting.len().min(self.most);
                        waiting.drain(..count).collect()
                    };
                    serve(batch, handler).await;
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting<J>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handles the batch and answers each of its jobs.
async fn serve<J, F, Fut>(mut batch: Vec<Waiting<J>>, handler: &F)
where
    F: Fn(Together<J>) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let all = batch.iter().map(|it| (it.ctx.clone(), it.job.clone())).collect();
    let outcome = handler(Together { entries: all }).await;
    if let [_] = batch[..] {
        // Nobody hears when its run was stopped meanwhile; the fence has seen to that.
        return drop(batch.pop().map(|it| it.answer.send(outcome)));
    }
    let done = matches!(outcome, Ok(Verdict::Done));
    for Waiting { ctx, job, answer } in batch {
        let outcome = if !done {
            ctx.finished.store(false, Ordering::Release);
            handler(Together { entries: vec![(ctx, job)] }).await
        } else if ctx.finished.load(Ordering::Acquire) {
            Ok(Verdict::Done)
        } else {
            // The batch went on without it.
            Err(JobError::Stale)
        };
        drop(answer.send(outcome));
    }
}

/// Whoever had our job in hand was stopped before it could say what came of it.
fn stopped() -> JobError {
    JobError::retry("the run of its batch was stopped")
}
