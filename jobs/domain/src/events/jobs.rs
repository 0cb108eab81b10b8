//! Jobs of the event log.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Forget events that are older than a day. Ordered every few minutes by the schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrimEvents {}

impl Job for TrimEvents {
    const NAME: &'static str = "trim-events";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(120);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp("all".to_owned()))
    }
}
