//! Which request or job the current work belongs to: travels into the jobs it enqueues without being passed by hand.

use std::{future::Future, sync::Arc};

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// Runs `work` under a trace id; jobs enqueued inside carry it.
pub async fn scope<F: Future>(trace: impl Into<Arc<str>>, work: F) -> F::Output {
    CURRENT.scope(trace.into(), work).await
}

/// The trace of the work that runs now.
#[must_use]
pub fn current() -> Option<String> {
    CURRENT.try_with(|trace| trace.to_string()).ok()
}
