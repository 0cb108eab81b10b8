//! Housekeeping of budgets.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Remove what has been used of budgets whose time is over; periodic.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetBudgets {}

impl Job for ForgetBudgets {
    const NAME: &'static str = "forget-budgets";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}
