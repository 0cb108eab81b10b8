//! When it is added up.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Add what has been shown to the statistics; periodic.
#[derive(Debug, Serialize, Deserialize)]
pub struct RollUpPlays {}

impl Job for RollUpPlays {
    const NAME: &'static str = "roll-up-plays";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}
