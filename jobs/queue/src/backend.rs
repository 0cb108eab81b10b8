//! Our backend for apalis: its worker polls jobs from here, and the layer hands each outcome to the acknowledger.
//!
//! Nothing in here fails: fetcher and acknowledger live through every database error by themselves, so the worker never
//! ends for one. The stream is a plain channel, never apalis' `PollWith`, which forgets to re-arm a used wake-up.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
    worker::context::WorkerContext,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tower::{Layer, Service};

use crate::{
    acknowledger::{self, Acks},
    fetcher,
    pool::{Claimed, Pool, Settlement},
    settle::Judgement,
};

/// The jobs of one pool as a source of apalis tasks.
pub(crate) struct QueueBackend {
    pool: Arc<Pool>,
    jobs: mpsc::UnboundedReceiver<Claimed>,
    acks: Acks,
    flush: Option<JoinHandle<()>>,
}

impl QueueBackend {
    /// Starts the pool's fetcher and acknowledger.
    pub(crate) fn start(pool: Arc<Pool>) -> Self {
        let slots = Arc::new(Semaphore::new(pool.workers.concurrency()));
        let (send, jobs) = mpsc::unbounded_channel();
        let (acks, flush) = acknowledger::start(pool.clone());
        tokio::spawn(fetcher::fetch(pool.clone(), slots, send));
        Self { pool, jobs, acks, flush: Some(flush) }
    }
}

impl Backend for QueueBackend {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Self::Task, Infallible>>> {
        while let Some(job) = ready!(self.jobs.poll_recv(cx)) {
            if self.pool.drain.is_cancelled() {
                self.acks.send(job.settle(Judgement::Released));
                continue;
            }
            let id = TaskId::from_int(job.row.id.unsigned_abs());
            return Poll::Ready(Some(Ok(TaskBuilder::new(job).task_id(id).build())));
        }
        Poll::Ready(None)
    }

    /// By now no run is left; what they ended with is written before the worker may go.
    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.acks.close();
        // An exhausted source does not stop the worker by itself: it would wait for ever for a word from outside.
        if !worker.is_stopped() {
            drop(worker.stop());
        }
        if let Some(flush) = &mut self.flush {
            // A panicked acknowledger has nothing more to flush; the lease gives its jobs back.
            let _ = ready!(Pin::new(flush).poll(cx));
            self.flush = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for QueueBackend {
    type Args = Claimed;
    type Id = u64;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = AckLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> AckLayer {
        AckLayer { acks: self.acks.clone() }
    }
}

/// Hands what the service settled to the acknowledger.
#[derive(Clone)]
pub(crate) struct AckLayer {
    acks: Acks,
}

impl<S> Layer<S> for AckLayer {
    type Service = AckService<S>;

    fn layer(&self, service: S) -> AckService<S> {
        AckService { service, acks: self.acks.clone() }
    }
}

pub(crate) struct AckService<S> {
    service: S,
    acks: Acks,
}

impl<S> Service<Task<Claimed>> for AckService<S>
where
    S: Service<Task<Claimed>, Response = Settlement>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = ();
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let acks = self.acks.clone();
        let run = self.service.call(task);
        Box::pin(async move {
            acks.send(run.await?);
            Ok(())
        })
    }
}
