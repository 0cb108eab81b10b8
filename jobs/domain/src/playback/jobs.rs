//! The clocks of playback.

use std::time::Duration;

use queue::{Dedupe, Job, Retry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activations::Activation;

const POOL: &str = "dispatch";
const POLICY: Retry = Retry::new(5, Duration::from_secs(1), Duration::from_secs(10));
const RUN: Duration = Duration::from_secs(10);

/// If this play has not ended by its deadline, give the coins back. Taken back when the play ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExpirePlay {
    pub activation_id: Uuid,
    pub play_epoch: i64,
}

impl ExpirePlay {
    /// For the activation's present play.
    pub(super) const fn of(activation: &Activation) -> Self {
        Self { activation_id: activation.id, play_epoch: activation.play_epoch }
    }
}

impl Job for ExpirePlay {
    const NAME: &'static str = "expire-play";
    const POOL: &'static str = POOL;
    const RETRY: Retry = POLICY;
    const TIMEOUT: Duration = RUN;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(format!("{}:{}", self.activation_id, self.play_epoch)))
    }
}

/// Give back what has waited longer than anybody has patience for.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireWaiting {
    pub channel_id: Uuid,
}

impl Job for ExpireWaiting {
    const NAME: &'static str = "expire-waiting";
    const POOL: &'static str = POOL;
    const RETRY: Retry = POLICY;
    const TIMEOUT: Duration = RUN;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.channel_id.to_string()))
    }
}

/// Tell panel and page how the queue stands; enqueued with a delay, so that a burst is told once.
#[derive(Debug, Serialize, Deserialize)]
pub struct AnnounceQueue {
    pub channel_id: Uuid,
}

impl Job for AnnounceQueue {
    const NAME: &'static str = "announce-queue";
    const POOL: &'static str = POOL;
    const RETRY: Retry = POLICY;
    const TIMEOUT: Duration = RUN;
    const PRIORITY: i16 = -10;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::WakeUp(self.channel_id.to_string()))
    }
}

/// What shall not be shown any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Unwanted {
    /// SHA-256 of a file that the house has taken out of sight.
    File(String),
    /// Who is banned: whatever the person has placed.
    Person(Uuid),
    /// A meme that its channel has deleted: what waits of it, while what plays is shown to its end.
    Meme(Uuid),
    /// Who is banned from one channel: whatever the person has placed there.
    PersonHere { person: Uuid, channel: Uuid },
}

/// Take it off the queues and off the screens, and give its coins back.
#[derive(Debug, Serialize, Deserialize)]
pub struct TakeDown {
    pub unwanted: Unwanted,
    /// Once more, for what was placed at the moment of the decision.
    pub again: bool,
}

impl Job for TakeDown {
    const NAME: &'static str = "take-down";
    const POOL: &'static str = POOL;
    const RETRY: Retry = POLICY;
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn dedupe(&self) -> Option<Dedupe> {
        let which = match &self.unwanted {
            Unwanted::File(hash) => hash.clone(),
            Unwanted::Person(id) | Unwanted::Meme(id) => id.to_string(),
            Unwanted::PersonHere { person, channel } => format!("{person}:{channel}"),
        };
        Some(Dedupe::WakeUp(format!("{which}:{}", self.again)))
    }
}

/// Forget screens whose process died without saying so, and wind clocks that stand still; periodic.
#[derive(Debug, Serialize, Deserialize)]
pub struct SweepScreens {}

impl Job for SweepScreens {
    const NAME: &'static str = "sweep-screens";
    const POOL: &'static str = POOL;
    const RETRY: Retry = POLICY;
    const TIMEOUT: Duration = RUN;

    fn dedupe(&self) -> Option<Dedupe> {
        Some(Dedupe::Event("all".to_owned()))
    }
}
