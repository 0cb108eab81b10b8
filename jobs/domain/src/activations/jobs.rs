//! The wake-up that follows every change of a channel's queue.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Look at the channels' queues: start what may start.
#[derive(Debug, Serialize, Deserialize)]
pub struct AdvancePlayback {
    /// At least one.
    pub channels: Vec<Uuid>,
}

impl AdvancePlayback {
    #[must_use]
    pub fn of(channel: Uuid) -> Self {
        Self { channels: vec![channel] }
    }
}

impl Job for AdvancePlayback {
    const NAME: &'static str = "advance-playback";
    const POOL: &'static str = "dispatch";
    const RETRY: Retry = Retry::new(5, Duration::from_secs(1), Duration::from_secs(10));
    const TIMEOUT: Duration = Duration::from_secs(10);
    const PRIORITY: i16 = 10;

    fn dedupe(&self) -> Option<Dedupe> {
        // Looking twice does no harm, so an order for several channels need not be unique: it is one row instead of many.
        match self.channels[..] {
            [channel] => Some(Dedupe::WakeUp(channel.to_string())),
            _ => None,
        }
    }
}
