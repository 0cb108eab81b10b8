//! Memes that a viewer likes.

use domain::{
    channels,
    memes::{self, Order, Place},
    promotions,
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{Group, channels::open_by_id};
use crate::{
    app::App,
    auth::Viewer,
    paging::{Leaf, Paged},
    problem::{ErrorCode, Problem},
    views::memes::MemeView,
};

pub(crate) struct Favourites;

/// The answer to a change.
#[derive(ApiResponse)]
pub(crate) enum Noted {
    /// So it is.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Memes")]
impl Favourites {
    /// My favourites in a channel
    ///
    /// The last one kept first; what cannot be played any more is left out.
    #[oai(path = "/me/favourites", method = "get", operation_id = "listMyFavourites")]
    async fn list(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let fits = |place: &Place| place.is_in(Some(Order::Newest));
        let leaf = Leaf::new(limit.0, offset.0, cursor.0.as_deref(), fits)?;
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_id(&mut conn, channel_id.0).await?;
        let (after, asked, offset) = (leaf.after.as_ref(), leaf.asked(), leaf.page.offset);
        let found = memes::list_favourites(&mut conn, viewer.id, channel.id, after, asked, offset).await?;
        let total = memes::count_favourites(&mut conn, viewer.id, channel.id).await?;
        let discount = promotions::best_running(&mut conn, channel.id, Some(viewer.id)).await?;
        let view = |shown: memes::Shown| MemeView::new(shown.meme, &channel, discount).liked(true);
        leaf.show(found, total, |shown| shown.place.clone(), view)
    }

    /// Keep a meme among my favourites
    ///
    /// Once more changes nothing. 409 for whoever keeps 5000 already.
    #[oai(path = "/me/favourites/:id", method = "put", operation_id = "addMyFavourite")]
    async fn add(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The meme's id.
        id: Path<Uuid>,
    ) -> Result<Noted, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let found = memes::find(&mut conn, id.0).await?.filter(|meme| meme.status == memes::MemeStatus::Approved);
        let unknown = || Problem::not_found(ErrorCode::MemeNotFound, "there is no such meme");
        let meme = found.ok_or_else(unknown)?;
        let channel = channels::find(&mut conn, meme.channel_id).await?;
        channel.and_then(|channel| channel.if_open().ok()).ok_or_else(unknown)?;
        if !memes::add_favourite(&mut conn, viewer.id, meme.id, meme.channel_id).await? {
            let detail = format!("you keep {} memes already", memes::MOST_FAVOURITES);
            return Err(Problem::conflict(ErrorCode::Conflict, detail));
        }
        Ok(Noted::Done)
    }

    /// Keep a meme no more
    #[oai(path = "/me/favourites/:id", method = "delete", operation_id = "removeMyFavourite")]
    async fn remove(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The meme's id.
        id: Path<Uuid>,
    ) -> Result<Noted, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        memes::remove_favourite(&mut conn, viewer.id, id.0).await?;
        Ok(Noted::Done)
    }
}
