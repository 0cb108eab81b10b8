//! Orders of the pools `media` and `imports` and their policies. Of `media`: heavy and deterministic, so few tries far apart; a file that is bad is
//! refused at once.

use std::time::Duration;

use queue::{Dedupe, EnqueueError, Job, Limit, Order, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::UploadState;

const POOL: &str = "media";
const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));

/// Fetches the file of a submission from the address that its sender has named. The other server may be away for some minutes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FetchImport {
    pub submission: Uuid,
    pub submitter: Uuid,
}

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

/// Encodes the file anew and makes the meme. The same bytes for the same use are encoded once: who comes later waits for
/// the first, and then shares its rendition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TranscodeUpload {
    pub submission: Uuid,
    /// What is encoded, as what; none in orders of before.
    #[serde(default)]
    pub work: Option<String>,
    /// Who sent the file; none in orders of before.
    #[serde(default)]
    pub submitter: Option<Uuid>,
}

/// Ends a submission whose job in this state was given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GiveUpUpload {
    pub submission: Uuid,
    pub state: UploadState,
}

/// Gives back the files of what was rejected or replaced, and removes the bytes that nothing else needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GiveBackFiles {
    /// Of which nothing else knows any more.
    pub asset: Option<Uuid>,
    /// SHA-256 of sent bytes that were not encoded yet.
    pub source: Option<String>,
}

/// Rejects what somebody who was banned has sent in and nobody has decided about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RejectSubmissions {
    pub submitter: Uuid,
    /// Only what was sent to this one; none: to all.
    #[serde(default)]
    pub channel: Option<Uuid>,
}

/// Brings back what was rejected because its sender was banned, whose ban was taken back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReturnSubmissions {
    pub submitter: Uuid,
}

/// Gives back the files of what was rejected because of a ban that nobody has taken back; ordered with the rejection, for later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GiveBackShelved {
    pub submission: Uuid,
}

/// Removes what crashes left in the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SweepBlobs {}

impl Job for FetchImport {
    const NAME: &'static str = "fetch-import";
    /// Waiting for strangers' servers takes no core.
    const POOL: &'static str = "imports";
    const RETRY: Retry = Retry::new(6, Duration::from_secs(10), Duration::from_mins(10));
    const TIMEOUT: Duration = Duration::from_mins(3);
    /// Who names a hundred files leaves room for the one of somebody else.
    const LIMIT: Option<Limit> = Some(Limit::running(2));

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }

    fn limit_key(&self) -> Option<String> {
        Some(format!("importer:{}", self.submitter))
    }

    fn last_wish(&self) -> Result<Option<Order>, EnqueueError> {
        Order::new(&GiveUpUpload { submission: self.submission, state: UploadState::Received }).map(Some)
    }
}

impl Job for ValidateUpload {
    const NAME: &'static str = "validate-upload";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }

    fn last_wish(&self) -> Result<Option<Order>, EnqueueError> {
        Order::new(&GiveUpUpload { submission: self.submission, state: UploadState::Received }).map(Some)
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

    fn last_wish(&self) -> Result<Option<Order>, EnqueueError> {
        Order::new(&GiveUpUpload { submission: self.submission, state: UploadState::Probing }).map(Some)
    }
}

impl Job for TranscodeUpload {
    const NAME: &'static str = "transcode-upload";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(300);
    /// Who sends a hundred files leaves room for the one of somebody else.
    const LIMIT: Option<Limit> = Some(Limit::running(1));

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }

    fn order_key(&self) -> Option<String> {
        self.work.clone()
    }

    fn limit_key(&self) -> Option<String> {
        self.submitter.map(|submitter| format!("submitter:{submitter}"))
    }

    fn last_wish(&self) -> Result<Option<Order>, EnqueueError> {
        Order::new(&GiveUpUpload { submission: self.submission, state: UploadState::Transcoding }).map(Some)
    }
}

impl Job for GiveUpUpload {
    const NAME: &'static str = "give-up-upload";
    const POOL: &'static str = POOL;
    const RETRY: Retry = RETRY;
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.submission.to_string()))
    }
}

impl Job for GiveBackFiles {
    const NAME: &'static str = "give-back-files";
    const POOL: &'static str = POOL;
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// Uploads first.
    const PRIORITY: i16 = -10;
}

impl Job for RejectSubmissions {
    const NAME: &'static str = "reject-submissions";
    const POOL: &'static str = POOL;
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// Before the files themselves are worked on.
    const PRIORITY: i16 = 10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(match self.channel {
            Some(channel) => format!("{}:{channel}", self.submitter),
            None => self.submitter.to_string(),
        }))
    }
}

impl Job for ReturnSubmissions {
    const NAME: &'static str = "return-submissions";
    const POOL: &'static str = POOL;
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);
    const PRIORITY: i16 = 10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.submitter.to_string()))
    }
}

impl Job for GiveBackShelved {
    const NAME: &'static str = "give-back-shelved";
    const POOL: &'static str = POOL;
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// Uploads first.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.submission.to_string()))
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
