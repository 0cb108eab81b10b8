//! The order that follows a message.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Understand what a platform has told: coins for viewers, who is live, whom to greet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnderstandWebhook {
    pub delivery_id: Uuid,
}

impl Job for UnderstandWebhook {
    const NAME: &'static str = "understand-webhook";
    const POOL: &'static str = "chat";
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_secs(60));
    const TIMEOUT: Duration = Duration::from_secs(30);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.delivery_id.to_string()))
    }
}
