//! Whom a channel's team keeps off its memes.

use domain::{
    acts, bans,
    playback::{self, Unwanted},
    submissions,
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Group, acts::by};
use crate::{
    app::App,
    auth::Moderator,
    paging::{Listed, Page},
    problem::Problem,
    views::bans::{BanView, BanWish},
};

pub(crate) struct Bans;

/// The answer to the end of a ban.
#[derive(ApiResponse)]
pub(crate) enum Removed {
    /// The person may play and send in again.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Streamer")]
impl Bans {
    /// Whom my channel keeps off
    ///
    /// The latest first.
    #[oai(path = "/streamer/bans", method = "get", operation_id = "listChannelBans")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<BanView>, Problem> {
        let page = Page::new(limit.0, offset.0)?;
        let mut conn = app.db.pool().acquire().await?;
        let items = bans::list(&mut conn, streamer.channel.id, page.limit, page.offset).await?;
        let total = bans::count(&mut conn, streamer.channel.id).await?;
        Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
    }

    /// Keep somebody off my channel's memes
    ///
    /// The person plays none of them and sends none in: both is 403 `BANNED_FROM_CHANNEL` then. What the person has waiting or
    /// playing here leaves the queue and the screen, and its coins go back; what the person has sent in and nobody has decided
    /// about is rejected. Coins stay, and so does everything on other channels. At most 10,000 people; nobody of the team.
    #[oai(path = "/streamer/bans/:userId", method = "put", operation_id = "banFromChannel")]
    async fn put(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The person's id.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
        wish: Json<BanWish>,
    ) -> Result<Json<BanView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (by, reason) = (by(&streamer.user), acts::reason(wish.reason.as_deref()));
        let (channel, user) = (&streamer.channel, user_id.0);
        let (ban, is_news) = bans::put(&mut tx, &by, streamer.user.id, channel, user, reason.as_deref()).await?;
        if is_news {
            submissions::order_rejection(&mut tx, user, Some(channel.id)).await?;
            playback::order_take_down(&mut tx, &Unwanted::PersonHere { person: user, channel: channel.id }).await?;
        }
        tx.commit().await?;
        Ok(Json(ban.into()))
    }

    /// Let somebody in again
    ///
    /// Within seven days of the ban, what it has rejected of the person's submissions is what it was before; coins of what left the
    /// queue stay given back.
    #[oai(path = "/streamer/bans/:userId", method = "delete", operation_id = "unbanFromChannel")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The person's id.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
    ) -> Result<Removed, Problem> {
        let mut tx = app.db.begin().await?;
        bans::remove(&mut tx, &by(&streamer.user), &streamer.channel, user_id.0).await?;
        submissions::order_return(&mut tx, user_id.0).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }
}
