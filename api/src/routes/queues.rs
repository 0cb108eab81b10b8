//! The job queues and the processes that serve them, for ops.

use std::time::Duration;

use domain::accounts::User;
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path, payload::Json};
use queue::{
    Limit, Rate,
    admin::{self, By},
};

use super::Group;
use crate::{
    app::App,
    auth::{Admin, Observer},
    problem::{ErrorCode, Problem},
    telemetry,
    views::queues::{JobQueueView, LimitQueue, PauseQueue, PauseWorker, PausedPoolsView, ResumeWorker},
};

pub(crate) struct Queues;

/// Who acts, for the audit log.
pub(super) fn by(user: &User) -> By {
    By { actor: format!("user:{}", user.login), request: Some(telemetry::current().request_id) }
}

#[OpenApi(tag = "Group::Owner")]
impl Queues {
    /// The job queues
    ///
    /// Each pool with its counts, the age of its oldest due job, the processes that serve it, and the retry policy of
    /// every kind of job.
    #[oai(path = "/admin/queues", method = "get", operation_id = "listJobQueues")]
    async fn list(&self, app: Data<&App>, _observer: Observer) -> Result<Json<Vec<JobQueueView>>, Problem> {
        Ok(Json(queues(&app).await?))
    }

    /// Pause a pool
    ///
    /// In all processes: what runs ends, nothing new begins. A pause that is there already keeps its time,
    /// and its reason unless there is a new one.
    #[oai(path = "/admin/queues/:pool/pause", method = "post", operation_id = "pauseJobQueue")]
    async fn pause(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The pool's name.
        pool: Path<String>,
        wish: Json<PauseQueue>,
    ) -> Result<Json<JobQueueView>, Problem> {
        known(&app, &pool).await?;
        let mut tx = app.db.begin().await?;
        admin::pause(&mut tx, &by(&admin.user), &pool, wish.reason.as_deref()).await?;
        tx.commit().await?;
        Ok(Json(known(&app, &pool).await?))
    }

    /// End a pool's pause
    ///
    /// Processes that are paused by themselves remain so.
    #[oai(path = "/admin/queues/:pool/resume", method = "post", operation_id = "resumeJobQueue")]
    async fn resume(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The pool's name.
        pool: Path<String>,
    ) -> Result<Json<JobQueueView>, Problem> {
        let mut queue = known(&app, &pool).await?;
        let mut tx = app.db.begin().await?;
        if admin::resume(&mut tx, &by(&admin.user), &pool).await? {
            tx.commit().await?;
            queue = known(&app, &pool).await?;
        }
        Ok(Json(queue))
    }

    /// Limit a pool
    ///
    /// How many of its jobs run at once, and how many begin in any window of time, in all processes together; instead of the
    /// limit that it had. What runs goes on.
    #[oai(path = "/admin/queues/:pool/limit", method = "put", operation_id = "limitJobQueue")]
    async fn limit(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The pool's name.
        pool: Path<String>,
        wish: Json<LimitQueue>,
    ) -> Result<Json<JobQueueView>, Problem> {
        known(&app, &pool).await?;
        let limit = limit(&wish)?;
        let mut tx = app.db.begin().await?;
        admin::limit(&mut tx, &by(&admin.user), &pool, Some(limit), wish.reason.as_deref()).await?;
        tx.commit().await?;
        Ok(Json(known(&app, &pool).await?))
    }

    /// Take a pool's limit away
    #[oai(path = "/admin/queues/:pool/limit", method = "delete", operation_id = "unlimitJobQueue")]
    async fn unlimit(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The pool's name.
        pool: Path<String>,
    ) -> Result<Json<JobQueueView>, Problem> {
        known(&app, &pool).await?;
        let mut tx = app.db.begin().await?;
        admin::limit(&mut tx, &by(&admin.user), &pool, None, None).await?;
        tx.commit().await?;
        Ok(Json(known(&app, &pool).await?))
    }

    /// Pause one process
    ///
    /// For one of its pools, or for all: what it runs ends, others take what comes. The pause ends with the process.
    #[oai(path = "/admin/workers/:id/pause", method = "post", operation_id = "pauseWorker")]
    async fn pause_worker(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// As among the processes of a queue.
        id: Path<i64>,
        wish: Json<PauseWorker>,
    ) -> Result<Json<PausedPoolsView>, Problem> {
        let mut tx = app.db.begin().await?;
        let paused =
            admin::pause_worker(&mut tx, &by(&admin.user), id.0, wish.pool.as_deref(), wish.reason.as_deref()).await?;
        tx.commit().await?;
        paused_pools(id.0, paused)
    }

    /// End the pause of one process
    ///
    /// For one of its pools, or for all.
    #[oai(path = "/admin/workers/:id/resume", method = "post", operation_id = "resumeWorker")]
    async fn resume_worker(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// As among the processes of a queue.
        id: Path<i64>,
        wish: Json<ResumeWorker>,
    ) -> Result<Json<PausedPoolsView>, Problem> {
        let mut tx = app.db.begin().await?;
        let paused = admin::resume_worker(&mut tx, &by(&admin.user), id.0, wish.pool.as_deref()).await?;
        tx.commit().await?;
        paused_pools(id.0, paused)
    }
}

fn limit(wish: &LimitQueue) -> Result<Limit, Problem> {
    let refuse = |detail: &str| Problem::bad_request(ErrorCode::ValidationError, detail);
    let starts = match (wish.starts, wish.per_seconds) {
        (None, None) => None,
        (Some(most), Some(seconds)) => {
            let per = Duration::try_from_secs_f64(seconds).map_err(|_| refuse("perSeconds is no length of time"))?;
            Some(Rate { most, per })
        }
        _ => return Err(refuse("starts and perSeconds belong together: so many in any window of that length")),
    };
    let limit = Limit { running: wish.running, starts };
    match limit.flaw() {
        None => Ok(limit),
        Some(flaw) => Err(refuse(flaw)),
    }
}

async fn queues(app: &App) -> Result<Vec<JobQueueView>, Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let queues = admin::queues(&mut conn, &domain::kinds::all()).await?;
    Ok(queues.into_iter().map(Into::into).collect())
}

/// The pool, unless nobody has ever heard of it.
async fn known(app: &App, pool: &str) -> Result<JobQueueView, Problem> {
    let queues = queues(app).await?;
    let names = queues.iter().map(|queue| queue.pool.as_str()).collect::<Vec<_>>().join(", ");
    queues
        .into_iter()
        .find(|queue| queue.pool == pool)
        .ok_or_else(|| Problem::not_found(ErrorCode::NotFound, format!("there is no such pool; there are: {names}")))
}

fn paused_pools(id: i64, paused: Option<Vec<String>>) -> Result<Json<PausedPoolsView>, Problem> {
    let paused_pools = paused.ok_or_else(|| {
        Problem::not_found(ErrorCode::NotFound, "there is no such process, or it does not serve this pool")
    })?;
    Ok(Json(PausedPoolsView { id, paused_pools }))
}
