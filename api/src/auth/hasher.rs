//! Where passwords are hashed: off the threads that serve others, and as many at once as there are cores. A hash takes 19
//! MiB and tens of milliseconds, which is what it is for.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use poem::http::StatusCode;
use tokio::{sync::Semaphore, time::timeout};

use crate::problem::{ErrorCode, Problem};

/// Who waits longer is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    free: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { free: Arc::new(Semaphore::new(cores)) }
    }

    /// Runs the work there.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let Ok(Ok(place)) = timeout(PATIENCE, self.free.clone().acquire_owned()).await else {
            let detail = "too many log in right now, try again";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail));
        };
        let work = move || {
            // Given back when the work is done, not when nobody waits for it any more.
            let _place = place;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
    }
}
