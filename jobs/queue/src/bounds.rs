//! What the queue refuses to take.

use std::{io, time::Duration};

use serde_json::Value;

use crate::{EnqueueError, Kind};

/// Bytes of the largest payload, as JSON: a job holds ids, not copies.
const PAYLOAD: usize = 1 << 20;
/// The longest delay: a job for a later time is a mistake in a unit, or the business of a schedule.
const DELAY: Duration = Duration::from_hours(366 * 24);

/// Refuses payloads that are too large.
pub(crate) fn payload(kind: &'static str, payload: &Value) -> Result<(), EnqueueError> {
    let mut size = Size(0);
    // Counting cannot fail.
    serde_json::to_writer(&mut size, payload).map_err(|error| EnqueueError::Payload(kind, error))?;
    if size.0 > PAYLOAD {
        return Err(EnqueueError::TooLarge { kind, bytes: size.0, most: PAYLOAD });
    }
    Ok(())
}

/// Refuses delays that are too long.
pub(crate) fn delay(kind: &'static str, delay: Duration) -> Result<(), EnqueueError> {
    if delay > DELAY {
        return Err(EnqueueError::TooLate { kind, delay, most: DELAY });
    }
    Ok(())
}

impl Kind {
    /// What cannot be kept of the kind's policy, if anything.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        match self {
            Self { pool: "", .. } => Some("it names no pool"),
            Self { version: ..1, .. } => Some("its version is less than 1"),
            Self { timeout: Duration::ZERO, .. } => Some("it has no time to run"),
            Self { retry, .. } if retry.attempts < 1 => Some("it has no attempt"),
            Self { retry, .. } if retry.base > retry.cap => Some("its first wait is longer than the cap of all waits"),
            Self { retry, .. } if retry.jitter > 100 => Some("its jitter is more than 100 %"),
            Self { limit, .. } => limit.and_then(|limit| limit.flaw()),
        }
    }
}

/// Counts what is written.
struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
