//! The policy of limits: what they are, and which cannot be kept.

use std::time::Duration;

use crate::claim::millis;

/// How many jobs of one key may run at once, and how many may start in any window of time. At least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Runs at once, at least 1.
    pub running: Option<u32>,
    /// Runs that begin.
    pub starts: Option<Rate>,
}

/// At most so many in any window of that length. A run that failed counts as well as the one that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// 1 to 1000.
    pub most: u32,
    /// 1 ms to a year.
    pub per: Duration,
}

impl Limit {
    /// So many at once.
    #[must_use]
    pub const fn running(most: u32) -> Self {
        Self { running: Some(most), starts: None }
    }

    /// So many in any window of that length.
    #[must_use]
    pub const fn starts(most: u32, per: Duration) -> Self {
        Self { running: None, starts: Some(Rate { most, per }) }
    }

    /// What cannot be kept of it, if anything.
    #[must_use]
    pub fn flaw(&self) -> Option<&'static str> {
        const YEAR: Duration = Duration::from_hours(366 * 24);
        match self {
            Self { running: None, starts: None } => Some("its limit limits nothing"),
            Self { running: Some(0), .. } => Some("its limit lets nothing run"),
            Self { running: Some(most), .. } if *most > i32::MAX as u32 => {
                Some("its limit of runs is no number that can be kept")
            }
            Self { starts: Some(rate), .. } if !(1..=1000).contains(&rate.most) => {
                Some("its limit of starts is not between 1 and 1000")
            }
            Self { starts: Some(rate), .. } if rate.per < Duration::from_millis(1) || rate.per > YEAR => {
                Some("its limit's window is not between a millisecond and a year")
            }
            Self { .. } => None,
        }
    }

    pub(crate) fn most_running(&self) -> Option<i32> {
        self.running.and_then(|most| i32::try_from(most).ok())
    }

    pub(crate) fn most_starts(&self) -> Option<i32> {
        self.starts.and_then(|rate| i32::try_from(rate.most).ok())
    }

    pub(crate) fn per_ms(&self) -> Option<i64> {
        self.starts.map(|rate| millis(rate.per))
    }
}
