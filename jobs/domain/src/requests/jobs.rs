//! Housekeeping of stored answers.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Remove answers that are older than anybody repeats a request; periodic.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetRequests {}

impl Job for ForgetRequests {
    const NAME: &'static str = "forget-requests";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}
