//! What viewers have sent in to a channel, and what its team decides about it.

use domain::{
    Place,
    acts::Act,
    requests::{Request, Stored},
    submissions::{
        self, Approval, Decision, Filter, Received,
        blocks::{self, Target},
    },
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::ToJSON,
};
use queue::Tx;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Group,
    acts::{by, on_channel, shown},
};
use crate::{
    app::{App, AppState},
    auth::Moderator,
    idempotency,
    optional::Optional,
    paging::{Leaf, Paged},
    problem::{ErrorCode, Problem},
    stored::Kept,
    views::{
        memes::MemeType,
        submissions::{
            ApprovalWish, ChangesWish, DecidedView, DecisionWord, DecisionsView, DecisionsWish, Rejection,
            SubmissionStatus, SubmissionView,
        },
    },
};

pub(crate) struct Reviews;

#[OpenApi(tag = "Group::Streamer")]
impl Reviews {
    /// What was sent in to my channel
    ///
    /// The newest first, with its sender and, once its file is ready, where to look at it (`fileUrl`). Those that wait for a
    /// decision are `?status=pending`. Pages go by `cursor`, or by `limit` and `offset` as in other lists.
    #[oai(path = "/streamer/submissions", method = "get", operation_id = "listChannelSubmissions")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn list(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        status: Query<Option<SubmissionStatus>>,
        /// Who sent it in: a login or an id.
        submitter: Query<Option<String>>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Sent in then or later.
        from: Query<Option<OffsetDateTime>>,
        /// Sent in before then.
        to: Query<Option<OffsetDateTime>>,
        /// Milliseconds; what is not ready yet has no length.
        #[oai(name = "minDurationMs")]
        min_duration_ms: Query<Option<i32>>,
        /// Milliseconds.
        #[oai(name = "maxDurationMs")]
        max_duration_ms: Query<Option<i32>>,
        /// Stands in the title or the notes.
        q: Query<Option<String>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<SubmissionView>, Problem> {
        let leaf = Leaf::new(limit.0, offset.0, cursor.0.as_deref(), |_: &Place| true)?;
        let text = |given: Option<String>| given.filter(|text| !text.is_empty());
        for (name, given) in [("submitter", &submitter.0), ("tag", &tag.0), ("q", &q.0)] {
            if given.as_ref().is_some_and(|given| given.contains('\0')) {
                let detail = format!("{name}: it contains a NUL character");
                return Err(Problem::bad_request(ErrorCode::ValidationError, detail));
            }
        }
        let filter = Filter {
            status: status.0.map(Into::into),
            submitter: text(submitter.0).map(|submitter| submitter.to_ascii_lowercase()),
            kind: kind.0.map(Into::into),
            tag: text(tag.0),
            from: from.0,
            to: to.0,
            min_duration_ms: min_duration_ms.0,
            max_duration_ms: max_duration_ms.0,
            text: text(q.0),
        };
        let mut conn = app.db.pool().acquire().await?;
        let channel = streamer.channel.id;
        let after = leaf.after;
        let found = submissions::list(&mut conn, channel, &filter, after, leaf.asked(), leaf.page.offset).await?;
        let total = submissions::count(&mut conn, channel, &filter).await?;
        let place = |received: &Received| received.submission.place();
        leaf.show(found, total, place, SubmissionView::from)
    }

    /// Approve a submission
    ///
    /// It becomes a meme at once, with another title, price or tags if you like; nothing need be sent. 409 `SUBMISSION_NOT_PENDING` when somebody
    /// has decided before, 409 `CONFLICT` while its file is still being worked on. Send an `Idempotency-Key`: repeating the
    /// request with the same key gives the first answer again.
    #[oai(path = "/streamer/submissions/:id/approve", method = "post", operation_id = "approveSubmission")]
    async fn approve(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The submission's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this decision.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Optional<ApprovalWish>,
    ) -> Result<Kept<SubmissionView>, Problem> {
        let question = json!(["approve", streamer.channel.id, id.0, wish.0.to_json()]);
        review(&app, &streamer, id.0, key.0, &question, &Decision::Approve(wish.0.into())).await
    }

    /// Reject a submission
    ///
    /// Its files are removed, also while they are being worked on. With `block` the same bytes are refused from now on, and what
    /// looks like them waits for a decision whatever the review mode says. 409 `SUBMISSION_NOT_PENDING` when somebody has decided
    /// before. Send an `Idempotency-Key`: repeating the request with the same key gives the first answer again.
    #[oai(path = "/streamer/submissions/:id/reject", method = "post", operation_id = "rejectSubmission")]
    async fn reject(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The submission's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this decision.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Optional<Rejection>,
    ) -> Result<Kept<SubmissionView>, Problem> {
        let question = json!(["reject", streamer.channel.id, id.0, wish.0.to_json()]);
        let block = wish.0.block.unwrap_or(false);
        review(&app, &streamer, id.0, key.0, &question, &Decision::Reject { note: wish.0.note, block }).await
    }

    /// Ask a submission's sender for changes
    ///
    /// The sender reads the note, and may send it in again; 409 `CONFLICT` when that was done as often as it may be. 409 `SUBMISSION_NOT_PENDING` when somebody has decided before,
    /// 409 `CONFLICT` while its file is still being worked on. Send an `Idempotency-Key`: repeating the request with the
    /// same key gives the first answer again.
    #[oai(path = "/streamer/submissions/:id/needs-changes", method = "post", operation_id = "askForChanges")]
    async fn ask_for_changes(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// The submission's id.
        id: Path<Uuid>,
        /// 1 to 128 visible characters of your choice that name this decision.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<ChangesWish>,
    ) -> Result<Kept<SubmissionView>, Problem> {
        let question = json!(["needs-changes", streamer.channel.id, id.0, wish.0.to_json()]);
        review(&app, &streamer, id.0, key.0, &question, &Decision::AskForChanges { note: wish.0.note }).await
    }

    /// Decide about several submissions
    ///
    /// About each of them by itself, in the order in which they are named: one that is refused holds up no other. Send an
    /// `Idempotency-Key`: repeating the request with the same key decides about none of them twice, also where the first
    /// one was cut off halfway.
    #[oai(path = "/streamer/submissions/bulk", method = "post", operation_id = "decideSubmissions")]
    async fn bulk(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// 1 to 128 visible characters of your choice that name all of these decisions.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<DecisionsWish>,
    ) -> Result<Kept<DecisionsView>, Problem> {
        let decision = match (wish.action, &wish.note) {
            (DecisionWord::Approve, None) => Decision::Approve(Approval::default()),
            (DecisionWord::Approve, Some(_)) => return Err(invalid("note: not for memes")),
            (DecisionWord::Reject, note) => Decision::Reject { note: note.clone(), block: false },
            (DecisionWord::NeedsChanges, Some(note)) => Decision::AskForChanges { note: note.clone() },
            (DecisionWord::NeedsChanges, None) => return Err(invalid("note: say what shall be changed")),
        };
        let key = key.0;
        let question = json!([streamer.channel.id, wish.0.to_json()]);
        let whole = idempotency::request(key.clone(), streamer.user.id, "review-all", &question);
        if let Some(answered) = idempotency::claim(&mut *app.db.begin().await?, whole.as_ref()).await? {
            return Ok(answered.into());
        }
        let mut results = Vec::with_capacity(wish.ids.len());
        for &id in &wish.ids {
            results.push(one_of_many(&app, &streamer, key.as_deref(), id, &decision, &question).await?);
        }
        let stored = Stored { status: 200, body: DecisionsView { results }.to_json_string() };
        let mut tx = app.db.begin().await?;
        if let Some(answered) = idempotency::claim(&mut tx, whole.as_ref()).await? {
            return Ok(answered.into());
        }
        idempotency::keep(&mut tx, whole.as_ref(), &stored).await?;
        tx.commit().await?;
        Ok(stored.into())
    }
}

/// Decides about one of several, under a key of its own: a request that is repeated finds what its first try has done.
async fn one_of_many(
    app: &AppState,
    streamer: &Moderator,
    key: Option<&str>,
    id: Uuid,
    decision: &Decision,
    question: &Value,
) -> Result<DecidedView, Problem> {
    let key = key.map(|key| hex::encode(Sha256::digest(format!("{key} {id}"))));
    let request = idempotency::request(key, streamer.user.id, "review-one", question);
    let decided =
        idempotency::once(&app.db, request.as_ref(), async |tx| decide(tx, app, streamer, id, decision).await);
    let answer = match decided.await {
        Ok(stored) => stored,
        Err(problem) => Stored { status: problem.status().as_u16(), body: problem.body() },
    };
    let words: Value = serde_json::from_str(&answer.body).map_err(Problem::internal)?;
    let word = |name: &str| words[name].as_str().map(str::to_owned);
    let ok = answer.status == 200;
    Ok(DecidedView {
        id,
        ok,
        status: word("status").filter(|_| ok),
        error_code: word("errorCode").filter(|_| !ok),
        detail: word("detail").filter(|_| !ok),
    })
}

fn invalid(detail: &str) -> Problem {
    Problem::bad_request(ErrorCode::ValidationError, detail)
}

async fn review(
    app: &AppState,
    streamer: &Moderator,
    id: Uuid,
    key: Option<String>,
    question: &Value,
    decision: &Decision,
) -> Result<Kept<SubmissionView>, Problem> {
    let request: Option<Request> = idempotency::request(key, streamer.user.id, "review", question);
    let decided =
        idempotency::once(&app.db, request.as_ref(), async |tx| decide(tx, app, streamer, id, decision).await);
    Ok(decided.await?.into())
}

/// Decides, and writes it down.
async fn decide(
    tx: &mut Tx,
    app: &AppState,
    streamer: &Moderator,
    id: Uuid,
    decision: &Decision,
) -> Result<SubmissionView, Problem> {
    if let Decision::Reject { block: true, .. } = decision {
        // While its file is there.
        let target = Target::Submission(id);
        blocks::add(tx, &by(&streamer.user), Some(streamer.channel.id), target).await?;
    }
    let most = app.settings.max_resubmits;
    let after = submissions::decide(tx, streamer.user.id, &streamer.channel, id, decision, most).await?;
    let act = match decision {
        Decision::Approve(_) => Act::new("approve_submission"),
        Decision::Reject { .. } => Act::new("reject_submission"),
        Decision::AskForChanges { .. } => Act::new("ask_for_changes"),
    };
    let submitter = after.submitter_id;
    let view = SubmissionView::from(after);
    let Value::Object(words) = shown(&view) else { return Ok(view) };
    let kept = ["status", "moderatorNote", "memeId"].into_iter();
    let now: Value = kept
        .filter_map(|name| Some((name.to_owned(), words.get(name)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let act = act.to(submitter).with(id).changing(json!({ "status": "pending" }), now);
    on_channel(tx, streamer, act).await?;
    Ok(view)
}
