//! Items of the queue one by one, and what is queued by other ways than a purchase.

use domain::{
    activations::{self, FreePlay},
    acts::Act,
    playback,
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
    payload::Json,
};
use queue::Tx;
use serde_json::json;
use uuid::Uuid;

use super::{
    Group,
    acts::{on_channel, shown},
    playback::state,
};
use crate::{
    app::App,
    auth::{Editor, Moderator, Streamer},
    idempotency,
    problem::Problem,
    stored::Kept,
    views::activations::{ActivationView, QueueEvent, QueueView},
};

pub(crate) struct QueueItems;

#[OpenApi(tag = "Group::Streamer")]
impl QueueItems {
    /// Take an item out of my queue
    ///
    /// Its coins go back, and its viewer hears that it was skipped. What plays already is for `/streamer/queue/skip`. Send an `Idempotency-Key`: repeating the request
    /// with the same key gives the first answer again.
    #[oai(path = "/streamer/queue/items/:id", method = "delete", operation_id = "removeQueued")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The activation's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this order.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ActivationView>, Problem> {
        let question = json!([streamer.channel.id, id.0]);
        let request = idempotency::request(key.0, streamer.user.id, "remove", &question);
        let removed = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let removed = playback::remove(tx, &streamer.channel, id.0, streamer.user.id).await?;
            on_channel(tx, &streamer, Act::new("remove_from_queue").to(removed.user_id).with(removed.id)).await?;
            Ok::<_, Problem>(ActivationView::from(removed))
        });
        Ok(removed.await?.into())
    }

    /// Play an item of my queue next
    ///
    /// Before all others that wait.
    #[oai(path = "/streamer/queue/items/:id/front", method = "post", operation_id = "moveToFront")]
    async fn move_to_front(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The activation's id.
        id: Path<Uuid>,
    ) -> Result<Json<QueueView>, Problem> {
        let mut tx = app.db.begin().await?;
        let moved = playback::move_to_front(&mut tx, &streamer.channel, id.0).await?;
        on_channel(&mut tx, &streamer, Act::new("move_to_front").to(moved.user_id).with(moved.id)).await?;
        tx.commit().await?;
        state(&app, &streamer).await
    }

    /// Play it again
    ///
    /// What has ended is shown once more, for the same person and for no coins, in its turn. 404 `MEME_NOT_FOUND` when the
    /// channel has the meme no more, 409 when the person was banned or has deleted the account. Send an `Idempotency-Key`: repeating the request with the same key gives the first
    /// answer again and plays nothing twice.
    #[oai(path = "/streamer/queue/history/:id/replay", method = "post", operation_id = "replayPlayed")]
    async fn replay(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The activation's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this order.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<ActivationView>, Problem> {
        let question = json!([streamer.channel.id, id.0]);
        let request = idempotency::request(key.0, streamer.user.id, "replay", &question);
        let replayed = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let again = playback::replay(tx, &streamer.channel, id.0).await?;
            written_down(tx, &streamer, again, Act::new("replay")).await
        });
        Ok(replayed.await?.into())
    }

    /// Show something for what happened elsewhere
    ///
    /// For programs of the streamer's (a token with `queue:control`): a donation, a reward of a platform or a word in a chat
    /// shows one of the channel's memes, in the same queue as all others, for no coins and in no statistics, also while intake is
    /// paused. Larger priorities play first.
    /// Send an `Idempotency-Key`, best the event's own id: repeating the request with the same key gives the first answer
    /// again and plays nothing twice.
    #[oai(path = "/streamer/queue/events", method = "post", operation_id = "queueEvent")]
    async fn event(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 128 visible characters of your choice that name this event.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        event: Json<QueueEvent>,
    ) -> Result<Kept<ActivationView>, Problem> {
        let question = json!([streamer.channel.id, shown(&event.0)]);
        let request = idempotency::request(key.0, streamer.user.id, "queue-event", &question);
        let play = FreePlay {
            sender: Some(event.0.sender_display_name),
            priority: event.0.priority,
            ..FreePlay::new(event.0.kind.into(), event.0.meme_id)
        };
        let queued = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let id = activations::place_free(tx, &streamer.channel, streamer.user.id, &play).await?;
            written_down(tx, &streamer, id, Act::new("queue_event")).await
        });
        Ok(queued.await?.into())
    }
}

/// What was placed for the streamer, once that is written down.
pub(super) async fn written_down(
    tx: &mut Tx,
    streamer: &Streamer,
    id: Uuid,
    act: Act,
) -> Result<ActivationView, Problem> {
    on_channel(&mut *tx, streamer, act.with(id)).await?;
    let placed = activations::find(&mut *tx, id).await?;
    Ok(placed.ok_or_else(|| Problem::internal("what was placed is gone"))?.into())
}
