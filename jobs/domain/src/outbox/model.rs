//! A message to be said, and the platforms it can go to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::identities;

/// A chat platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Twitch,
    VkVideo,
    YouTube,
    Trovo,
    Kick,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no chat platform")]
pub struct UnknownProvider(pub String);

impl Provider {
    /// In the order in which the panel lists them.
    pub const ALL: [Self; 5] = [Self::Twitch, Self::VkVideo, Self::YouTube, Self::Trovo, Self::Kick];

    /// The wire's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twitch => "twitch",
            Self::VkVideo => "vkvideo",
            Self::YouTube => "youtube",
            Self::Trovo => "trovo",
            Self::Kick => "kick",
        }
    }
}

impl From<Provider> for identities::Provider {
    fn from(platform: Provider) -> Self {
        match platform {
            Provider::Twitch => Self::Twitch,
            Provider::VkVideo => Self::VkVideo,
            Provider::YouTube => Self::YouTube,
            Provider::Trovo => Self::Trovo,
            Provider::Kick => Self::Kick,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == word).ok_or_else(|| UnknownProvider(word.to_owned()))
    }
}

/// Who asked for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The streamer, in the panel.
    Say,
    /// A viewer's command.
    Command,
    /// Somebody who follows now.
    Greeting,
    /// What is said from time to time.
    Timer,
}

impl Source {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Say => "say",
            Self::Command => "command",
            Self::Greeting => "greeting",
            Self::Timer => "timer",
        }
    }

    /// The table's check keeps every other word out.
    pub(super) fn from_column(word: &str) -> Self {
        match word {
            "say" => Self::Say,
            "command" => Self::Command,
            "greeting" => Self::Greeting,
            _ => Self::Timer,
        }
    }

    /// How long the message makes sense. An answer that comes later only confuses the chat.
    #[must_use]
    pub const fn time_to_live(self) -> Duration {
        match self {
            Self::Say => Duration::minutes(10),
            Self::Command => Duration::minutes(1),
            Self::Greeting | Self::Timer => Duration::minutes(2),
        }
    }

    /// So many may wait in one chat; one more is not put there. None: as many as people ask for.
    #[must_use]
    pub const fn most_waiting(self) -> Option<i64> {
        match self {
            Self::Say => None,
            Self::Command => Some(5),
            Self::Greeting => Some(3),
            Self::Timer => Some(1),
        }
    }

    /// Per cent of the account's budget that it leaves to what matters more.
    pub(super) const fn leaves(self) -> u16 {
        match self {
            Self::Say => 0,
            Self::Command => 10,
            Self::Greeting => 25,
            Self::Timer => 40,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Pending,
    Processing,
    Sent,
    Failed,
    /// Written, never confirmed, not yet read back.
    Unknown,
}

impl Status {
    /// The wire's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The table's check keeps every other word out.
    pub(super) fn from_column(word: &str) -> Self {
        match word {
            "pending" => Self::Pending,
            "processing" => Self::Processing,
            "sent" => Self::Sent,
            "failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub struct OutboxMessage {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub provider: Provider,
    pub message: String,
    pub status: Status,
    /// Runs that began to send.
    pub attempts: i16,
    /// Why it is not sent: a code of the platform or a reason of ours.
    pub last_error: Option<String>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}
