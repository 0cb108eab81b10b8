//! The link that a streamer puts into OBS.

use domain::{
    access::{self, Purpose},
    acts::Act,
    channels::Channel,
    tokens,
};
use poem::web::Data;
use poem_openapi::{OpenApi, payload::Json};
use serde_json::json;

use super::{Group, acts::on_channel};
use crate::{
    app::{App, AppState},
    auth::Streamer,
    problem::Problem,
    views::channels::OverlayTokenView,
};

pub(crate) struct OverlayTokens;

#[OpenApi(tag = "Group::Streamer")]
impl OverlayTokens {
    /// My overlay's token
    ///
    /// The same token every time, until it is rotated. Whoever has it can see the overlay, and nothing else.
    #[oai(path = "/streamer/overlay/token", method = "get", operation_id = "getOverlayToken")]
    async fn token(&self, app: Data<&App>, streamer: Streamer) -> Json<OverlayTokenView> {
        Json(view(&app, &streamer.channel))
    }

    /// Rotate my overlay's token
    ///
    /// The old token stops working at once, open streams included; put the new address into OBS. Sources with a token of
    /// their own (`POST /streamer/tokens`) go on.
    #[oai(path = "/streamer/overlay/token/rotate", method = "post", operation_id = "rotateOverlayToken")]
    async fn rotate(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<OverlayTokenView>, Problem> {
        let mut tx = app.db.begin().await?;
        let channel = tokens::rotate_own(&mut tx, streamer.channel.id).await?;
        let version = |channel: &Channel| json!({ "version": channel.overlay_token_version });
        let act = Act::new("rotate_overlay_token").changing(version(&streamer.channel), version(&channel));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        app.sightings.forget(channel.id);
        Ok(Json(view(&app, &channel)))
    }
}

fn view(app: &AppState, channel: &Channel) -> OverlayTokenView {
    let token = access::channel_token(&app.keys, Purpose::Overlay, channel.id, channel.overlay_token_version);
    let url = format!("{}/overlay/t/{token}", app.settings.public_url);
    OverlayTokenView { token, url }
}
