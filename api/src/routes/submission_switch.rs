//! The link that switches submissions: for the keys of a deck, which have no session.

use domain::{
    access,
    acts::{self, Act},
    channels::{self, Channel, Switch},
};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Query, payload::Json};
use serde_json::json;

use super::{
    Group,
    acts::{by_id, on_channel},
};
use crate::{
    app::{App, AppState},
    auth::Streamer,
    problem::Problem,
    views::channels::{SubmissionsLinkView, SubmissionsStatusView},
};

pub(crate) struct SubmissionSwitch;

#[OpenApi(tag = "Group::Streamer")]
impl SubmissionSwitch {
    /// My link that switches submissions
    ///
    /// The same every time, until it is rotated. Whoever has it can switch submissions, and nothing else.
    #[oai(path = "/streamer/submissions-control/link", method = "get", operation_id = "getSubmissionsLink")]
    async fn link(&self, app: Data<&App>, streamer: Streamer) -> Json<SubmissionsLinkView> {
        Json(view(&app, &streamer.channel))
    }

    /// Rotate my link that switches submissions
    ///
    /// The old one stops working at once; put the new one into the deck.
    #[oai(path = "/streamer/submissions-control/link/rotate", method = "post", operation_id = "rotateSubmissionsLink")]
    async fn rotate(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<SubmissionsLinkView>, Problem> {
        let mut tx = app.db.begin().await?;
        let channel = channels::rotate_switch(&mut tx, streamer.channel.id).await?;
        let version = |channel: &Channel| json!({ "version": channel.submissions_token_version });
        let act = Act::new("rotate_submissions_link").changing(version(&streamer.channel), version(&channel));
        on_channel(&mut tx, &streamer, act).await?;
        tx.commit().await?;
        Ok(Json(view(&app, &channel)))
    }

    /// Whether submissions are on
    #[oai(path = "/public/submissions/status", method = "get", operation_id = "getSubmissionsStatus")]
    async fn status(
        &self,
        app: Data<&App>,
        /// Of the link that switches submissions.
        token: Query<String>,
    ) -> Result<Json<SubmissionsStatusView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(channels::with_switch(&mut conn, &app.keys, &token).await?.into()))
    }

    /// Switch submissions on
    ///
    /// Panel and public hear `submissions:status` if that is news.
    #[oai(path = "/public/submissions/enable", method = "post", operation_id = "enableSubmissions")]
    async fn enable(
        &self,
        app: Data<&App>,
        /// Of the link that switches submissions.
        token: Query<String>,
    ) -> Result<Json<SubmissionsStatusView>, Problem> {
        switch(&app, &token, Switch::On).await
    }

    /// Switch submissions off
    ///
    /// Panel and public hear `submissions:status` if that is news. What was sent in still waits for a decision.
    #[oai(path = "/public/submissions/disable", method = "post", operation_id = "disableSubmissions")]
    async fn disable(
        &self,
        app: Data<&App>,
        /// Of the link that switches submissions.
        token: Query<String>,
    ) -> Result<Json<SubmissionsStatusView>, Problem> {
        switch(&app, &token, Switch::Off).await
    }

    /// Switch submissions over
    ///
    /// On where they were off, and off where they were on.
    #[oai(path = "/public/submissions/toggle", method = "post", operation_id = "toggleSubmissions")]
    async fn toggle(
        &self,
        app: Data<&App>,
        /// Of the link that switches submissions.
        token: Query<String>,
    ) -> Result<Json<SubmissionsStatusView>, Problem> {
        switch(&app, &token, Switch::Over).await
    }
}

async fn switch(app: &AppState, token: &str, switch: Switch) -> Result<Json<SubmissionsStatusView>, Problem> {
    let mut tx = app.db.begin().await?;
    let channel = channels::with_switch(&mut tx, &app.keys, token).await?;
    let (before, channel) = channels::switch_submissions(&mut tx, channel.id, switch).await?;
    // In the name of whoever gave the link away.
    let act = Act::new("switch_submissions").on(channel.id).because(Some("by the link"));
    let enabled = |enabled: bool| json!({ "enabled": enabled });
    let act = act.changing(enabled(before), enabled(channel.submissions_enabled));
    acts::note(&mut tx, &by_id(channel.owner_id), act).await?;
    tx.commit().await?;
    Ok(Json(channel.into()))
}

fn view(app: &AppState, channel: &Channel) -> SubmissionsLinkView {
    let token = access::switch_token(&app.keys, channel.id, channel.submissions_token_version);
    let url = |what: &str| format!("{}/public/submissions/{what}?token={token}", app.settings.public_url);
    SubmissionsLinkView {
        status_url: url("status"),
        enable_url: url("enable"),
        disable_url: url("disable"),
        toggle_url: url("toggle"),
        token,
    }
}
