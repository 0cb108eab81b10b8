//! Reads variables one by one, remembers what was asked for, and collects every complaint instead of stopping at one.

use std::{collections::HashMap, fmt::Display, str::FromStr, time::Duration};

use super::Secret;

/// The environment while it is being read.
#[derive(Debug, Default)]
pub struct Reader {
    values: HashMap<String, String>,
    asked: Vec<&'static str>,
    complaints: Vec<String>,
}

impl Reader {
    /// A reader of the given variables. Empty values count as unset, as a line `NAME=` in an env file means.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { values, ..Self::default() }
    }

    /// The text of `name`, trimmed; `None` when unset.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.values.get(name).map(|value| value.trim().to_owned())
    }

    /// Like [`Reader::text`], for values that must not be printed.
    pub fn secret(&mut self, name: &'static str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    /// A value of another type; `what` says what would be right.
    pub fn parse<T: FromStr>(&mut self, name: &'static str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.complain(format!("{name} must be {what}, not {text:?}"));
        }
        value
    }

    /// A whole number within bounds, both included.
    pub fn number(&mut self, name: &'static str, default: u64, min: u64, max: u64) -> u64 {
        let value = self.parse(name, &format!("a whole number from {min} to {max}")).unwrap_or(default);
        if !(min..=max).contains(&value) {
            self.complain(format!("{name} must be from {min} to {max}, not {value}"));
        }
        value
    }

    /// A length of time in whole seconds, at least `min`.
    pub fn seconds(&mut self, name: &'static str, default: u64, min: u64) -> Duration {
        Duration::from_secs(self.number(name, default, min, 86_400))
    }

    /// A length of time in whole milliseconds, at least `min`.
    pub fn milliseconds(&mut self, name: &'static str, default: u64, min: u64) -> Duration {
        Duration::from_millis(self.number(name, default, min, 86_400_000))
    }

    pub fn complain(&mut self, complaint: impl Display) {
        self.complaints.push(complaint.to_string());
    }

    /// The names that were asked for, and what was wrong.
    #[must_use]
    pub fn finish(self) -> (Vec<&'static str>, Vec<String>) {
        (self.asked, self.complaints)
    }
}
