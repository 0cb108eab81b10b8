//! The nightly audit.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Audit all money and say aloud what is wrong. Ordered every day by the schedule.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditMoney {}

impl Job for AuditMoney {
    const NAME: &'static str = "audit-money";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    /// It reads the whole ledger.
    const TIMEOUT: Duration = Duration::from_mins(10);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}
