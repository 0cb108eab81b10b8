//! Sending memes in.

use std::time::Duration;

use blobs::{Hash, Staged};
use domain::{
    bans,
    channels::{self, Channel},
    media,
    requests::Request,
    submissions::{self, NewSubmission, Submission, UploadState},
    teams::{self, TeamRole},
};
use poem::web::Data;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Group;
use crate::{
    again,
    app::{App, AppState},
    auth::Viewer,
    form::{Form, Incoming},
    idempotency,
    paging::{Listed, Page},
    problem::{ErrorCode, Problem},
    views::submissions::SubmissionView,
};

/// No request waits longer for a verdict.
const LONGEST_WAIT: u64 = 30;
/// How often a waiting request looks although nobody woke it.
const LOOK: Duration = Duration::from_millis(500);

pub(crate) struct Submissions;

/// The answer to a submission.
#[derive(ApiResponse)]
pub(crate) enum Submitted {
    /// It is a meme now (only after `Prefer: wait`).
    #[oai(status = 201)]
    Ready(Json<SubmissionView>),
    /// It is being worked on, or waits for a decision: `GET /submissions/{id}` tells how far it is.
    #[oai(status = 202)]
    Accepted(Json<SubmissionView>),
}

#[OpenApi]
impl Submissions {
    /// Send in a meme
    ///
    /// The file is checked at its first bytes, stored, then probed and encoded anew by jobs; the answer comes before
    /// that. What the channel's owner and editors send in is a meme when it is ready; what viewers send in then waits for
    /// the decision of the channel's team. With `Prefer: wait=5` the answer comes when the file is ready, if it is within
    /// 5 s: 201 for a meme, 202 for what waits for a decision, or the problem that the file has (400 `INVALID_FILE_CONTENT`, 413 `VIDEO_TOO_LONG`). Too large is 413 `FILE_TOO_LARGE` at the first byte
    /// over the limit; a content type that is not taken is 400 `INVALID_FILE_TYPE`; one that does not go with `type` is
    /// 400 `INVALID_MEDIA_TYPE`; bytes that are not what content type or `type` say are 400 `INVALID_FILE_CONTENT`, with
    /// or without a `type`.
    #[oai(path = "/submissions", method = "post", operation_id = "submitMeme", tag = "Group::Memes")]
    async fn submit(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// 1 to 128 visible characters of your choice that name this submission: repeated, it is not made twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        /// `wait=N`: answer with the verdict if there is one within N seconds, at most 30.
        #[oai(name = "Prefer")]
        prefer: Header<Option<String>>,
        incoming: Incoming,
    ) -> Result<Submitted, Problem> {
        let key = key.0;
        let form = incoming.read(&app.blobs, app.settings.max_upload_bytes).await?;
        let channel = channel_of(&app, viewer.id, form.channel_id).await?;
        let id = keep(&app, viewer.id, &channel, key, form).await?;
        answer(&app, viewer.id, id, wait(prefer.0.as_deref())).await
    }

    /// My submissions
    ///
    /// The same as `/submissions/mine`, for old clients.
    #[oai(path = "/submissions", method = "get", operation_id = "listSubmissions", tag = "Group::Memes")]
    async fn list(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<SubmissionView>, Problem> {
        sent_by(&app, viewer, Page::new(limit.0, offset.0)?).await
    }

    /// My submissions
    ///
    /// What I have sent in, the newest first, with what the channels' teams had to say.
    #[oai(path = "/submissions/mine", method = "get", operation_id = "listMySubmissions", tag = "Group::Memes")]
    async fn mine(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Listed<SubmissionView>, Problem> {
        sent_by(&app, viewer, Page::new(limit.0, offset.0)?).await
    }

    /// A submission
    ///
    /// How far its file has come, why it failed if it did, and what was decided. For its sender and the channel's team.
    #[oai(path = "/submissions/:id", method = "get", operation_id = "getSubmission", tag = "Group::Memes")]
    async fn one(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The submission's id.
        id: Path<Uuid>,
    ) -> Result<Json<SubmissionView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(visible(&mut conn, viewer.id, id.0).await?.into()))
    }
}

/// The answer about a submission once its fate is known, or as it stands when the time is over.
pub(super) async fn answer(app: &App, viewer: Uuid, id: Uuid, wait: Duration) -> Result<Submitted, Problem> {
    let submission = verdict(app, viewer, id, wait).await?;
    match (submission.upload_state, submission.failure) {
        _ if submission.meme_id.is_some() => Ok(Submitted::Ready(Json(submission.into()))),
        (UploadState::Failed, Some(failure)) => {
            let detail = submission.failure_detail.unwrap_or_default();
            Err(Problem::from_failure(failure, detail).with("submissionId", submission.id.to_string()))
        }
        _ => Ok(Submitted::Accepted(Json(submission.into()))),
    }
}

async fn sent_by(app: &AppState, viewer: Viewer, page: Page) -> Result<Listed<SubmissionView>, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let items = submissions::list_of_submitter(&mut conn, viewer.id, page.limit, page.offset).await?;
    let total = submissions::count_of_submitter(&mut conn, viewer.id).await?;
    Ok(Listed::new(page, items.into_iter().map(Into::into).collect(), total))
}

/// The channel that is meant; without an id the viewer's own.
pub(super) async fn channel_of(app: &App, viewer: Uuid, id: Option<Uuid>) -> Result<Channel, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let channel = match id {
        Some(id) => channels::find(&mut conn, id).await?,
        None => Some(channels::find_of_owner(&mut conn, viewer).await?.ok_or_else(|| {
            Problem::bad_request(ErrorCode::MissingChannelId, "channelId: it is missing, and you have no channel")
        })?),
    };
    let channel = channel.ok_or_else(|| Problem::not_found(ErrorCode::ChannelNotFound, "there is no such channel"))?;
    let channel = channel.if_open()?;
    // The gates are for viewers: whoever looks after what is played may add to it.
    let role = teams::role_of(&mut conn, channel.id, viewer).await?;
    if channel.owner_id != viewer && role.is_none_or(|role| role < TeamRole::Editor) {
        bans::refuse(&mut conn, channel.id, viewer).await?;
        channel.takes_submissions()?;
    }
    Ok(channel)
}

/// Makes the file and its submission permanent: row, rename, commit. Says which submission it is; a request that was
/// repeated finds the one that it made first.
async fn keep(
    app: &App,
    viewer: Uuid,
    channel: &Channel,
    key: Option<String>,
    mut form: Form,
) -> Result<Uuid, Problem> {
    let (title, notes, tags) = (form.take_title(), form.notes.take(), form.tags.take().unwrap_or_default());
    let claimed_duration_ms = form.duration_ms;
    let (staged, container, kind) = form.into_file()?;
    let source_hash = staged.hash.to_string();
    let source_size = i64::try_from(staged.size).map_err(Problem::internal)?;
    let new = NewSubmission {
        channel_id: channel.id,
        submitter_id: viewer,
        kind,
        title,
        notes,
        tags,
        claimed_duration_ms,
        source_hash,
        source_size,
        container,
    };
    new.check()?;

    fail::fail_point!("submissions::receive::staged");
    let request = key.map(|key| Request::new(viewer, "submit", key, question(&new).as_bytes()));
    let mut parcel = Parcel::send(app, staged).await?;
    for pause in again::pauses() {
        match receive(app, &new, request.as_ref(), &mut parcel).await {
            Err(problem) if problem.is_sacrificed() => sleep(pause).await,
            received => return received,
        }
    }
    receive(app, &new, request.as_ref(), &mut parcel).await
}

/// A file that was sent, on its way into the store.
pub(super) struct Parcel {
    hash: Hash,
    staged: Option<Staged>,
}

impl Parcel {
    /// On its way, while no transaction waits for it.
    pub(super) async fn send(app: &AppState, staged: Staged) -> Result<Self, Problem> {
        let staged = app.blobs.send(staged).await.map_err(|error| Problem::storage(&error))?;
        Ok(Self { hash: staged.hash, staged: Some(staged) })
    }

    /// Makes the file permanent, in the transaction that holds its hash; in a further try it is there already.
    pub(super) async fn publish(&mut self, app: &AppState) -> Result<(), Problem> {
        let storage = |error| Problem::storage(&error);
        match self.staged.take() {
            Some(staged) => drop(app.blobs.publish(staged).await.map_err(storage)?),
            None => {
                if app.blobs.open(&self.hash).await.map_err(storage)?.is_none() {
                    return Err(Problem::internal("the file was removed between two tries"));
                }
            }
        }
        Ok(())
    }
}

/// One try; the file is published by the first that comes so far.
async fn receive(
    app: &App,
    new: &NewSubmission,
    request: Option<&Request>,
    parcel: &mut Parcel,
) -> Result<Uuid, Problem> {
    let received = idempotency::made_once(&app.db, request, async |tx| {
        media::hold(&mut *tx, &new.source_hash).await?;
        parcel.publish(app).await?;
        let submission = submissions::receive(tx, new).await?;
        fail::fail_point!("submissions::receive::before");
        Ok::<_, Problem>(submission.id)
    });
    let id = received.await?;
    fail::fail_point!("submissions::receive::after");
    Ok(id)
}

/// All that decides what a submission becomes.
fn question(new: &NewSubmission) -> String {
    serde_json::json!([
        new.channel_id,
        new.kind.as_str(),
        new.title,
        new.notes,
        new.tags,
        new.claimed_duration_ms,
        new.source_hash,
    ])
    .to_string()
}

/// Seconds of `wait=N` in a `Prefer` header.
pub(super) fn wait(prefer: Option<&str>) -> Duration {
    let seconds = prefer.and_then(|prefer| {
        let mut preferences = prefer.split([',', ';']).map(str::trim);
        preferences.find_map(|preference| preference.strip_prefix("wait=")?.trim_matches('"').parse::<u64>().ok())
    });
    Duration::from_secs(seconds.unwrap_or(0).min(LONGEST_WAIT))
}

/// The submission once its fate is known, or as it stands when the time is over.
async fn verdict(app: &App, viewer: Uuid, id: Uuid, wait: Duration) -> Result<Submission, Problem> {
    let deadline = Instant::now() + wait;
    // Listening before looking: what happens in between is heard.
    let mut streams = app.db.wakes().streams();
    let mine = format!("user:{viewer}");
    loop {
        let mut conn = app.db.pool().acquire().await?;
        let submission = visible(&mut conn, viewer, id).await?;
        drop(conn);
        if submission.upload_state.is_final() || Instant::now() >= deadline {
            return Ok(submission);
        }
        let look = deadline.min(Instant::now() + LOOK);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(look) => break,
                heard = streams.recv() => match heard {
                    Ok(grown) if *grown.key != *mine => {}
                    // Ours, or too many to tell.
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => break,
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => {
                        tokio::time::sleep_until(look).await;
                        break;
                    }
                },
            }
        }
    }
}

/// Somebody else's is none, except for the channel's team.
async fn visible(conn: &mut PgConnection, viewer: Uuid, id: Uuid) -> Result<Submission, Problem> {
    let unknown = || Problem::not_found(ErrorCode::SubmissionNotFound, "you have no such submission");
    let submission = submissions::find(&mut *conn, id).await?.ok_or_else(unknown)?;
    if submission.submitter_id == viewer {
        return Ok(submission);
    }
    let channel = channels::find(&mut *conn, submission.channel_id).await?;
    let own = channel.is_some_and(|channel| channel.owner_id == viewer);
    if own || teams::role_of(conn, submission.channel_id, viewer).await?.is_some() {
        Ok(submission)
    } else {
        Err(unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_long_a_client_wants_to_wait() {
        for (prefer, seconds) in [
            (None, 0),
            (Some("wait=5"), 5),
            (Some("respond-async, wait=10"), 10),
            (Some("wait=\"7\""), 7),
            (Some("wait=86400"), 30),
            (Some("wait=-1"), 0),
            (Some("return=minimal"), 0),
        ] {
            assert_eq!(wait(prefer), Duration::from_secs(seconds), "{prefer:?}");
        }
    }
}
