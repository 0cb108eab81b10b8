//! The orders of timers.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Say what timers are due. Ordered every 15 s by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SayTimers {}

impl Job for SayTimers {
    const NAME: &'static str = "say-timers";
    const POOL: &'static str = "chat";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(5), Duration::from_secs(30));
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}
