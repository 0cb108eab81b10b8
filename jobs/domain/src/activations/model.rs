//! What an activation is.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::channels::QueuePriorities;

/// Where an activation is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Queued,
    Playing,
    Done,
    Failed,
    Cancelled,
}

impl Status {
    /// As stored and as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Playing => "playing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn parse(word: &str) -> Self {
        match word {
            "queued" => Self::Queued,
            "playing" => Self::Playing,
            "done" => Self::Done,
            "failed" => Self::Failed,
            // The check constraint knows no other word.
            _ => Self::Cancelled,
        }
    }
}

/// Why an activation did not end as `done`; a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No screen began to show it in time.
    NoScreenStarted,
    /// A screen began, and none said that it ended.
    NeverEnded,
    /// The screens could not show it.
    ScreenFailed,
    /// It waited too long without a screen.
    NoScreen,
    /// It waited longer than anything may.
    WaitedTooLong,
    /// The streamer skipped it.
    Skipped,
    /// The streamer emptied the queue.
    Cleared,
    /// The viewer took it back.
    Withdrawn,
    /// The house took it out of sight or banned who placed it, or the channel has banned them or deleted the meme.
    TakenDown,
}

impl Reason {
    /// As stored and as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoScreenStarted => "no_screen_started",
            Self::NeverEnded => "never_ended",
            Self::ScreenFailed => "screen_failed",
            Self::NoScreen => "no_screen",
            Self::WaitedTooLong => "waited_too_long",
            Self::Skipped => "skipped",
            Self::Cleared => "cleared",
            Self::Withdrawn => "withdrawn",
            Self::TakenDown => "taken_down",
        }
    }

    /// The status that goes with the reason: what somebody decided is cancelled, what went wrong has failed.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::NoScreenStarted | Self::NeverEnded | Self::ScreenFailed | Self::NoScreen | Self::WaitedTooLong => {
                Status::Failed
            }
            Self::Skipped | Self::Cleared | Self::Withdrawn | Self::TakenDown => Status::Cancelled,
        }
    }
}

/// Who asked for it. All but a viewer's move no coins and count in no statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A viewer, for coins.
    Meme,
    /// The streamer's test event.
    Test,
    /// The streamer, who plays once more what was played.
    Replay,
    /// Another program: somebody donated.
    Donation,
    /// Another program: somebody redeemed a reward of a platform.
    Redeem,
    /// Another program: somebody said it in a chat.
    Chat,
}

impl Source {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Meme => "meme",
            Self::Test => "test",
            Self::Replay => "replay",
            Self::Donation => "donation",
            Self::Redeem => "redeem",
            Self::Chat => "chat",
        }
    }

    /// What is larger plays first, as the channel has it.
    #[must_use]
    pub const fn priority(self, of: QueuePriorities) -> i16 {
        match self {
            Self::Donation => of.donation,
            Self::Redeem => of.redeem,
            Self::Chat => of.chat,
            Self::Meme | Self::Test | Self::Replay => of.coins,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub channel_slug: String,
    pub user_id: Uuid,
    pub meme_id: Uuid,
    pub source: String,
    pub status: Status,
    /// From [`Reason`]'s closed list.
    pub reason: Option<String>,
    /// Coins, before and after the discount.
    pub price: i64,
    pub final_price: i64,
    pub sender_name: String,
    pub title: String,
    /// `image`, `gif`, `video` or `audio`.
    pub media_type: String,
    /// SHA-256 of the file that screens show.
    pub file_hash: String,
    pub duration_ms: i32,
    /// Per cent.
    pub volume: i16,
    /// Plays beside what plays, not after it.
    pub is_overlapping: bool,
    /// Decibels that even it out; none where there is nothing to hear.
    pub gain_db: Option<f64>,
    /// 0 until it is started; a new number for every start.
    pub play_epoch: i64,
    /// When a screen said that it began.
    pub started_at: Option<OffsetDateTime>,
    pub deadline: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

/// A waiting activation as the streamer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    pub activation: Activation,
    /// What is larger plays first.
    pub priority: i16,
    pub place: Place,
}

impl Activation {
    /// Where clients find the file.
    #[must_use]
    pub fn file_url(&self) -> String {
        format!("/uploads/{}", self.file_hash)
    }
}

/// Where a waiting activation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1 is next.
    pub position: i64,
    /// Milliseconds until it may start, by the lengths of what is before it; null while playback is paused, and while
    /// there is no screen.
    pub eta_ms: Option<i64>,
}
