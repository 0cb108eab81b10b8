//! Orders of the pool `media` and their policies: heavy and deterministic, so few tries far apart; a file that is bad is
//! refused at once.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const POOL: &str = "media";
const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));

/// Checks that the stored bytes are those that were sent, and whether we have encoded them before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValidateUpload {
    pub submission: Uuid,
}

/// Asks ffprobe what is in the file and holds it against the rules.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProbeUpload {
    pub submission: Uuid,
}

/// Encodes the file anew and makes the meme.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TranscodeUpload {
    pub submission: Uuid,
}

/// Removes what crashes left in the store, and fails submissions whose jobs are dead.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SweepBlobs {}

impl Job for ValidateUpload {
    const NAME: &'static str = "validate-upload";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }
}

impl Job for ProbeUpload {
    const NAME: &'static str = "probe-upload";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }
}

impl Job for TranscodeUpload {
    const NAME: &'static str = "transcode-upload";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(300);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }
}

impl Job for SweepBlobs {
    const NAME: &'static str = "sweep-blobs";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(600);
    /// Uploads first.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}
