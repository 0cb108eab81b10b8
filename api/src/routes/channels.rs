//! Channels: as everybody sees them, and as their streamer keeps them.

use domain::{
    accounts::Role,
    acts::{self, Act},
    channels::{self, Channel},
};
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Group,
    acts::{by_id, on_channel, shown},
};
use crate::{
    app::App,
    auth::{Editor, Moderator, Viewer},
    problem::{ErrorCode, Problem},
    views::channels::{ChannelSettingsView, ChannelView, LiveWish, NewChannel, SettingsPatch},
};

pub(crate) struct Channels;

/// The answer to "open a channel".
#[derive(ApiResponse)]
pub(crate) enum Opened {
    /// The channel is open; you are a streamer now.
    #[oai(status = 201)]
    Created(Json<ChannelSettingsView>),
}

#[OpenApi]
impl Channels {
    /// A channel
    ///
    /// The channel's public face; the slug is found in any case. 404 while it is closed, because its owner is banned or no
    /// streamer any more.
    #[oai(path = "/channels/:slug", method = "get", operation_id = "getChannel", tag = "Group::Channels")]
    async fn channel(
        &self,
        app: Data<&App>,
        /// The channel's slug.
        slug: Path<String>,
    ) -> Result<Json<ChannelView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(open_by_slug(&mut conn, &slug).await?.into()))
    }

    /// A channel, for everybody
    ///
    /// As `/channels/{slug}`.
    #[oai(path = "/public/channels/:slug", method = "get", operation_id = "getPublicChannel", tag = "Group::Channels")]
    async fn public(
        &self,
        app: Data<&App>,
        /// The channel's slug.
        slug: Path<String>,
    ) -> Result<Json<ChannelView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(open_by_slug(&mut conn, &slug).await?.into()))
    }

    /// Open a channel
    ///
    /// The person becomes a streamer. One channel a person; 409 when there is one already or the slug is taken.
    #[oai(path = "/channels", method = "post", operation_id = "openChannel", tag = "Group::Channels")]
    async fn open(&self, app: Data<&App>, viewer: Viewer, wish: Json<NewChannel>) -> Result<Opened, Problem> {
        let mut tx = app.db.begin().await?;
        let name = wish.name.as_deref().unwrap_or(&wish.slug);
        let channel = channels::open(&mut tx, viewer.id, &wish.slug, name).await?;
        // It also makes a streamer of the person.
        let act = Act::new("open_channel").to(viewer.id).on(channel.id);
        let act = act.changing(Value::Null, json!({ "slug": channel.slug, "role": Role::Streamer.as_str() }));
        acts::note(&mut tx, &by_id(viewer.id), act).await?;
        tx.commit().await?;
        Ok(Opened::Created(Json(channel.into())))
    }

    /// My channel's settings
    #[oai(
        path = "/streamer/channel/settings",
        method = "get",
        operation_id = "getChannelSettings",
        tag = "Group::Streamer"
    )]
    async fn settings(&self, streamer: Moderator) -> Json<ChannelSettingsView> {
        Json(streamer.channel.clone().into())
    }

    /// Change my channel's settings
    ///
    /// Only what is given changes; overlays get the new `overlay:config` at once, and panel and public `submissions:status`
    /// when it is about submissions.
    #[oai(
        path = "/streamer/channel/settings",
        method = "patch",
        operation_id = "changeChannelSettings",
        tag = "Group::Streamer"
    )]
    async fn change_settings(
        &self,
        app: Data<&App>,
        streamer: Editor,
        patch: Json<SettingsPatch>,
    ) -> Result<Json<ChannelSettingsView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = channels::change_settings(&mut tx, streamer.channel.id, &patch.0.into()).await?;
        let (before, after) = (ChannelSettingsView::from(before), ChannelSettingsView::from(after));
        let act = Act::new("change_channel_settings").changing(shown(&before), shown(&after));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(after))
    }

    /// Say whether I am live
    ///
    /// What is for live streams only (`submissionsOnlyWhenLive`) goes by it, until it is said otherwise.
    #[oai(path = "/streamer/channel/live", method = "put", operation_id = "setLive", tag = "Group::Streamer")]
    async fn set_live(
        &self,
        app: Data<&App>,
        streamer: Editor,
        wish: Json<LiveWish>,
    ) -> Result<Json<ChannelSettingsView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, channel) = channels::set_live(&mut tx, streamer.channel.id, wish.live).await?;
        let live = |channel: &Channel| json!({ "live": channel.live_since.is_some() });
        let act = Act::new("set_live").changing(live(&before), live(&channel));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(channel.into()))
    }
}

/// The channel with this slug, or 404.
pub(crate) async fn by_slug(conn: &mut PgConnection, slug: &str) -> Result<Channel, Problem> {
    channels::find_by_slug(conn, slug).await?.ok_or_else(|| unknown(slug))
}

fn unknown(slug: &str) -> Problem {
    // As much of it as a slug has.
    let asked: String = slug.chars().take(50).collect();
    Problem::not_found(ErrorCode::ChannelNotFound, format!("there is no channel {asked:?}"))
}

/// As [`by_slug`], if it is open.
pub(crate) async fn open_by_slug(conn: &mut PgConnection, slug: &str) -> Result<Channel, Problem> {
    // Nobody is told why it is closed.
    by_slug(conn, slug).await?.if_open().map_err(|_| unknown(slug))
}

/// The open channel with this id, or 404.
pub(crate) async fn open_by_id(conn: &mut PgConnection, id: Uuid) -> Result<Channel, Problem> {
    let channel = channels::find(conn, id).await?;
    let channel = channel.ok_or_else(|| Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel"))?;
    Ok(channel.if_open()?)
}
