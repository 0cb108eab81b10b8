//! Housekeeping of attempts.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Remove windows of attempts that are over. Ordered every hour by the schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetAttempts {}

impl Job for ForgetAttempts {
    const NAME: &'static str = "forget-attempts";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp("all".to_owned()))
    }
}
