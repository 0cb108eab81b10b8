//! The wake-up that follows every change of a channel's queue.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Look at the channel's queue: start what may start.
#[derive(Debug, Serialize, Deserialize)]
pub struct AdvancePlayback {
    pub channel_id: Uuid,
}

impl Job for AdvancePlayback {
    const NAME: &'static str = "advance-playback";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(5, Duration::from_secs(1), Duration::from_secs(10));
    const TIMEOUT: Duration = Duration::from_secs(10);
    const PRIORITY: i16 = 10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.channel_id.to_string()))
    }
}
