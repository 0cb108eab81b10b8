//! A pool's handlers, registered by job type. The one list from which claims, guards and tables are made.

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{Ctx, EnqueueError, Job, Limit, Outcome, Retry, Together, Tx, enqueue, together::Gathering};

type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Handler = dyn Fn(Ctx, &str) -> Result<Run, serde_json::Error> + Send + Sync;
type Enqueuing<'a> = Pin<Box<dyn Future<Output = Result<(), EnqueueError>> + Send + 'a>>;
type Tick = dyn for<'a> Fn(&'a mut Tx) -> Enqueuing<'a> + Send + Sync;

/// What is known of one kind of job without running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As [`Job::NAME`].
    pub name: &'static str,
    /// The newest payload shape that this process reads; older ones are read too (by serde's defaults), newer are left
    /// alone.
    pub version: i16,
    /// As [`Job::POOL`].
    pub pool: &'static str,
    /// As [`Job::RETRY`].
    pub retry: Retry,
    /// As [`Job::TIMEOUT`].
    pub timeout: Duration,
    /// As [`Job::PRIORITY`].
    pub priority: i16,
    /// What jobs of the kind share that have the same limit key.
    pub limit: Option<Limit>,
}

impl Kind {
    /// What the job's type says.
    #[must_use]
    pub const fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            version: J::VERSION,
            pool: J::POOL,
            retry: J::RETRY,
            timeout: J::TIMEOUT,
            priority: J::PRIORITY,
            limit: J::LIMIT,
        }
    }
}

/// A job that is enqueued again and again.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) name: &'static str,
    pub(crate) every: Duration,
    pub(crate) tick: Arc<Tick>,
}

/// The handlers of one pool and how many jobs they run at once.
#[derive(Clone)]
pub struct Workers {
    pool: &'static str,
    concurrency: usize,
    handlers: HashMap<&'static str, (Kind, Arc<Handler>)>,
    schedules: Vec<Schedule>,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("pool", &self.pool).field("kinds", &self.kinds()).finish_non_exhaustive()
    }
}

impl Workers {
    /// A pool that runs at most `concurrency` jobs at once in this process (at least one).
    #[must_use]
    pub fn new(pool: &'static str, concurrency: usize) -> Self {
        Self { pool, concurrency: concurrency.max(1), handlers: HashMap::new(), schedules: Vec::new() }
    }

    /// Registers the handler of one job type.
    ///
    /// # Panics
    /// The job belongs to another pool, its name is taken, or its policy cannot be kept: mistakes in the program, found at its
    /// start.
    #[must_use]
    pub fn handle<J, F, Fut>(mut self, handler: F) -> Self
    where
        J: Job,
        F: Fn(Ctx, J) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let handler: Arc<Handler> = Arc::new(move |ctx, payload| {
            let job = serde_json::from_str::<J>(payload)?;
            Ok(Box::pin(handler(ctx, job)) as Run)
        });
        self.register::<J>(handler);
        self
    }

    /// Registers a handler that takes up to `most` jobs of one type at once, in one transaction: what comes while a batch
    /// is on its way makes up the next one. Jobs that such a batch enqueues carry the trace of one of its jobs.
    ///
    /// # Panics
    /// As [`Workers::handle`].
    #[must_use]
    pub fn handle_together<J, F, Fut>(mut self, most: usize, handler: F) -> Self
    where
        J: Job,
        F: Fn(Together<J>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let (gathering, batch) = (Arc::new(Gathering::new(most)), Arc::new(handler));
        let handler: Arc<Handler> = Arc::new(move |ctx, payload| {
            let job = serde_json::from_str::<J>(payload)?;
            let (gathering, batch) = (gathering.clone(), batch.clone());
            Ok(Box::pin(async move { gathering.join(ctx, job, batch.as_ref()).await }) as Run)
        });
        self.register::<J>(handler);
        self
    }

    fn register<J: Job>(&mut self, handler: Arc<Handler>) {
        assert_eq!(J::POOL, self.pool, "job {} belongs to another pool", J::NAME);
        let kind = Kind::of::<J>();
        let flaw = kind.flaw();
        assert!(flaw.is_none(), "job {} cannot be run by its policy: {}", J::NAME, flaw.unwrap_or_default());
        let taken = self.handlers.insert(J::NAME, (kind, handler));
        assert!(taken.is_none(), "two handlers for job {}", J::NAME);
    }

    /// Enqueues `job()` once per `every`, whatever the number of processes; ticks missed while nothing ran are one tick.
    #[must_use]
    pub fn every<J: Job>(mut self, every: Duration, job: fn() -> J) -> Self {
        let tick: Arc<Tick> = Arc::new(move |tx| {
            Box::pin(async move {
                enqueue(tx, &job()).await?;
                Ok(())
            })
        });
        self.schedules.push(Schedule { name: J::NAME, every, tick });
        self
    }

    /// The pool's name.
    #[must_use]
    pub fn pool(&self) -> &'static str {
        self.pool
    }

    /// Jobs that run at once in this process, at most.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// All kinds, sorted by name.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.handlers.values().map(|(kind, _)| *kind).collect();
        kinds.sort_by_key(|kind| kind.name);
        kinds
    }

    pub(crate) fn find(&self, name: &str) -> Option<(Kind, Arc<Handler>)> {
        self.handlers.get(name).cloned()
    }

    pub(crate) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }
}
