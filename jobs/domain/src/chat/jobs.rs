//! The orders of pool `chat`.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Understand one batch of lines: record messages, answer commands, notice chatters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IngestChatBatch {
    pub batch_id: Uuid,
}

impl Job for IngestChatBatch {
    const NAME: &'static str = "ingest-chat-batch";
    const POOL: &'static str = "chat";
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_secs(60));
    const TIMEOUT: Duration = Duration::from_secs(30);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.batch_id.to_string()))
    }
}

/// Forget what was read in chats, after its time. Ordered every hour by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrimChat {}

impl Job for TrimChat {
    const NAME: &'static str = "trim-chat";
    const POOL: &'static str = "chat";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}
