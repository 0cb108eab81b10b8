//! How the person who asks likes the pages.

use domain::accounts;
use poem::web::Data;
use poem_openapi::{OpenApi, payload::Json};

use super::Group;
use crate::{
    app::App,
    auth::Viewer,
    problem::Problem,
    views::accounts::{PreferencesPatch, PreferencesView},
};

pub(crate) struct Preferences;

#[OpenApi(tag = "Group::Accounts")]
impl Preferences {
    /// My preferences
    #[oai(path = "/me/preferences", method = "get", operation_id = "getMyPreferences")]
    async fn get(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<PreferencesView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(accounts::preferences(&mut conn, viewer.id).await?.into()))
    }

    /// Change my preferences
    ///
    /// Only what is given changes.
    #[oai(path = "/me/preferences", method = "patch", operation_id = "changeMyPreferences")]
    async fn change(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        patch: Json<PreferencesPatch>,
    ) -> Result<Json<PreferencesView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(accounts::change_preferences(&mut conn, viewer.id, &patch.0.into()).await?.into()))
    }
}
