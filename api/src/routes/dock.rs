//! The queue from a dock: a panel in OBS, or the keys of a deck. The same acts as those of [`playback`](super::playback),
//! under the names that docks know.

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Group, playback};
use crate::{
    app::App,
    auth::Moderator,
    problem::Problem,
    stored::Kept,
    views::activations::{ActivationView, ClearedView, QueueView},
};

pub(crate) struct Dock;

#[OpenApi(tag = "Group::Streamer")]
impl Dock {
    /// The queue's state, for a dock
    ///
    /// What plays, the first fifty that wait, and whether playback or intake is paused.
    #[oai(path = "/streamer/dock/queue/state", method = "get", operation_id = "getDockQueueState")]
    async fn state(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        playback::state(&app, &streamer).await
    }

    /// Skip what plays, from a dock
    ///
    /// Takes it off the screen and gives the coins back. 409 when nothing plays. Send an `Idempotency-Key`: repeating the
    /// request with the same key gives the first answer again and does not skip the next one.
    #[oai(path = "/streamer/dock/queue/skip", method = "post", operation_id = "dockSkip")]
    async fn skip(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The one that plays longest when absent.
        #[oai(name = "activationId")]
        activation_id: Query<Option<Uuid>>,
        /// 1 to 128 visible characters of your choice that name this skip.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ActivationView>, Problem> {
        playback::skip(&app, &streamer, activation_id.0, key.0).await
    }

    /// Empty the queue, from a dock
    ///
    /// Everything that waits is cancelled and paid back in full; what plays goes on. Send an `Idempotency-Key`: repeating
    /// the request with the same key gives the first answer again and leaves alone what has come since.
    #[oai(path = "/streamer/dock/queue/clear", method = "post", operation_id = "dockClear")]
    async fn clear(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 128 visible characters of your choice that name this order.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ClearedView>, Problem> {
        playback::clear(&app, &streamer, key.0).await
    }

    /// Pause intake, from a dock
    ///
    /// New activations are refused with 409 `INTAKE_PAUSED`; what waits still plays.
    #[oai(path = "/streamer/dock/intake/pause", method = "post", operation_id = "dockPauseIntake")]
    async fn pause_intake(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        playback::set_intake(&app, &streamer, true).await
    }

    /// Resume intake, from a dock
    #[oai(path = "/streamer/dock/intake/resume", method = "post", operation_id = "dockResumeIntake")]
    async fn resume_intake(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        playback::set_intake(&app, &streamer, false).await
    }

    /// Pause playback, from a dock
    ///
    /// What plays stands still, nothing new starts, and nothing that waits grows old.
    #[oai(path = "/streamer/dock/playback/pause", method = "post", operation_id = "dockPausePlayback")]
    async fn pause(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        playback::set_playback(&app, &streamer, true).await
    }

    /// Resume playback, from a dock
    ///
    /// Goes on where it stood.
    #[oai(path = "/streamer/dock/playback/resume", method = "post", operation_id = "dockResumePlayback")]
    async fn resume(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<QueueView>, Problem> {
        playback::set_playback(&app, &streamer, false).await
    }
}
