//! Playing memes, as viewers do it.

use domain::{
    activations::{self, Wish},
    playback,
    requests::Request,
    wallets,
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
    payload::Json,
};
use serde_json::json;
use uuid::Uuid;

use super::Group;
use crate::{
    app::App,
    auth::Viewer,
    idempotency,
    problem::{ErrorCode, Problem},
    stored::Kept,
    views::activations::{MyActivationView, PlacedView, WithdrawnView},
};

pub(crate) struct Activations;

#[OpenApi(tag = "Group::Activations")]
impl Activations {
    /// Play a meme
    ///
    /// Takes the price from the wallet into escrow and puts the meme into the channel's queue. The coins are spent when a
    /// screen has shown it; in every other case they come back. Send an `Idempotency-Key`: repeating the request with the
    /// same key gives the first answer again and never pays twice. 402 `INSUFFICIENT_COINS` carries `balance` and
    /// `needed`; 409 `INTAKE_PAUSED` while the streamer takes nothing new, `MEME_ON_COOLDOWN` with `retryAfterSeconds`, or
    /// `MEME_PLAYED_OUT` with `most`; 422 when the key was used for another meme.
    #[oai(path = "/memes/:id/activate", method = "post", operation_id = "activateMeme")]
    async fn activate(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The meme's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this purchase.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<PlacedView>, Problem> {
        let request = key.0;
        let request = request.map(|key| Request::new(viewer.id, "activate", key, id.0.as_bytes()));
        let stored = app.placing.place(Wish { user_id: viewer.id, meme_id: id.0 }, request).await?;
        Ok(stored.into())
    }

    /// My activation
    ///
    /// Where it stands: status, place in the queue, expected wait, and why it ended if it was not shown.
    #[oai(path = "/me/activations/:id", method = "get", operation_id = "getMyActivation")]
    async fn mine(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The activation's id.
        id: Path<Uuid>,
    ) -> Result<Json<MyActivationView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let state = activations::viewer_state(&mut conn, viewer.id, id.0).await?;
        let state =
            state.ok_or_else(|| Problem::not_found(ErrorCode::ActivationNotFound, "you have no such activation"))?;
        Ok(Json(state.into()))
    }

    /// Take my activation back
    ///
    /// While it waits; the coins return, `refundedCoins` says how many, and `wallet` what you have now. 409 once it plays
    /// or has ended. With an `Idempotency-Key`, a repeated request gives the first answer again.
    #[oai(path = "/me/activations/:id", method = "delete", operation_id = "withdrawMyActivation")]
    async fn withdraw(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The activation's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this request.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Kept<WithdrawnView>, Problem> {
        let request = idempotency::request(key.0, viewer.id, "withdraw", &json!(id.0));
        let withdrawn = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let activation = playback::withdraw(tx, viewer.id, id.0).await?;
            let wallet = wallets::find(&mut *tx, viewer.id, activation.channel_id).await?;
            fail::fail_point!("playback::withdraw::before");
            Ok::<_, Problem>(WithdrawnView::new(activation, wallet))
        });
        let withdrawn = withdrawn.await?;
        fail::fail_point!("playback::withdraw::after");
        Ok(withdrawn.into())
    }
}
