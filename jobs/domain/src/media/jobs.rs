//! Orders of the pool `media` about assets that there are.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Draws what an asset looks like before it is played. A meme without pictures is a meme all the same, so nobody waits for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DrawPreviews {
    pub asset: Uuid,
}

impl Job for DrawPreviews {
    const NAME: &'static str = "draw-previews";
    const POOL: &'static str = "media";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(300);
    /// Uploads first.
    const PRIORITY: i16 = -5;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.asset.to_string()))
    }
}

/// Orders what some assets lack that are older than loudness, pictures and looks; periodic. Those that it has ordered are never
/// ordered again by itself, so whatever stops it, it goes on where it was.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompleteAssets {}

impl Job for CompleteAssets {
    const NAME: &'static str = "complete-assets";
    const POOL: &'static str = "media";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(30);
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}

/// Finds out what nobody has found out about an asset yet: how loud it is, what it looks like; and orders its pictures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompleteAsset {
    pub asset: Uuid,
}

impl Job for CompleteAsset {
    const NAME: &'static str = "complete-asset";
    const POOL: &'static str = "media";
    const RETRY: Retry = Retry::new(3, Duration::from_secs(30), Duration::from_secs(300));
    const TIMEOUT: Duration = Duration::from_secs(300);
    /// After everything that somebody waits for.
    const PRIORITY: i16 = -20;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event(self.asset.to_string()))
    }
}
