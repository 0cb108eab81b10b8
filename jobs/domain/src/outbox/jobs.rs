//! The orders of pool `outbox`.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Provider;

/// Say one message of the outbox in its chat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendChatMessage {
    pub message_id: Uuid,
    /// With the channel: the lane in which messages keep their order.
    pub provider: Provider,
    pub channel_id: Uuid,
}

impl Job for SendChatMessage {
    const NAME: &'static str = "send-chat-message";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(6, Duration::from_secs(2), Duration::from_secs(60));
    const TIMEOUT: Duration = Duration::from_secs(45);

    fn order_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.provider, self.channel_id))
    }
}

/// End messages whose sender was lost: what waits past its time fails, what was being written is in doubt.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EndStaleMessages {}

impl Job for EndStaleMessages {
    const NAME: &'static str = "end-stale-messages";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(5), Duration::from_secs(30));
    const TIMEOUT: Duration = Duration::from_secs(30);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}

/// Forget messages long after they were said. Ordered every hour by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrimOutbox {}

impl Job for TrimOutbox {
    const NAME: &'static str = "trim-outbox";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}
