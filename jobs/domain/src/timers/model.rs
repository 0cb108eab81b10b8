//! A timer and its limits.

use std::ops::RangeInclusive;

use time::OffsetDateTime;
use uuid::Uuid;

use super::TimerError;
use crate::{
    templates::{self, Occasion},
    unseen::{is_blank, is_unseen},
};

/// Of a channel.
pub const MAX_TIMERS: i64 = 25;
/// Of a timer.
pub const MAX_MESSAGES: usize = 20;
/// Seconds between two messages.
pub const INTERVALS: RangeInclusive<i32> = 60..=86_400;
/// Lines that a timer can wait for.
pub const MAX_LINES: i32 = 1_000;
/// Characters of a name.
const MAX_NAME: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub name: String,
    /// Templates, said one after the other.
    pub messages: Vec<String>,
    pub interval_seconds: i32,
    /// Lines of others since it last spoke.
    pub min_lines: i32,
    pub only_when_live: bool,
    pub enabled: bool,
    /// When it is looked at next.
    pub next_at: OffsetDateTime,
    pub last_said_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// A timer about to be made, or what one becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTimer {
    pub name: String,
    pub messages: Vec<String>,
    pub interval_seconds: i32,
    pub min_lines: i32,
    pub only_when_live: bool,
    pub enabled: bool,
}

/// New values; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub name: Option<String>,
    pub messages: Option<Vec<String>>,
    pub interval_seconds: Option<i32>,
    pub min_lines: Option<i32>,
    pub only_when_live: Option<bool>,
    pub enabled: Option<bool>,
}

impl Change {
    /// What the timer is after the change.
    pub(super) fn of(self, timer: &Timer) -> NewTimer {
        NewTimer {
            name: self.name.unwrap_or_else(|| timer.name.clone()),
            messages: self.messages.unwrap_or_else(|| timer.messages.clone()),
            interval_seconds: self.interval_seconds.unwrap_or(timer.interval_seconds),
            min_lines: self.min_lines.unwrap_or(timer.min_lines),
            only_when_live: self.only_when_live.unwrap_or(timer.only_when_live),
            enabled: self.enabled.unwrap_or(timer.enabled),
        }
    }
}

impl NewTimer {
    /// Checks everything before anything is written.
    pub(super) fn checked(mut self) -> Result<Self, TimerError> {
        let invalid = |field, problem: String| Err(TimerError::Invalid { field, problem });
        self.name = self.name.trim().to_owned();
        if is_blank(&self.name) || self.name.chars().count() > MAX_NAME || self.name.chars().any(is_unseen) {
            return invalid("name", format!("1 to {MAX_NAME} characters that can be seen"));
        }
        if !(1..=MAX_MESSAGES).contains(&self.messages.len()) {
            return invalid("messages", format!("1 to {MAX_MESSAGES}"));
        }
        for message in &self.messages {
            if let Err(problem) = templates::check(message, Occasion::Timer) {
                return invalid("messages", problem);
            }
        }
        if !INTERVALS.contains(&self.interval_seconds) {
            return invalid("intervalSeconds", format!("{} to {}", INTERVALS.start(), INTERVALS.end()));
        }
        if !(0..=MAX_LINES).contains(&self.min_lines) {
            return invalid("minLines", format!("0 to {MAX_LINES}"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let sound = NewTimer {
            name: " Discord ".to_owned(),
            messages: vec!["Join us: {channelUrl}".to_owned()],
            interval_seconds: 600,
            min_lines: 5,
            only_when_live: true,
            enabled: true,
        };
        assert_eq!(sound.clone().checked().unwrap().name, "Discord");
        let wrong = |change: &dyn Fn(&mut NewTimer)| {
            let mut changed = sound.clone();
            change(&mut changed);
            changed.checked().unwrap_err().to_string()
        };
        assert!(wrong(&|it| it.name = "\u{200b}".to_owned()).starts_with("name: 1 to 50"));
        assert!(wrong(&|it| it.messages = vec![]).starts_with("messages: 1 to 20"));
        assert!(wrong(&|it| it.messages = vec!["a".to_owned(); 21]).starts_with("messages: 1 to 20"));
        assert!(
            wrong(&|it| it.messages = vec!["{user}".to_owned()]).starts_with("messages: {user} is no variable here")
        );
        assert!(
            wrong(&|it| it.messages = vec!["/me waves".to_owned()]).starts_with("messages: the message begins like")
        );
        assert!(wrong(&|it| it.interval_seconds = 59).starts_with("intervalSeconds: 60 to 86400"));
        assert!(wrong(&|it| it.min_lines = 1_001).starts_with("minLines: 0 to 1000"));
    }
}
