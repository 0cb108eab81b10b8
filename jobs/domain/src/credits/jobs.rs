//! The orders of pool `credits`.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Tell one instance about one chatter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RelayChatter {
    pub sighting_id: Uuid,
    /// Base URL of the instance, e.g. `http://127.0.0.1:3001`.
    pub target: String,
}

impl Job for RelayChatter {
    const NAME: &'static str = "relay-chatter";
    const POOL: &'static str = "credits";
    const RETRY: Retry = Retry::new(20, Duration::from_secs(5), Duration::from_hours(1));
    const TIMEOUT: Duration = Duration::from_secs(20);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(format!("{}:{}", self.sighting_id, self.target)))
    }
}

/// Tell the channel's credits overlay the present state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishCredits {
    pub channel_id: Uuid,
}

impl Job for PublishCredits {
    const NAME: &'static str = "publish-credits";
    const POOL: &'static str = "credits";
    const RETRY: Retry = Retry::new(20, Duration::from_secs(1), Duration::from_secs(60));
    const TIMEOUT: Duration = Duration::from_secs(10);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.channel_id.to_string()))
    }
}

/// Forget the ids of events that nobody can send again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ForgetCreditsEvents {}

impl Job for ForgetCreditsEvents {
    const NAME: &'static str = "forget-credits-events";
    const POOL: &'static str = "credits";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(String::new()))
    }
}

/// Forget who was seen and shown in a session that is over. Ordered by the reset that ended it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetCreditsSession {
    pub session_id: Uuid,
}

impl Job for ForgetCreditsSession {
    const NAME: &'static str = "forget-credits-session";
    const POOL: &'static str = "credits";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(1);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.session_id.to_string()))
    }
}
