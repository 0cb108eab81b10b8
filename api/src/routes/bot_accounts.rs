//! Accounts that speak in chats: one for all channels, or a channel's own.

use domain::{
    acts::{self, Act},
    bot_accounts,
    entitlements::{self, Feature},
    identities::{self, Seat},
};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use serde_json::{Value, json};

use super::{
    Group,
    acts::{by, on_channel},
    identities::Sent,
};
use crate::{
    app::App,
    auth::{
        Admin, Moderator, Streamer, Viewer, Visitor,
        cookies::WithCookies,
        oauth::{self, Link},
    },
    problem::Problem,
    views::{
        bot_accounts::{BotAccountView, CustomBotView},
        bots::Provider,
    },
};

pub(crate) struct BotAccounts;

#[OpenApi(tag = "Group::Bots")]
impl BotAccounts {
    /// The account that speaks in my chat
    ///
    /// `enabled`: one of my own is linked. It speaks while I have the entitlement `custom_bot`; without it the one for all
    /// channels does, and `lockedBySubscription` is true.
    #[oai(path = "/streamer/bots/:provider/bot", method = "get", operation_id = "getMyBotAccount")]
    async fn mine(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The platform.
        provider: Path<Provider>,
    ) -> Result<Json<BotAccountView>, Problem> {
        let seat = Seat::Channel(streamer.channel.id);
        let mut conn = app.db.pool().acquire().await?;
        let found = bot_accounts::find(&mut conn, seat, provider.0.into()).await?;
        let entitled = is_entitled(&mut conn, &streamer.channel).await?;
        Ok(Json(BotAccountView::of(found, !entitled)))
    }

    /// Link an account that speaks in my chat
    ///
    /// Sends the browser to the platform, where it must log in as that account; it becomes one of my accounts, too. Needs the
    /// entitlement `custom_bot` (403 `SUBSCRIPTION_REQUIRED`) and a fresh proof, as every link; a browser is sent back to be told
    /// so.
    #[oai(path = "/streamer/bots/:provider/bot/link", method = "get", operation_id = "startMyBotLink")]
    async fn link_mine(
        &self,
        app: Data<&App>,
        request: &Request,
        visitor: Visitor<Streamer>,
        /// The platform.
        provider: Path<Provider>,
        /// Where the browser goes in the end: a path of this site, `/` if left out.
        redirect_to: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        let entitled = async {
            let streamer = visitor.0?;
            let mut conn = app.db.pool().acquire().await?;
            entitlements::require(&mut conn, Feature::CustomBot, &streamer.channel).await?;
            Ok((Viewer { id: streamer.user.id, session: streamer.session }, Seat::Channel(streamer.channel.id)))
        };
        link(&app, request, provider.0, redirect_to.0, entitled.await).await
    }

    /// Let the account for all channels speak in my chat again
    ///
    /// The account stays linked to me; it only speaks no more.
    #[oai(path = "/streamer/bots/:provider/bot", method = "delete", operation_id = "removeMyBotAccount")]
    async fn remove_mine(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The platform.
        provider: Path<Provider>,
    ) -> Result<Json<BotAccountView>, Problem> {
        let (seat, platform) = (Seat::Channel(streamer.channel.id), identities::Provider::from(provider.0));
        let mut tx = app.db.begin().await?;
        let gone = bot_accounts::remove(&mut tx, seat, platform).await?;
        let act = Act::new("remove_bot_account").with(gone.account_id);
        let act = act.changing(json!({ platform.as_str(): gone.login }), Value::Null);
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(BotAccountView::of(None, !is_entitled(&mut conn, &streamer.channel).await?)))
    }

    /// May my channel have an account of its own that speaks?
    #[oai(path = "/streamer/entitlements/custom-bot", method = "get", operation_id = "getMyCustomBotEntitlement")]
    async fn entitlement(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<CustomBotView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(CustomBotView { entitled: is_entitled(&mut conn, &streamer.channel).await? }))
    }

    /// The account for all channels
    #[oai(
        path = "/owner/bots/:provider/default/status",
        method = "get",
        operation_id = "getDefaultBot",
        tag = "Group::Owner"
    )]
    async fn default(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// The platform.
        provider: Path<Provider>,
    ) -> Result<Json<BotAccountView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let found = bot_accounts::find(&mut conn, Seat::Default, provider.0.into()).await?;
        Ok(Json(BotAccountView::of(found, false)))
    }

    /// Link the account for all channels
    ///
    /// As linking a channel's own: the browser must log in at the platform as that account. From then on nobody logs in here
    /// with it (403): who has an account that speaks everywhere is no admin by that. 409 `LAST_ACCOUNT` if it is their only way in.
    #[oai(
        path = "/owner/bots/:provider/default/link",
        method = "get",
        operation_id = "startDefaultBotLink",
        tag = "Group::Owner"
    )]
    async fn link_default(
        &self,
        app: Data<&App>,
        request: &Request,
        visitor: Visitor<Admin>,
        /// The platform.
        provider: Path<Provider>,
        /// Where the browser goes in the end: a path of this site, `/` if left out.
        redirect_to: Query<Option<String>>,
    ) -> Result<WithCookies<Sent>, Problem> {
        let who = visitor.0.map(|admin| (Viewer { id: admin.user.id, session: admin.session }, Seat::Default));
        link(&app, request, provider.0, redirect_to.0, who).await
    }

    /// Let no account speak for all channels any more
    ///
    /// Channels with one of their own go on; the others say nothing, unless the settings name an account.
    #[oai(
        path = "/owner/bots/:provider/default",
        method = "delete",
        operation_id = "removeDefaultBot",
        tag = "Group::Owner"
    )]
    async fn remove_default(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The platform.
        provider: Path<Provider>,
    ) -> Result<Json<BotAccountView>, Problem> {
        let platform = identities::Provider::from(provider.0);
        let mut tx = app.db.begin().await?;
        let gone = bot_accounts::remove(&mut tx, Seat::Default, platform).await?;
        let act = Act::new("remove_default_bot").with(gone.account_id);
        let act = act.changing(json!({ platform.as_str(): gone.login }), Value::Null);
        acts::note(&mut tx, &by(&admin.user), act).await?;
        tx.commit().await?;
        Ok(Json(BotAccountView::of(None, false)))
    }
}

async fn is_entitled(conn: &mut sqlx::PgConnection, channel: &domain::channels::Channel) -> Result<bool, Problem> {
    match entitlements::require(conn, Feature::CustomBot, channel).await {
        Ok(()) => Ok(true),
        Err(entitlements::EntitlementError::Missing(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn link(
    app: &App,
    request: &Request,
    provider: Provider,
    redirect_to: Option<String>,
    who: Result<(Viewer, Seat), Problem>,
) -> Result<WithCookies<Sent>, Problem> {
    let link = Link { provider: provider.into(), redirect_to: redirect_to.as_deref(), scopes: scopes(provider) };
    oauth::begin_link(app, request, &link, who.map(|(viewer, seat)| (viewer, Some(seat)))).await
}

/// What an account is asked for that shall speak, beside what every link asks for.
const fn scopes(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Twitch => &[
            "user:write:chat",
            "user:bot",
            "chat:read",
            "chat:edit",
            "moderator:manage:chat_messages",
            "moderator:manage:banned_users",
            "moderator:manage:warnings",
        ],
        Provider::YouTube => &["https://www.googleapis.com/auth/youtube.force-ssl"],
        Provider::Kick => &["chat:write"],
        Provider::Trovo => &["chat_send_self", "send_to_my_channel"],
        Provider::VkVideo => &["chat:message:send"],
    }
}
