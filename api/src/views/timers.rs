//! Words of timers.

use domain::timers::{Change, NewTimer, Timer};
use poem_openapi::Object;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the bots of a channel say from time to time.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct TimerView {
    id: Uuid,
    channel_id: Uuid,
    name: String,
    /// Said one after the other, and from the beginning again.
    messages: Vec<String>,
    interval_seconds: i32,
    /// Lines that others must have written since it last spoke.
    min_lines: i32,
    only_when_live: bool,
    enabled: bool,
    /// When it is looked at next; it speaks then if it may.
    next_at: OffsetDateTime,
    last_said_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Timer> for TimerView {
    fn from(timer: Timer) -> Self {
        Self {
            id: timer.id,
            channel_id: timer.channel_id,
            name: timer.name,
            messages: timer.messages,
            interval_seconds: timer.interval_seconds,
            min_lines: timer.min_lines,
            only_when_live: timer.only_when_live,
            enabled: timer.enabled,
            next_at: timer.next_at,
            last_said_at: timer.last_said_at,
            created_at: timer.created_at,
            updated_at: timer.updated_at,
        }
    }
}

/// A timer to be made.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct NewTimerView {
    /// 1 to 50 characters.
    name: String,
    /// 1 to 20 of 1 to 450 characters, with variables.
    messages: Vec<String>,
    /// 60 to 86400.
    interval_seconds: i32,
    /// 0 to 1000; 0 when absent.
    min_lines: Option<i32>,
    /// True when absent.
    only_when_live: Option<bool>,
    /// True when absent.
    enabled: Option<bool>,
}

impl From<NewTimerView> for NewTimer {
    fn from(view: NewTimerView) -> Self {
        Self {
            name: view.name,
            messages: view.messages,
            interval_seconds: view.interval_seconds,
            min_lines: view.min_lines.unwrap_or(0),
            only_when_live: view.only_when_live.unwrap_or(true),
            enabled: view.enabled.unwrap_or(true),
        }
    }
}

/// New values for a timer; what is absent stays.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct TimerPatch {
    /// 1 to 50 characters.
    name: Option<String>,
    /// 1 to 20, in place of those that there are.
    messages: Option<Vec<String>>,
    /// 60 to 86400; the timer begins anew.
    interval_seconds: Option<i32>,
    /// 0 to 1000.
    min_lines: Option<i32>,
    only_when_live: Option<bool>,
    /// Switched on, the timer begins anew.
    enabled: Option<bool>,
}

impl From<TimerPatch> for Change {
    fn from(patch: TimerPatch) -> Self {
        Self {
            name: patch.name,
            messages: patch.messages,
            interval_seconds: patch.interval_seconds,
            min_lines: patch.min_lines,
            only_when_live: patch.only_when_live,
            enabled: patch.enabled,
        }
    }
}
