//! The orders of privacy. They work on files, so they are pool `media`'s.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const POOL: &str = "media";
const RETRY: Retry = Retry::new(8, Duration::from_secs(10), Duration::from_mins(30));

/// Write the archive of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportPerson {
    pub export: Uuid,
    pub user: Uuid,
}

impl Job for ExportPerson {
    const NAME: &'static str = "export-person";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_mins(30);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.export.to_string()))
    }
}

/// Forget a person who has asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErasePerson {
    pub user: Uuid,
}

impl Job for ErasePerson {
    const NAME: &'static str = "erase-person";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_mins(30);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.user.to_string()))
    }
}

/// Remove archives whose time is over. Ordered every hour by the schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SweepExports {}

impl Job for SweepExports {
    const NAME: &'static str = "sweep-exports";
    const POOL: &'static str = POOL;
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp("all".to_owned()))
    }
}
