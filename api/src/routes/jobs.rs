//! Jobs one by one and all that match, for ops.

use std::collections::BTreeMap;

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use queue::admin::{self, Act, Filter, Ordered, Paging};
use time::OffsetDateTime;

use super::{Group, queues::by};
use crate::{
    app::App,
    auth::{Admin, Observer},
    problem::{ErrorCode, Problem},
    views::{
        jobs::{
            ActPageView, BulkView, DiscardJob, DiscardJobs, JobDetailView, JobFilter, JobOrder, JobPageView, JobState,
            RescheduleJob, RescheduleJobs, RetryJobs,
        },
        queues::JobKindView,
    },
};

pub(crate) struct Jobs;

#[OpenApi(tag = "Group::Owner")]
impl Jobs {
    /// The kinds of jobs
    ///
    /// Each with its pool and its policy.
    #[oai(path = "/admin/jobs/kinds", method = "get", operation_id = "listJobKinds")]
    async fn kinds(&self, _observer: Observer) -> Json<Vec<JobKindView>> {
        Json(domain::kinds::all().iter().map(|kind| admin::KindView::from(kind).into()).collect())
    }

    /// Find jobs
    ///
    /// Those that meet all conditions, newest first, with how many unfinished ones there are in each state. Finished jobs
    /// are found as long as their history is kept.
    #[allow(clippy::too_many_arguments, reason = "one a condition")]
    #[oai(path = "/admin/jobs", method = "get", operation_id = "listJobs")]
    async fn list(
        &self,
        app: Data<&App>,
        _observer: Observer,
        /// The pool that runs it.
        pool: Query<Option<String>>,
        /// The job's name, e.g. `advance-playback`.
        kind: Query<Option<String>>,
        /// Where it stands.
        state: Query<Option<JobState>>,
        /// Order key, limit key or dedupe key; finished jobs know their order key only.
        key: Query<Option<String>>,
        /// The request or job that asked for it.
        trace: Query<Option<String>>,
        /// `path=value`: what the payload has there, as text; the path is names and indexes with dots between them. May be
        /// given several times.
        #[oai(default)]
        payload: Query<Vec<String>>,
        /// Enqueued then or later.
        since: Query<Option<OffsetDateTime>>,
        /// Enqueued before.
        until: Query<Option<OffsetDateTime>>,
        /// Which end comes first; the newest by default.
        order: Query<Option<JobOrder>>,
        /// The `next` of the page before.
        after: Query<Option<i64>>,
        /// Jobs of the page, 50 by default.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u16>>,
    ) -> Result<Json<JobPageView>, Problem> {
        let filter = Filter {
            pool: pool.0,
            kind: kind.0,
            state: state.0.map(|state| state.as_str().to_owned()),
            key: key.0,
            trace: trace.0,
            since: since.0,
            until: until.0,
            payload: payload.0.iter().map(|condition| parse(condition)).collect::<Result<BTreeMap<_, _>, _>>()?,
        };
        let paging = Paging {
            after: after.0,
            oldest_first: order.0 == Some(JobOrder::Oldest),
            limit: limit.0.unwrap_or_default(),
        };
        let mut conn = app.db.pool().acquire().await?;
        let page = admin::list(&mut conn, &filter, paging).await?;
        let counts = admin::counts(&mut conn, &filter).await?;
        Ok(Json(JobPageView::new(page, counts)))
    }

    /// A job
    ///
    /// With all its runs, the request that it goes back to, and the jobs that followed from it.
    #[oai(path = "/admin/jobs/:id", method = "get", operation_id = "getJob")]
    async fn show(
        &self,
        app: Data<&App>,
        _observer: Observer,
        /// The job's id.
        id: Path<i64>,
    ) -> Result<Json<JobDetailView>, Problem> {
        Ok(Json(detail(&app, id.0).await?))
    }

    /// Run a job now
    ///
    /// A dead or waiting one, with all its attempts before it. 409 while it runs, and when another one with its dedupe key
    /// does the work.
    #[oai(path = "/admin/jobs/:id/retry", method = "post", operation_id = "retryJob")]
    async fn retry(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The job's id.
        id: Path<i64>,
    ) -> Result<Json<JobDetailView>, Problem> {
        order(&app, &admin, id.0, &Act::Retry).await
    }

    /// Give a job up
    ///
    /// A dead or waiting one: it never runs again. 409 while it runs.
    #[oai(path = "/admin/jobs/:id/discard", method = "post", operation_id = "discardJob")]
    async fn discard(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The job's id.
        id: Path<i64>,
        wish: Json<DiscardJob>,
    ) -> Result<Json<JobDetailView>, Problem> {
        order(&app, &admin, id.0, &Act::Discard(reason(wish.0.reason))).await
    }

    /// Run a job at another time
    ///
    /// A waiting one; a dead one lives again, with all its attempts before it. 409 as for "run a job now".
    #[oai(path = "/admin/jobs/:id/reschedule", method = "post", operation_id = "rescheduleJob")]
    async fn reschedule(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The job's id.
        id: Path<i64>,
        wish: Json<RescheduleJob>,
    ) -> Result<Json<JobDetailView>, Problem> {
        let act = at(&app, wish.run_at).await?;
        order(&app, &admin, id.0, &act).await
    }

    /// Run all jobs that match now
    ///
    /// Dead and waiting ones; those that run are left alone. In batches: what was done stays done if the answer is lost.
    #[oai(path = "/admin/jobs/retry", method = "post", operation_id = "retryJobs")]
    async fn retry_all(&self, app: Data<&App>, admin: Admin, wish: Json<RetryJobs>) -> Result<Json<BulkView>, Problem> {
        bulk(&app, &admin, wish.0.filter, &Act::Retry, wish.0.dry_run).await
    }

    /// Give up all jobs that match
    ///
    /// As "run all jobs that match now".
    #[oai(path = "/admin/jobs/discard", method = "post", operation_id = "discardJobs")]
    async fn discard_all(
        &self,
        app: Data<&App>,
        admin: Admin,
        wish: Json<DiscardJobs>,
    ) -> Result<Json<BulkView>, Problem> {
        bulk(&app, &admin, wish.0.filter, &Act::Discard(reason(wish.0.reason)), wish.0.dry_run).await
    }

    /// Run all jobs that match at another time
    ///
    /// As "run all jobs that match now".
    #[oai(path = "/admin/jobs/reschedule", method = "post", operation_id = "rescheduleJobs")]
    async fn reschedule_all(
        &self,
        app: Data<&App>,
        admin: Admin,
        wish: Json<RescheduleJobs>,
    ) -> Result<Json<BulkView>, Problem> {
        let act = at(&app, wish.run_at).await?;
        bulk(&app, &admin, wish.0.filter, &act, wish.0.dry_run).await
    }

    /// The audit log
    ///
    /// What people did to jobs, pools and workers by hand, newest first.
    #[oai(path = "/admin/audit", method = "get", operation_id = "listAdminActs")]
    async fn acts(
        &self,
        app: Data<&App>,
        _observer: Observer,
        /// The `next` of the page before.
        before: Query<Option<i64>>,
        /// Acts of the page, 50 by default.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u16>>,
    ) -> Result<Json<ActPageView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(admin::acts(&mut conn, before.0, limit.0.unwrap_or(50)).await?.into()))
    }
}

/// `path=value`.
fn parse(condition: &str) -> Result<(String, String), Problem> {
    condition
        .split_once('=')
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .ok_or_else(|| Problem::bad_request(ErrorCode::ValidationError, "payload: `path=value`"))
}

fn reason(given: Option<String>) -> String {
    given.filter(|reason| !reason.is_empty()).unwrap_or_else(|| "discarded by hand".to_owned())
}

async fn at(app: &App, at: OffsetDateTime) -> Result<Act, Problem> {
    let now = admin::now(&mut *app.db.pool().acquire().await?).await?;
    admin::run_at_within_reason(at, now)
        .map_err(|error| Problem::bad_request(ErrorCode::ValidationError, format!("runAt: {error}")))?;
    Ok(Act::Reschedule(at))
}

async fn detail(app: &App, id: i64) -> Result<JobDetailView, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let detail = admin::show(&mut conn, id).await?;
    detail.map(Into::into).ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found(ErrorCode::NotFound, "there is no such job, or it was finished so long ago that it is forgotten")
}

async fn order(app: &App, admin: &Admin, id: i64, act: &Act) -> Result<Json<JobDetailView>, Problem> {
    let mut tx = app.db.begin().await?;
    let ordered = admin::one(&mut tx, &by(&admin.user), id, act).await?;
    tx.commit().await?;
    let conflict = |detail| Err(Problem::conflict(ErrorCode::Conflict, detail));
    match ordered {
        Ordered::Yes => Ok(Json(detail(app, id).await?)),
        Ordered::Running => conflict("the job runs right now"),
        Ordered::Covered => conflict("another unfinished job has the dedupe key of this one and does its work"),
        Ordered::NotFound => {
            detail(app, id).await?;
            conflict("the job is finished")
        }
    }
}

async fn bulk(
    app: &App,
    admin: &Admin,
    filter: JobFilter,
    act: &Act,
    dry_run: bool,
) -> Result<Json<BulkView>, Problem> {
    Ok(Json(admin::all(&app.db, &by(&admin.user), &filter.into(), act, dry_run).await?.into()))
}
