//! Housekeeping of coins that waited for somebody.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Remove grants whose time is over, and old decisions about adjustments. Ordered every hour by the schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetPendingCoins {}

impl Job for ForgetPendingCoins {
    const NAME: &'static str = "forget-pending-coins";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp("all".to_owned()))
    }
}
