//! Is it alive.

use poem::web::Data;
use poem_openapi::{OpenApi, payload::Json};

use super::Group;
use crate::{
    app::App,
    problem::{ErrorCode, Problem},
    views::health::HealthView,
};

pub(crate) struct Health;

#[OpenApi(tag = "Group::Health")]
impl Health {
    /// Health
    ///
    /// 200 when the API answers and its database does too; 503 otherwise. Needs no session.
    #[oai(path = "/health", method = "get", operation_id = "getHealth")]
    async fn health(&self, app: Data<&App>) -> Result<Json<HealthView>, Problem> {
        let database = tokio::time::timeout(std::time::Duration::from_secs(2), app.db.pool().acquire()).await;
        match database {
            Ok(Ok(_)) => Ok(Json(HealthView {
                status: "ok".to_owned(),
                build: app.settings.build.clone(),
                environment: app.settings.environment.as_str().to_owned(),
            })),
            _ => Err(Problem::new(
                poem::http::StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::ServiceUnavailable,
                "the database does not answer",
            )),
        }
    }
}
