//! Sending in again what needs changes.

use domain::{
    bans, channels, media,
    requests::{Request, Stored},
    submissions::{self, NewFile, Resubmission, SubmissionError},
};
use poem::{http::StatusCode, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
    types::ToJSON as _,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{Group, submissions::Parcel};
use crate::{
    again,
    app::{App, AppState},
    auth::Viewer,
    form::{Form, Incoming},
    idempotency,
    problem::Problem,
    stored::Kept,
    views::submissions::SubmissionView,
};

pub(crate) struct Resubmissions;

#[OpenApi(tag = "Group::Memes")]
impl Resubmissions {
    /// Send a meme in again
    ///
    /// What the channel's team has asked changes of waits for a decision again, as its next revision: with another title,
    /// notes or tags, and with another file if there is one in the form; what is absent stays. 409 for a submission that
    /// nobody has asked changes of, and when it was sent in again as often as it may be.
    #[oai(path = "/submissions/:id/resubmit", method = "post", operation_id = "resubmitMeme")]
    async fn resubmit(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The submission's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this: repeated, it is not sent in twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        incoming: Incoming<true>,
    ) -> Result<Kept<SubmissionView>, Problem> {
        let key = key.0;
        let form = incoming.read(&app.blobs, app.settings.max_upload_bytes).await?;
        // Before anything of it is kept; the transaction looks again.
        let mut conn = app.db.pool().acquire().await?;
        let found = submissions::find(&mut conn, id.0).await?.filter(|found| found.submitter_id == viewer.id);
        let found = found.ok_or(SubmissionError::NotFound)?;
        let channel = channels::find(&mut conn, found.channel_id).await?.ok_or(SubmissionError::NotFound)?;
        let channel = channel.if_open()?;
        bans::refuse(&mut conn, channel.id, viewer.id).await?;
        drop(conn);
        Ok(keep(&app, viewer.id, id.0, key, form).await?.into())
    }
}

async fn keep(app: &AppState, viewer: Uuid, id: Uuid, key: Option<String>, mut form: Form) -> Result<Stored, Problem> {
    let (title, notes, tags) = (form.take_own_title(), form.notes.take(), form.tags.take());
    let claimed_duration_ms = form.duration_ms;
    let mut staged = None;
    let mut file = None;
    if form.has_file() {
        let (sent, container, kind) = form.into_file()?;
        let size = i64::try_from(sent.size).map_err(Problem::internal)?;
        file = Some(NewFile { kind, hash: sent.hash.to_string(), size, container, claimed_duration_ms });
        staged = Some(sent);
    }
    let changes = Resubmission { title, notes, tags, file };
    changes.check()?;
    let mut parcel = None;
    if let Some(staged) = staged {
        parcel = Some(Parcel::send(app, staged).await?);
    }
    let request = key.map(|key| Request::new(viewer, "resubmit", key, question(id, &changes).as_bytes()));
    for pause in again::pauses() {
        match send(app, viewer, id, &changes, request.as_ref(), &mut parcel).await {
            Err(problem) if problem.is_sacrificed() => sleep(pause).await,
            sent => return sent,
        }
    }
    send(app, viewer, id, &changes, request.as_ref(), &mut parcel).await
}

/// One try; the file is published by the first that comes so far.
async fn send(
    app: &AppState,
    viewer: Uuid,
    id: Uuid,
    changes: &Resubmission,
    request: Option<&Request>,
    parcel: &mut Option<Parcel>,
) -> Result<Stored, Problem> {
    let mut tx = app.db.begin().await?;
    if let Some(stored) = idempotency::claim(&mut tx, request).await? {
        return Ok(stored);
    }
    if let (Some(file), Some(parcel)) = (&changes.file, parcel) {
        media::hold(&mut tx, &file.hash).await?;
        parcel.publish(app).await?;
    }
    let after = submissions::resubmit(&mut tx, viewer, id, changes, app.settings.max_resubmits).await;
    let after = match after {
        Ok(after) => after,
        Err(error) => return idempotency::refuse(&app.db, tx, request, error.into()).await,
    };
    let body = SubmissionView::from(after).to_json_string();
    let stored = Stored { status: StatusCode::OK.as_u16(), body };
    idempotency::keep(&mut tx, request, &stored).await?;
    tx.commit().await?;
    Ok(stored)
}

/// All that decides what becomes of it.
fn question(id: Uuid, changes: &Resubmission) -> String {
    let file = changes.file.as_ref();
    serde_json::json!([
        id,
        changes.title,
        changes.notes,
        changes.tags,
        file.map(|file| (file.kind.as_str(), &file.hash, file.claimed_duration_ms)),
    ])
    .to_string()
}
