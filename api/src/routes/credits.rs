//! The streamer's credits.

use domain::{
    access::{self, Purpose},
    acts::Act,
    channels::Channel,
    credits,
};
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, payload::Json};
use serde_json::json;

use super::{
    Group,
    acts::{on_channel, shown},
};
use crate::{
    app::{App, AppState},
    auth::{Editor, Moderator, Streamer},
    problem::Problem,
    views::{
        channels::OverlayTokenView,
        credits::{CreditsSettings, CreditsStateView},
    },
};

pub(crate) struct Credits;

/// The answer to a reset.
#[derive(ApiResponse)]
pub(crate) enum Reset {
    /// A new session has begun.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Credits")]
impl Credits {
    /// My credits' token
    ///
    /// The same token every time, until it is rotated. Whoever has it can see the credits, and nothing else.
    #[oai(path = "/streamer/credits/token", method = "get", operation_id = "getCreditsToken")]
    async fn token(&self, app: Data<&App>, streamer: Streamer) -> Json<OverlayTokenView> {
        Json(view(&app, &streamer.channel))
    }

    /// Rotate my credits' token
    ///
    /// The old token stops working at once, open streams included; put the new address into OBS.
    #[oai(path = "/streamer/credits/token/rotate", method = "post", operation_id = "rotateCreditsToken")]
    async fn rotate(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<OverlayTokenView>, Problem> {
        let mut tx = app.db.begin().await?;
        let channel = credits::rotate_token(&mut tx, streamer.channel.id).await?;
        let version = |channel: &Channel| json!({ "version": channel.credits_token_version });
        let act = Act::new("rotate_credits_token").changing(version(&streamer.channel), version(&channel));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        app.sightings.forget(channel.credits_token_id);
        Ok(Json(view(&app, &channel)))
    }

    /// My credits
    ///
    /// Who wrote in the chat and who donated since the last reset: the same as `credits:state`.
    #[oai(path = "/streamer/credits/state", method = "get", operation_id = "getCreditsState")]
    async fn state(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<CreditsStateView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(credits::state(&mut conn, streamer.channel.id).await?.into()))
    }

    /// How my credits look
    #[oai(path = "/streamer/credits/settings", method = "get", operation_id = "getCreditsSettings")]
    async fn settings(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<CreditsSettings>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(credits::config(&mut conn, streamer.channel.id).await?.into()))
    }

    /// Change how my credits look
    ///
    /// The overlay gets the new `credits:config` at once. Without `creditsStyleJson` they look as they come.
    #[oai(path = "/streamer/credits/settings", method = "post", operation_id = "changeCreditsSettings")]
    async fn change_settings(
        &self,
        app: Data<&App>,
        streamer: Editor,
        settings: Json<CreditsSettings>,
    ) -> Result<Json<CreditsSettings>, Problem> {
        let mut tx = app.db.begin().await?;
        let before = CreditsSettings::from(credits::config(&mut tx, streamer.channel.id).await?);
        let config = credits::set_style(&mut tx, &streamer.channel, settings.credits_style_json.as_deref()).await?;
        let after = CreditsSettings::from(config);
        let act = Act::new("change_credits_settings").changing(shown(&before), shown(&after));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(after))
    }

    /// Empty my credits
    ///
    /// Begins a new session: who writes or donates from now on is new. The overlay hears of it within a second.
    #[oai(path = "/streamer/credits/reset", method = "post", operation_id = "resetCredits")]
    async fn reset(&self, app: Data<&App>, streamer: Editor) -> Result<Reset, Problem> {
        let mut tx = app.db.begin().await?;
        let sessions = credits::reset(&mut tx, streamer.channel.id).await?;
        let act = Act::new("reset_credits")
            .changing(json!({ "session": sessions.over }), json!({ "session": sessions.present }));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Reset::Done)
    }
}

fn view(app: &AppState, channel: &Channel) -> OverlayTokenView {
    let token = access::channel_token(&app.keys, Purpose::Credits, channel.id, channel.credits_token_version);
    let url = format!("{}/overlay/credits/t/{token}", app.settings.public_url);
    OverlayTokenView { token, url }
}
