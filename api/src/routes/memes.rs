//! The streamer's own memes.

use domain::{
    acts::Act,
    channels::Channel,
    memes::{self, Meme},
    playback::{self, Unwanted},
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
    catalogue::Asked,
};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    paging::Paged,
    problem::{ErrorCode, Problem},
    views::memes::{MemeOrder, MemePatch, MemeType, MemeView},
};

pub(crate) struct Memes;

/// The answer to a removal.
#[derive(ApiResponse)]
pub(crate) enum Removed {
    /// It is off the list, and what waited of it off the queue.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Streamer")]
impl Memes {
    /// My channel's memes
    #[oai(path = "/streamer/memes", method = "get", operation_id = "listMyMemes")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn mine(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// Newest when absent.
        sort: Query<Option<MemeOrder>>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Coins, before promotions.
        #[oai(name = "minPrice")]
        min_price: Query<Option<i64>>,
        /// Coins, before promotions.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<i64>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let asked = Asked::new(sort.0, kind.0, tag.0, min_price.0, max_price.0)?;
        let leaf = asked.leaf(limit.0, offset.0, cursor.0.as_deref())?;
        let mut conn = app.db.pool().acquire().await?;
        asked.list(&mut conn, &streamer.channel, &leaf).await
    }

    /// Change a meme
    ///
    /// Title, price, how loud it is, and how often it may be played. What was placed before plays on as it was bought.
    #[oai(path = "/streamer/memes/:id", method = "patch", operation_id = "changeMeme")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The meme's id.
        id: Path<Uuid>,
        patch: Json<MemePatch>,
    ) -> Result<Json<MemeView>, Problem> {
        let mut tx = app.db.begin().await?;
        let discount = promotions::best_running(&mut tx, streamer.channel.id, None).await?;
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
    /// What waits of it leaves the queue, and its coins go back; what plays is shown to its end. For a week
    /// `/streamer/memes/{id}/restore` brings it back.
    #[oai(path = "/streamer/memes/:id", method = "delete", operation_id = "deleteMeme")]
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
        playback::order_take_down(&mut tx, &Unwanted::Meme(id.0)).await?;
        on_channel(&mut tx, &streamer, Act::new("delete_meme").with(id.0).changing(shown(&before), Value::Null))
            .await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }

    /// Bring a deleted meme back
    ///
    /// As it was, within a week. What waited of it is not placed again: its coins went back. 404 `MEME_NOT_FOUND` when there is
    /// none, or when the house has taken its file out of sight.
    #[oai(path = "/streamer/memes/:id/restore", method = "post", operation_id = "restoreMeme")]
    async fn restore(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The meme's id.
        id: Path<Uuid>,
    ) -> Result<Json<MemeView>, Problem> {
        let mut tx = app.db.begin().await?;
        if !memes::restore(&mut tx, streamer.channel.id, id.0).await? {
            return Err(Problem::not_found(ErrorCode::MemeNotFound, "your channel has deleted no such meme this week"));
        }
        let discount = promotions::best_running(&mut tx, streamer.channel.id, None).await?;
        let meme = own(&mut tx, &streamer.channel, id.0).await?;
        let view = MemeView::new(meme, &streamer.channel, discount);
        on_channel(&mut tx, &streamer, Act::new("restore_meme").with(id.0).changing(Value::Null, shown(&view))).await?;
        tx.commit().await?;
        Ok(Json(view))
    }
}

/// Somebody else's meme is none.
async fn own(conn: &mut PgConnection, channel: &Channel, id: Uuid) -> Result<Meme, Problem> {
    let meme = memes::find(conn, id).await?.filter(|meme| meme.channel_id == channel.id);
    meme.ok_or_else(|| Problem::not_found(ErrorCode::MemeNotFound, "your channel has no such meme"))
}
