//! People whose submissions a channel takes unseen.

use domain::submissions::trust;
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{Group, acts::by};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    problem::Problem,
    views::submissions::TrustedView,
};

pub(crate) struct Trust;

/// The answer to a removal.
#[derive(ApiResponse)]
pub(crate) enum Removed {
    /// What the person sends in waits for the team again, as the review mode says.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Streamer")]
impl Trust {
    /// Whom my channel trusts
    ///
    /// What these people send in is a meme as soon as its file is ready, unless a check has found something in it.
    #[oai(path = "/streamer/trusted-uploaders", method = "get", operation_id = "listTrustedUploaders")]
    async fn list(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<Vec<TrustedView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let trusted = trust::list(&mut conn, streamer.channel.id).await?;
        Ok(Json(trusted.into_iter().map(TrustedView::from).collect()))
    }

    /// Trust somebody
    ///
    /// From the next file on that is ready. At most 1,000 people.
    #[oai(path = "/streamer/trusted-uploaders/:userId", method = "put", operation_id = "trustUploader")]
    async fn put(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The person's id.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
    ) -> Result<Json<TrustedView>, Problem> {
        let mut tx = app.db.begin().await?;
        let by = by(&streamer.user);
        let trusted = trust::put(&mut tx, &by, streamer.user.id, &streamer.channel, user_id.0).await?;
        tx.commit().await?;
        Ok(Json(trusted.into()))
    }

    /// Trust somebody no more
    #[oai(path = "/streamer/trusted-uploaders/:userId", method = "delete", operation_id = "trustUploaderNoMore")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The person's id.
        #[oai(name = "userId")]
        user_id: Path<Uuid>,
    ) -> Result<Removed, Problem> {
        let mut tx = app.db.begin().await?;
        trust::remove(&mut tx, &by(&streamer.user), &streamer.channel, user_id.0).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }
}
