//! What can be played.

use domain::{
    acts::Act,
    channels::{self, Channel},
    memes::{self, Meme},
    promotions,
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Group,
    acts::{on_channel, shown},
    channels::open_by_slug,
};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    paging::{Listed, Page},
    problem::{ErrorCode, Problem},
    views::memes::{MemePatch, MemeView},
};

pub(crate) struct Memes;

/// The answer to a removal.
#[derive(ApiResponse)]
pub(crate) enum Removed {
    /// It is off the list; what was placed before still plays.
    #[oai(status = 204)]
    Done,
}

#[OpenApi]
impl Memes {
    /// A channel's memes
    ///
    /// What viewers can play, the newest first.
    #[oai(path = "/channels/:slug/memes", method = "get", operation_id = "listChannelMemes", tag = "Group::Memes")]
    async fn of_channel(
        &self,
        app: Data<&App>,
        /// The channel's slug.
        slug: Path<String>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<MemeView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_slug(&mut conn, &slug).await?;
        list(&mut conn, &channel, page).await
    }

    /// Memes of the channel with this id
    #[oai(path = "/memes", method = "get", operation_id = "listMemes", tag = "Group::Memes")]
    async fn list(
        &self,
        app: Data<&App>,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<MemeView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let channel = channels::find(&mut conn, channel_id.0).await?;
        let channel =
            channel.ok_or_else(|| Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel"))?;
        list(&mut conn, &channel.if_open()?, page).await
    }

    /// My channel's memes
    #[oai(path = "/streamer/memes", method = "get", operation_id = "listMyMemes", tag = "Group::Streamer")]
    async fn mine(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<MemeView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        list(&mut conn, &streamer.channel, page).await
    }

    /// Change a meme
    ///
    /// Title, price, and how often it may be played. What was placed before plays on as it was bought.
    #[oai(path = "/streamer/memes/:id", method = "patch", operation_id = "changeMeme", tag = "Group::Streamer")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The meme's id.
        id: Path<Uuid>,
        patch: Json<MemePatch>,
    ) -> Result<Json<MemeView>, Problem> {
        let mut tx = app.db.begin().await?;
        let discount = promotions::best_running(&mut tx, streamer.channel.id).await?;
        let before = MemeView::new(own(&mut tx, &streamer.channel, id.0).await?, &streamer.channel, discount);
        let meme = memes::update(&mut tx, id.0, &patch.0.into()).await?;
        let after = MemeView::new(meme, &streamer.channel, discount);
        let act = Act::new("change_meme").changing(shown(&before), shown(&after));
        on_channel(&mut tx, &streamer, act.with(id.0)).await?;
        tx.commit().await?;
        Ok(Json(after))
    }

    /// Take a meme off the list
    ///
    /// What was placed before still plays.
    #[oai(path = "/streamer/memes/:id", method = "delete", operation_id = "deleteMeme", tag = "Group::Streamer")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The meme's id.
        id: Path<Uuid>,
    ) -> Result<Removed, Problem> {
        let mut tx = app.db.begin().await?;
        let before = MemeView::new(own(&mut tx, &streamer.channel, id.0).await?, &streamer.channel, 0);
        memes::delete(&mut tx, id.0).await?;
        on_channel(&mut tx, &streamer, Act::new("delete_meme").with(id.0).changing(shown(&before), Value::Null))
            .await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }
}

async fn list(conn: &mut PgConnection, channel: &Channel, page: Page) -> Result<Listed<MemeView>, Problem> {
    let memes = memes::list_of_channel(&mut *conn, channel.id, page.limit, page.offset).await?;
    let total = memes::count_of_channel(&mut *conn, channel.id).await?;
    let discount = promotions::best_running(conn, channel.id).await?;
    Ok(Listed::new(page, memes.into_iter().map(|meme| MemeView::new(meme, channel, discount)).collect(), total))
}

/// Somebody else's meme is none.
async fn own(conn: &mut PgConnection, channel: &Channel, id: Uuid) -> Result<Meme, Problem> {
    let meme = memes::find(conn, id).await?.filter(|meme| meme.channel_id == channel.id);
    meme.ok_or_else(|| Problem::not_found(ErrorCode::MemeNotFound, "your channel has no such meme"))
}
