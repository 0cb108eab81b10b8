//! How far a channel has come on Twitch.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What Twitch calls the type of a broadcaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    None,
    Affiliate,
    Partner,
}

impl Standing {
    /// By Twitch's word; what it does not have yet is none.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "affiliate" => Self::Affiliate,
            "partner" => Self::Partner,
            _ => Self::None,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Affiliate => "affiliate",
            Self::Partner => "partner",
        }
    }
}

/// Ask Twitch how far the channel has come there. Somebody waits for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskStanding {
    pub channel_id: Uuid,
    /// Its owner's account there, by its id.
    pub account: String,
}

impl Job for AskStanding {
    const NAME: &'static str = "ask-standing";
    const POOL: &'static str = "outbox";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(1), Duration::from_secs(10));
    const TIMEOUT: Duration = Duration::from_secs(30);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.channel_id.to_string()))
    }
}
