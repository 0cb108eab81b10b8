//! The order that follows a judgement.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Do on the platform what was decided about a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moderate {
    pub act_id: Uuid,
}

impl Job for Moderate {
    const NAME: &'static str = "moderate";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(8, Duration::from_secs(2), Duration::from_mins(2));
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// Before what is said: everybody sees the message until then.
    const PRIORITY: i16 = 10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.act_id.to_string()))
    }
}
