//! Housekeeping of tokens.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Remove tokens that are over, and where tokens were used long ago. Ordered every hour by the schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetTokens {}

impl Job for ForgetTokens {
    const NAME: &'static str = "forget-tokens";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp("all".to_owned()))
    }
}
