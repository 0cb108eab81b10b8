//! What the bot of a channel does of itself, and the switch of old clients.

use domain::{acts::Act, bots, outbox};
use poem::web::Data;
use poem_openapi::{OpenApi, payload::Json};

use super::{
    Group,
    acts::{on_channel, shown},
    bots::switch,
};
use crate::{
    app::App,
    auth::{Editor, Moderator, Streamer},
    problem::Problem,
    views::bots::{BotView, FollowGreetingsPatch, FollowGreetingsView, Provider},
};

pub(crate) struct BotSettings;

#[OpenApi(tag = "Group::Bots")]
impl BotSettings {
    /// The switch of my bot on Twitch
    ///
    /// As old clients ask for it; `/streamer/bots` says the same of all platforms.
    #[oai(path = "/streamer/bot/subscription", method = "get", operation_id = "getBotSubscription")]
    async fn subscription(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<BotView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let all = bots::list(&mut conn, streamer.channel.id).await?;
        let twitch = all.into_iter().find(|bot| bot.provider == outbox::Provider::Twitch);
        Ok(Json(twitch.ok_or_else(|| Problem::internal("no switch of Twitch"))?.into()))
    }

    /// Switch my bot on Twitch on
    ///
    /// As old clients do it: the same as `PATCH /streamer/bots/twitch`.
    #[oai(path = "/streamer/bot/enable", method = "post", operation_id = "enableBot", deprecated)]
    async fn enable(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<BotView>, Problem> {
        switch(&app, &streamer, Provider::Twitch, true, None).await
    }

    /// Switch my bot on Twitch off
    ///
    /// As old clients do it: the same as `PATCH /streamer/bots/twitch`.
    #[oai(path = "/streamer/bot/disable", method = "post", operation_id = "disableBot", deprecated)]
    async fn disable(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<BotView>, Problem> {
        switch(&app, &streamer, Provider::Twitch, false, None).await
    }

    /// How my bot greets followers
    #[oai(path = "/streamer/bot/follow-greetings", method = "get", operation_id = "getFollowGreetings")]
    async fn greetings(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<FollowGreetingsView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(bots::greetings(&mut conn, streamer.channel.id).await?.into()))
    }

    /// Change how my bot greets followers
    ///
    /// Somebody who begins to follow on Twitch is greeted once, while the bot is on. An unknown variable in the template is
    /// 400.
    #[oai(path = "/streamer/bot/follow-greetings", method = "patch", operation_id = "changeFollowGreetings")]
    async fn change_greetings(
        &self,
        app: Data<&App>,
        streamer: Editor,
        patch: Json<FollowGreetingsPatch>,
    ) -> Result<Json<FollowGreetingsView>, Problem> {
        change(&app, &streamer, patch.0.follow_greetings_enabled, patch.0.follow_greeting_template).await
    }

    /// Greet followers
    #[oai(path = "/streamer/bot/follow-greetings/enable", method = "post", operation_id = "enableFollowGreetings")]
    async fn enable_greetings(&self, app: Data<&App>, streamer: Editor) -> Result<Json<FollowGreetingsView>, Problem> {
        greet(&app, &streamer, true).await
    }

    /// Greet followers no more
    #[oai(path = "/streamer/bot/follow-greetings/disable", method = "post", operation_id = "disableFollowGreetings")]
    async fn disable_greetings(&self, app: Data<&App>, streamer: Editor) -> Result<Json<FollowGreetingsView>, Problem> {
        greet(&app, &streamer, false).await
    }
}

async fn greet(app: &App, streamer: &Editor, enabled: bool) -> Result<Json<FollowGreetingsView>, Problem> {
    change(app, streamer, Some(enabled), None).await
}

/// Changes what is given, and writes that down.
async fn change(
    app: &App,
    streamer: &Editor,
    enabled: Option<bool>,
    template: Option<String>,
) -> Result<Json<FollowGreetingsView>, Problem> {
    let mut tx = app.db.begin().await?;
    let (before, after) = bots::change_greetings(&mut tx, streamer.channel.id, enabled, template).await?;
    let (before, after) = (FollowGreetingsView::from(before), FollowGreetingsView::from(after));
    let act = Act::new("change_follow_greetings").changing(shown(&before), shown(&after));
    on_channel(&mut tx, streamer, act).await?;
    tx.commit().await?;
    Ok(Json(after))
}
