//! Orders about what platforms tell.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};

/// Compare what we want to be told with what platforms tell. Ordered when a bot is switched, and by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SyncSubscriptions {}

impl Job for SyncSubscriptions {
    const NAME: &'static str = "sync-subscriptions";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(6, Duration::from_secs(5), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(5);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}

/// Compare what people did, by the platforms' lists, with what was told. Ordered every ten minutes by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FindMissed {}

impl Job for FindMissed {
    const NAME: &'static str = "find-missed";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(2));
    const TIMEOUT: Duration = Duration::from_mins(9);
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}

/// Ask platforms who is live. Ordered every minute by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PollStreams {}

impl Job for PollStreams {
    const NAME: &'static str = "poll-streams";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(10), Duration::from_secs(60));
    const TIMEOUT: Duration = Duration::from_mins(2);
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}
