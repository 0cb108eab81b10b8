//! Orders about what platforms gave us.

use std::time::Duration;

use queue::{Dedupe, Job, Limit, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Tell the platform that it may take its tokens back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeGrant {
    pub grant_id: Uuid,
}

impl Job for RevokeGrant {
    const NAME: &'static str = "revoke-grant";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(12, Duration::from_secs(10), Duration::from_hours(6));
    const TIMEOUT: Duration = Duration::from_secs(60);
}

/// Ask the platforms that demand it whether the tokens that we keep are still good. Ordered every hour by the schedule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ValidateGrants {}

impl Job for ValidateGrants {
    const NAME: &'static str = "validate-grants";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(2);
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}

/// Ask about one account's token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValidateGrant {
    pub account_id: Uuid,
}

impl Job for ValidateGrant {
    const NAME: &'static str = "validate-grant";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(4, Duration::from_secs(30), Duration::from_mins(10));
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -10;
    /// There are as many as people; they must not take the slots of those who speak in chats.
    const LIMIT: Option<Limit> = Some(Limit::running(4));

    fn limit_key(&self) -> Option<String> {
        Some("validate".to_owned())
    }

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.account_id.to_string()))
    }
}
