//! The person who asks.

use domain::{accounts, channels, passwords};
use poem::web::Data;
use poem_openapi::{OpenApi, payload::Json};

use super::Group;
use crate::{app::App, auth::Viewer, problem::Problem, views::accounts::MeView};

pub(crate) struct Accounts;

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
        let credentials = passwords::find_of(&mut conn, user.id).await?;
        Ok(Json(MeView::new(user, channel, credentials)))
    }
}
