//! The streamer's chat bots: their switches, what they say, and what became of it.

use domain::{acts::Act, bots, outbox};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
    payload::Json,
};
use serde_json::json;
use uuid::Uuid;

use super::{Group, acts::on_channel};
use crate::{
    app::App,
    auth::{Editor, Moderator, Streamer},
    idempotency,
    problem::{ErrorCode, Problem},
    stored::Kept,
    views::bots::{
        BotPatch, BotView, DiagnosticsView, OutboxView, Provider, SaidView, Say, Sending, VkvideoCandidate,
        VkvideoCandidatesView,
    },
    vkvideo,
};

pub(crate) struct Bots;

#[OpenApi(tag = "Group::Bots")]
impl Bots {
    /// My bots
    ///
    /// The switch of each platform's bot.
    #[oai(path = "/streamer/bots", method = "get", operation_id = "listBots")]
    async fn list(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<Vec<BotView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let bots = bots::list(&mut conn, streamer.channel.id).await?;
        Ok(Json(bots.into_iter().map(BotView::from).collect()))
    }

    /// Switch a bot on or off
    ///
    /// An enabled bot joins the chat within seconds. Each platform needs an account of mine that is linked here (Twitch:
    /// `TWITCH_CHANNEL_NOT_LINKED`); of an account with several channels on VK Video `vkvideoChannelUrl` says which. YouTube,
    /// Trovo and Kick are not there yet (`FEATURE_NOT_AVAILABLE`).
    #[oai(path = "/streamer/bots/:provider", method = "patch", operation_id = "switchBot")]
    async fn switch(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The platform.
        provider: Path<Provider>,
        patch: Json<BotPatch>,
    ) -> Result<Json<BotView>, Problem> {
        let home = match provider.0 {
            Provider::Twitch => None,
            Provider::VkVideo if patch.enabled => {
                vkvideo::home(&app, &streamer, patch.vkvideo_channel_url.as_deref()).await?
            }
            Provider::VkVideo => None,
            Provider::YouTube | Provider::Trovo | Provider::Kick => {
                let detail = "the bot of this platform is not available yet";
                return Err(Problem::not_found(ErrorCode::FeatureNotAvailable, detail));
            }
        };
        switch(&app, &streamer, provider.0, patch.enabled, home.as_ref()).await
    }

    /// My channels on VK Video
    ///
    /// Those of the accounts that I have linked here, for `vkvideoChannelUrl` of the switch. Nothing while none is linked. 503
    /// while VK Video does not answer.
    #[oai(path = "/streamer/bots/vkvideo/candidates", method = "get", operation_id = "listVkvideoCandidates")]
    async fn candidates(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<VkvideoCandidatesView>, Problem> {
        let found = vkvideo::channels_of(&app, &streamer).await?;
        Ok(Json(VkvideoCandidatesView { items: found.into_iter().map(VkvideoCandidate::from).collect() }))
    }

    /// Why my bot is silent
    ///
    /// What must hold so that it reads and writes, as it is now, and what to do where it does not.
    #[oai(path = "/streamer/bots/:provider/diagnostics", method = "get", operation_id = "diagnoseBot")]
    async fn diagnose(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The platform.
        provider: Path<Provider>,
    ) -> Result<Json<DiagnosticsView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let found = bots::diagnose(&mut conn, &streamer.channel, provider.0.into(), &app.settings.bots).await?;
        let processes = queue::admin::serving(&mut conn, "outbox").await?;
        let paused = queue::admin::paused(&mut conn, "outbox").await?;
        let sending =
            Sending { processes, paused: paused.map(|why| why.unwrap_or_else(|| "no reason is given".to_owned())) };
        let now = queue::admin::now(&mut conn).await?;
        Ok(Json(DiagnosticsView::new(found, &sending, now)))
    }

    /// Say something in the chat
    ///
    /// The message waits in the outbox and is said once, after those before it. 400 with `enabledProviders` when several
    /// bots are enabled and none is named; 400 `BOT_DISABLED` when the bot is off. What begins like an order to the
    /// platform (`/ban`, `.ban`) is 400: bots give none. Send an `Idempotency-Key`: repeating the request with the same key
    /// gives the first answer again and says nothing twice.
    #[oai(path = "/streamer/bot/say", method = "post", operation_id = "say")]
    async fn say(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// 1 to 128 visible characters of your choice that name this message.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        say: Json<Say>,
    ) -> Result<Kept<SaidView>, Problem> {
        let (channel, provider) = (streamer.channel.id, say.provider.map(outbox::Provider::from));
        let question = json!([channel, provider.map(outbox::Provider::as_str), say.message]);
        let request = idempotency::request(key.0, streamer.user.id, "say", &question);
        let said = idempotency::once(&app.db, request.as_ref(), async |tx| {
            let message = bots::say(tx, channel, provider, &say.message).await?;
            on_channel(tx, &streamer, Act::new("say").with(message.id)).await?;
            Ok::<_, Problem>(SaidView::from(message))
        });
        Ok(said.await?.into())
    }

    /// What became of a message
    ///
    /// 404 for a message of another channel, or that went to another platform.
    #[oai(path = "/streamer/bot/outbox/:provider/:id", method = "get", operation_id = "getOutboxMessage")]
    async fn outbox(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The platform that the message went to.
        provider: Path<Provider>,
        /// From the answer to "say".
        id: Path<Uuid>,
    ) -> Result<Json<OutboxView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let message = outbox::find(&mut conn, streamer.channel.id, provider.0.into(), id.0).await?;
        let message = message.ok_or_else(|| Problem::not_found(ErrorCode::NotFound, "there is no such message"))?;
        Ok(Json(message.into()))
    }
}

/// Switches the bot on a platform, and writes that down.
pub(super) async fn switch(
    app: &App,
    streamer: &Streamer,
    provider: Provider,
    enabled: bool,
    home: Option<&bots::Found>,
) -> Result<Json<BotView>, Problem> {
    let provider = outbox::Provider::from(provider);
    let mut tx = app.db.begin().await?;
    let (before, integration) = bots::switch(&mut tx, &streamer.channel, provider, enabled, home).await?;
    let name = provider.as_str();
    let act = Act::new("switch_bot").changing(json!({ name: before }), json!({ name: enabled }));
    on_channel(&mut tx, streamer, act).await?;
    tx.commit().await?;
    Ok(Json(integration.into()))
}
