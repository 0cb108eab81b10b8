//! What people ask of us about themselves: a copy of everything, and to be forgotten.

#![allow(clippy::duplicated_attributes, reason = "several headers with the same kind of description")]

use blobs::Hash;
use domain::{
    acts::{self, Act},
    privacy::{self, PrivacyError},
};
use poem::{Body, Request, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::Path,
    payload::{Binary, Json},
};
use uuid::Uuid;

use super::{Group, acts::by_id};
use crate::{
    app::App,
    auth::{Viewer, proof},
    language,
    limits::OnlyHead,
    problem::Problem,
    views::privacy::ExportView,
};

pub(crate) struct Privacy;

/// The answer to a wish for an export.
#[derive(ApiResponse)]
pub(crate) enum Ordered {
    /// It is being made, or it is there already: `GET /users/me/exports/{id}` tells.
    #[oai(status = 202)]
    Accepted(Json<ExportView>),
}

/// The answer to a wish to be forgotten.
#[derive(ApiResponse)]
pub(crate) enum Erasing {
    /// Nobody can log in as me any more; the rest follows within minutes, and what other channels' logs of events tell goes
    /// within a day.
    #[oai(status = 202)]
    Accepted,
}

/// An archive.
#[derive(ApiResponse)]
pub(crate) enum Archive {
    /// A ZIP file: tables as JSON, and files.
    #[oai(status = 200)]
    Whole(
        Binary<Body>,
        /// `application/zip`.
        #[oai(header = "Content-Type")]
        String,
        /// Bytes.
        #[oai(header = "Content-Length")]
        i64,
        /// A name for the file.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

#[OpenApi(tag = "Group::Accounts")]
impl Privacy {
    /// A copy of everything about me
    ///
    /// An archive with all that there is about me, secrets left out, and with my own files. It is made in the background,
    /// waits for a week, and for an hour once somebody has begun to download it; after that another one is made, a day later
    /// at the soonest. While one is being made or waits, the answer is that one.
    #[oai(path = "/users/me/export", method = "post", operation_id = "exportMe")]
    async fn export(&self, app: Data<&App>, viewer: Viewer) -> Result<Ordered, Problem> {
        proof::lately(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let export = privacy::request(&mut tx, viewer.id).await?;
        acts::note(&mut tx, &by_id(viewer.id), Act::new("export").to(viewer.id).with(export.id)).await?;
        tx.commit().await?;
        Ok(Ordered::Accepted(Json(export.into())))
    }

    /// How far my export is
    #[oai(path = "/users/me/exports/:id", method = "get", operation_id = "getMyExport")]
    async fn status(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The export's id.
        id: Path<Uuid>,
    ) -> Result<Json<ExportView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let export = privacy::find_export(&mut conn, viewer.id, id.0).await?;
        Ok(Json(export.ok_or(PrivacyError::NoExport)?.into()))
    }

    /// Download my export
    ///
    /// Within a week, and only for whoever has proven lately that it is them. An hour after the first download begins it is gone.
    #[oai(path = "/users/me/exports/:id/file", method = "get", operation_id = "downloadMyExport")]
    async fn download(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        /// The export's id.
        id: Path<Uuid>,
    ) -> Result<Archive, Problem> {
        proof::lately(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let (name, size) = privacy::take(&mut tx, viewer.id, id.0).await?;
        let storage = |error| Problem::storage(&error);
        let hash: Hash = name.parse().map_err(Problem::internal)?;
        let blob = app.blobs.open(&hash).await.map_err(storage)?;
        let blob = blob.ok_or_else(|| Problem::missing_file(hash))?;
        let length = blob.size;
        let reader = blob.into_range(0, length).await.map_err(storage)?;
        // Its hour begins, whether it arrives or not; a head gives nothing out.
        if request.data::<OnlyHead>().is_none() {
            tx.commit().await?;
        }
        let body = Binary(Body::from_async_read(reader));
        let file = format!("attachment; filename=\"memalerts-{}.zip\"", id.0);
        Ok(Archive::Whole(body, "application/zip".to_owned(), size, file))
    }

    /// Forget me
    ///
    /// Ends all my sessions, closes my channel, and erases everything that says something about me, in the background. A
    /// last mail says so. What must stay (coins that add up, memes in other people's channels) is nobody's then. There is
    /// no way back. Not for admins: another one takes the role away first.
    #[oai(path = "/users/me", method = "delete", operation_id = "forgetMe")]
    async fn forget(&self, app: Data<&App>, request: &Request, viewer: Viewer) -> Result<Erasing, Problem> {
        proof::lately(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let farewell = app.settings.sends_mails.then(|| language::of(request));
        privacy::ask_erasure(&mut tx, &app.vault, &by_id(viewer.id), viewer.id, farewell).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Erasing::Accepted)
    }
}
