//! The job queues, for ops.

use poem::web::Data;
use poem_openapi::{OpenApi, payload::Json};
use queue::admin;

use super::Group;
use crate::{app::App, auth::Admin, problem::Problem, views::queues::JobQueueView};

pub(crate) struct Queues;

#[OpenApi(tag = "Group::Owner")]
impl Queues {
    /// The job queues
    ///
    /// Each pool with its counts, the age of its oldest due job, the processes that serve it, and the retry policy of
    /// every kind of job.
    #[oai(path = "/admin/queues", method = "get", operation_id = "listJobQueues")]
    async fn list(&self, app: Data<&App>, _admin: Admin) -> Result<Json<Vec<JobQueueView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let queues = admin::queues(&mut conn, &domain::kinds::all()).await?;
        Ok(Json(queues.into_iter().map(Into::into).collect()))
    }
}
