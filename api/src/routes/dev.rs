//! The dev login: a session for any name, on dev machines only and absent from the document.

use domain::{
    accounts::{self, Role},
    channels,
};
use poem::{
    IntoResponse, Request, Response, handler,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::{cookies::WithCookies, session},
    problem::{ErrorCode, Problem},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Login {
    login: String,
    role: Option<String>,
    display_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    token: String,
    refresh_token: String,
    user_id: uuid::Uuid,
    login: String,
    role: &'static str,
    channel_slug: Option<String>,
}

/// `POST /auth/dev/login {"login","role":"viewer|streamer|admin","displayName"?}`: sets the cookies and returns the
/// tokens. A streamer gets a channel with the login as slug.
#[handler]
pub(super) async fn login(app: Data<&App>, request: &Request, Json(wish): Json<Login>) -> poem::Result<Response> {
    let login = accounts::parse_login(&wish.login)
        .map_err(|error| Problem::bad_request(ErrorCode::ValidationError, format!("login: {error}")))?;
    let role = wish.role.as_deref().unwrap_or("viewer");
    let role = Role::named(role).ok_or_else(|| {
        let detail = format!("role: {role:?} is none of viewer, streamer, admin");
        Problem::bad_request(ErrorCode::ValidationError, detail)
    })?;
    let name = wish.display_name.unwrap_or_else(|| wish.login.trim().to_owned());
    let mut tx = app.db.begin().await.map_err(Problem::from)?;
    let user = accounts::upsert_by_login(&mut tx, &login, &name, role).await.map_err(Problem::from)?;
    let channel = match user.role {
        Role::Viewer => channels::find_of_owner(&mut tx, user.id).await.map_err(Problem::from)?,
        _ if role == Role::Streamer => Some(channels::ensure(&mut tx, &user).await.map_err(Problem::from)?),
        _ => channels::find_of_owner(&mut tx, user.id).await.map_err(Problem::from)?,
    };
    let granted = session::begin(&app, &mut tx, request, user.id, &["dev"]).await?;
    tx.commit().await.map_err(Problem::from)?;
    app.ended.catch_up().await;
    let cookies = granted.cookies();
    let tokens = granted.tokens();
    let body = LoggedIn {
        token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        user_id: user.id,
        login: user.login,
        role: user.role.as_str(),
        channel_slug: channel.map(|channel| channel.slug),
    };
    Ok(WithCookies::new(Json(body), cookies).into_response())
}

/// The dev login, for the page of the document on a dev machine; clients elsewhere have no such thing.
pub(crate) fn operations() -> Value {
    let text = json!({ "type": "string" });
    let answer = |description, schema| json!({ "description": description, "content": schema });
    let properties = json!({
        "token": text, "refreshToken": text, "userId": { "type": "string", "format": "uuid" }, "login": text,
        "role": text, "channelSlug": { "type": "string", "nullable": true },
    });
    let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/ProblemBody" } } });
    json!({ "/auth/dev/login": { "post": {
        "tags": ["Dev only"],
        "summary": "Log in as anybody",
        "description": "A session for any name, without proof: on this dev machine only, and in no client made from the \
                        document. Sets the cookies and gives the tokens; a streamer gets a channel with the login as slug. \
                        A name keeps the highest role that it ever asked for.",
        "operationId": "devLogin",
        "security": [],
        "requestBody": { "required": true, "content": { "application/json": { "schema": {
            "type": "object", "required": ["login"], "additionalProperties": false,
            "properties": {
                "login": text, "displayName": text,
                "role": { "type": "string", "enum": ["viewer", "streamer", "admin"], "default": "viewer" },
            },
            "example": { "login": "demo", "role": "streamer" },
        } } } },
        "responses": {
            "200": answer("Logged in.", json!({ "application/json": { "schema": {
                "type": "object", "properties": properties,
            } } })),
            "400": answer("No login, or no role.", problem),
        },
    } } })
}

/// `GET /dev/simulator`: where the simulated Twitch is (`{"address":"host:port"}`, IRC over WebSocket and over TCP, and
/// HTTP to steer it); 404 when there is none.
#[handler]
pub(super) fn simulator(app: Data<&App>) -> poem::Result<Json<Value>> {
    match &app.settings.simulator {
        Some(address) => Ok(Json(json!({ "address": address }))),
        None => Err(poem::error::NotFoundError.into()),
    }
}
