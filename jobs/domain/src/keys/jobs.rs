//! A rotation's steps.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bring some rows under the present key, and order the next step. The order is the rotation's whole state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateKeys {
    /// The key that all values shall be under, by its id.
    pub key: String,
    /// Times that all columns have been gone through.
    pub pass: u16,
    /// Of [`super::COLUMNS`], by its place there; the number of columns stands for the end of a pass.
    pub column: usize,
    /// Rows up to this one are done.
    pub after: Uuid,
    /// Values that were renewed, in all passes.
    pub renewed: u64,
    /// Values that no key of ours opens, in this pass.
    pub unreadable: u64,
}

impl Job for RotateKeys {
    const NAME: &'static str = "rotate-keys";
    const POOL: &'static str = "dispatch";
    /// Long enough for the processes of before to be gone.
    const RETRY: Retry = Retry::new(10, Duration::from_secs(5), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(1);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    /// One rotation to a key at a time.
    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.key.clone()))
    }
}
