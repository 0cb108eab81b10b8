//! One beginning and one end for all that a process runs. The first signal drains, the second means now.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit status after a second signal.
const IMPATIENT: i32 = 130;

/// Shared by all roles of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Cancelled when the process shall end: take no new work, finish what runs.
    pub draining: CancellationToken,
    /// Cancelled when all roles have ended: what served them (wake-ups, connections) ends too.
    pub stopped: CancellationToken,
}

impl Lifecycle {
    /// A lifecycle that listens to SIGINT and SIGTERM. A second signal ends the process at once: leased work is
    /// taken over by others, and nothing that was committed is lost.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    pub fn of_this_process() -> anyhow::Result<Self> {
        let lifecycle = Self::default();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let draining = lifecycle.draining.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if draining.is_cancelled() {
                    tracing::warn!("second signal: stopping now");
                    std::process::exit(IMPATIENT);
                }
                tracing::info!("first signal: finishing what runs; a second one stops at once");
                draining.cancel();
            }
        });
        Ok(lifecycle)
    }
}
