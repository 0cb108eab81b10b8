//! What is not taken any more, on a channel or on all.

use domain::{
    moderation,
    submissions::blocks::{self, Target},
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
    app::{App, AppState},
    auth::{HouseModerator, Moderator},
    paging::{Listed, Page},
    problem::{ErrorCode, Problem},
    views::submissions::{BlockView, BlockWish},
};

pub(crate) struct Blocks;

/// The answer to a removal.
#[derive(ApiResponse)]
pub(crate) enum Removed {
    /// It is taken again.
    #[oai(status = 204)]
    Done,
}

#[OpenApi]
impl Blocks {
    /// What my channel does not take any more
    ///
    /// The newest first. The same bytes are refused (403 `CONTENT_BLOCKED`); what looks like them waits for a decision, whatever
    /// the review mode says, with the flag `similar_to_blocked`.
    #[oai(path = "/streamer/blocklist", method = "get", operation_id = "listBlocklist", tag = "Group::Streamer")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<BlockView>, Problem> {
        listed(&app, Some(streamer.channel.id), Page::new(limit.0, offset.0)?).await
    }

    /// Do not take this any more
    ///
    /// By one of my channel's memes or submissions, either of which stays what it is.
    #[oai(path = "/streamer/blocklist", method = "post", operation_id = "block", tag = "Group::Streamer")]
    async fn add(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        wish: Json<BlockWish>,
    ) -> Result<Json<BlockView>, Problem> {
        let target = target(&wish)?;
        let mut tx = app.db.begin().await?;
        let block = blocks::add(&mut tx, &by(&streamer.user), Some(streamer.channel.id), target).await?;
        tx.commit().await?;
        Ok(Json(block.into()))
    }

    /// Take it again
    #[oai(path = "/streamer/blocklist/:id", method = "delete", operation_id = "unblock", tag = "Group::Streamer")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The id on the list.
        id: Path<Uuid>,
    ) -> Result<Removed, Problem> {
        let mut tx = app.db.begin().await?;
        blocks::remove(&mut tx, &by(&streamer.user), Some(streamer.channel.id), id.0).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }

    /// What no channel takes any more
    #[oai(path = "/moderation/blocklist", method = "get", operation_id = "listGlobalBlocklist", tag = "Group::Owner")]
    async fn list_everywhere(
        &self,
        app: Data<&App>,
        _moderator: HouseModerator,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<BlockView>, Problem> {
        listed(&app, None, Page::new(limit.0, offset.0)?).await
    }

    /// Do not take this any more, on no channel
    ///
    /// By any channel's meme or submission. Memes of the same bytes are out of sight on all channels, leave all queues, and come
    /// back with `DELETE /moderation/blocklist/{id}`; what only looks like them stays.
    #[oai(path = "/moderation/blocklist", method = "post", operation_id = "blockEverywhere", tag = "Group::Owner")]
    async fn add_everywhere(
        &self,
        app: Data<&App>,
        moderator: HouseModerator,
        wish: Json<BlockWish>,
    ) -> Result<Json<BlockView>, Problem> {
        let target = target(&wish)?;
        let mut tx = app.db.begin().await?;
        let block = moderation::block(&mut tx, &by(&moderator.user), target).await?;
        tx.commit().await?;
        Ok(Json(block.into()))
    }

    /// Take it again, on all channels
    ///
    /// What the block has taken out of sight is back, but for what somebody has hidden or another block speaks of. Coins of what
    /// left the queues were given back and stay so.
    #[oai(
        path = "/moderation/blocklist/:id",
        method = "delete",
        operation_id = "unblockEverywhere",
        tag = "Group::Owner"
    )]
    async fn remove_everywhere(
        &self,
        app: Data<&App>,
        moderator: HouseModerator,
        /// The id on the list.
        id: Path<Uuid>,
    ) -> Result<Removed, Problem> {
        let mut tx = app.db.begin().await?;
        moderation::unblock(&mut tx, &by(&moderator.user), id.0).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }
}

async fn listed(app: &AppState, channel: Option<Uuid>, page: Page) -> Result<Listed<BlockView>, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let items = blocks::list(&mut conn, channel, page.limit, page.offset).await?;
    let total = blocks::count(&mut conn, channel).await?;
    Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
}

fn target(wish: &BlockWish) -> Result<Target, Problem> {
    let missing = || Problem::bad_request(ErrorCode::ValidationError, "memeId, submissionId: name one of them");
    wish.target().ok_or_else(missing)
}
