//! Files that go for good.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Gives the bytes of a deleted asset back; an empty file stands in their place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurgeAsset {
    pub asset: Uuid,
}

impl Job for PurgeAsset {
    const NAME: &'static str = "purge-asset";
    const POOL: &'static str = "media";
    const RETRY: Retry = Retry::new(10, Duration::from_secs(1), Duration::from_mins(5));
    const TIMEOUT: Duration = Duration::from_mins(1);
    /// Uploads first.
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.asset.to_string()))
    }
}
