//! The person who asks.

use domain::{accounts, channels};
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, payload::Json};

use super::Group;
use crate::{
    app::App,
    auth::{self, Viewer},
    problem::Problem,
    views::accounts::MeView,
};

pub(crate) struct Accounts;

/// The answer to a logout.
#[derive(ApiResponse)]
pub(crate) enum LoggedOut {
    /// The session cookie is gone.
    #[oai(status = 204)]
    Done(#[oai(header = "Set-Cookie")] String),
}

#[OpenApi(tag = "Group::Accounts")]
impl Accounts {
    /// Who am I
    ///
    /// The person behind the session, with role and, for streamers, the channel.
    #[oai(path = "/me", method = "get", operation_id = "getMe")]
    async fn me(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<MeView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let user = accounts::find(&mut conn, viewer.id).await?;
        let user = user.ok_or_else(|| Problem::unauthorized("the session's account is gone"))?;
        let channel = channels::find_of_owner(&mut conn, user.id).await?;
        Ok(Json(MeView::new(user, channel)))
    }

    /// Log out
    ///
    /// Ends the cookie session of this browser.
    #[oai(path = "/auth/logout", method = "post", operation_id = "logOut")]
    async fn log_out(&self, app: Data<&App>) -> LoggedOut {
        LoggedOut::Done(auth::cleared_cookie(app.settings.environment))
    }
}
