//! What a channel's chats show, from all platforms.

use domain::{
    chat::{self, Filter},
    events,
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::Group;
use crate::{
    app::App,
    auth::Moderator,
    paging::Page,
    problem::{ErrorCode, Problem},
    views::{
        bots::Provider,
        messages::{MessageCategory, MessagePageView, MessageView, Pagination},
    },
};

pub(crate) struct Messages;

#[OpenApi(tag = "Group::Streamer")]
impl Messages {
    /// What my chats show
    ///
    /// Messages of all platforms in one list, the newest first, without those that were deleted there or whose author was sent away.
    /// They are kept for seven days; the newest 50,000 are looked through.
    #[oai(path = "/api/v1/messages", method = "get", operation_id = "listMessages")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// Of this platform alone.
        platform: Query<Option<Provider>>,
        /// What is such a message alone.
        category: Query<Option<MessageCategory>>,
        /// From 1, which is the default.
        page: Query<Option<i64>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Json<MessagePageView>, Problem> {
        let number = page.0.unwrap_or(1);
        if !(1..=i64::from(i32::MAX)).contains(&number) {
            return Err(Problem::bad_request(ErrorCode::ValidationError, format!("page: 1 to {}", i32::MAX)));
        }
        let limit = Page::new(limit.0, None)?.limit;
        let filter = Filter { platform: platform.0.map(Into::into), category: category.0.map(Into::into) };
        // A busy chat grows between two looks.
        let mut tx = events::snapshot(&app.db).await?;
        let channel = streamer.channel.id;
        let shown = chat::list(&mut tx, channel, &filter, limit, (number - 1) * limit).await?;
        let total = chat::count(&mut tx, channel, &filter).await?;
        tx.rollback().await?;
        let messages = shown.into_iter().map(MessageView::from).collect();
        Ok(Json(MessagePageView { messages, pagination: Pagination::new(number, limit, total) }))
    }

    /// A message of my chats
    #[oai(path = "/api/v1/messages/:id", method = "get", operation_id = "getMessage")]
    async fn get(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The message's id.
        id: Path<Uuid>,
    ) -> Result<Json<MessageView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let found = chat::find(&mut conn, streamer.channel.id, id.0).await?;
        let found = found
            .ok_or_else(|| Problem::not_found(ErrorCode::NotFound, "no chat of the channel shows this message"))?;
        Ok(Json(found.into()))
    }
}
