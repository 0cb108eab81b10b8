//! Where one is logged in.

use domain::{
    acts::{self, Act},
    mails::Kind,
    sessions::{self, EndReason, Refreshed},
};
use poem::{
    Request,
    http::{StatusCode, header},
    web::Data,
};
use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};
use serde_json::json;
use uuid::Uuid;

use super::{Group, acts::by_id, mails::inform};
use crate::{
    app::App,
    auth::{
        Viewer, bearer,
        cookies::{self, WithCookies},
        csrf,
        session::{self, Granted},
    },
    problem::{ErrorCode, Problem},
    views::sessions::{Refresh, SessionView, SessionsEndedView, TokensView},
};

pub(crate) struct Sessions;

/// The answer to a refresh.
#[derive(ApiResponse)]
pub(crate) enum Renewed {
    /// New tokens, for who gave the old one in the body.
    #[oai(status = 200)]
    Tokens(Json<TokensView>),
    /// The new ones are in the cookies, as the old one was.
    #[oai(status = 204)]
    Cookies,
}

/// The session is over.
#[derive(ApiResponse)]
pub(crate) enum Gone {
    /// It has ended; tokens of it are refused from now on.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Accounts")]
impl Sessions {
    /// Refresh the session
    ///
    /// A new access token, and a new refresh token in the place of the one that is given, which is used up by this. Give it
    /// as `refresh_token`, or send `{}` and leave it to the cookie; what comes back comes the same way. A cookie
    /// counts only with a request that says whence it comes (`Origin`, or `Sec-Fetch-Site`; else 403 `CSRF_INVALID`). 409 `CONFLICT` says
    /// that another request of the last ten seconds was faster: take what that one got. Whoever uses a token that was used up
    /// earlier ends the session, because one of the two who have it has stolen it.
    #[oai(path = "/auth/refresh", method = "post", operation_id = "refreshSession")]
    async fn refresh(
        &self,
        app: Data<&App>,
        request: &Request,
        given: Json<Refresh>,
    ) -> Result<WithCookies<Renewed>, Problem> {
        let token = match given.refresh_token.as_deref() {
            Some(token) => Some(token),
            None => {
                if request.headers().contains_key(header::COOKIE) {
                    csrf::prove_ours(request, &app)?;
                }
                cookies::refresh(request, app.settings.environment)
            }
        };
        let token =
            token.ok_or_else(|| Problem::unauthorized("no refresh token: neither in the body nor as a cookie"))?;
        let mut tx = app.db.begin().await?;
        let refreshed = sessions::refresh(&mut tx, &app.keys, token, &session::origin(request)).await?;
        if let Refreshed::Replayed { user } = refreshed {
            // Who asks may be the thief, whose language is not the person's.
            inform(&app, &mut tx, user, Kind::SessionStolen, None).await?;
        }
        tx.commit().await?;
        let over = |detail: &str| Problem::new(StatusCode::UNAUTHORIZED, ErrorCode::SessionExpired, detail);
        match refreshed {
            Refreshed::Again(opened) => {
                let granted = Granted::new(&app, opened)?;
                Ok(match given.refresh_token {
                    Some(_) => WithCookies::new(Renewed::Tokens(Json(granted.tokens())), []),
                    None => WithCookies::new(Renewed::Cookies, granted.cookies()),
                })
            }
            Refreshed::Overtaken => {
                Err(Problem::conflict(ErrorCode::Conflict, "another request with this token was faster"))
            }
            Refreshed::Replayed { .. } => {
                app.ended.catch_up().await;
                Err(over("the refresh token was used before: the session has been ended, log in again"))
            }
            Refreshed::Over => Err(over("the session is over, log in again")),
        }
    }

    /// Log out
    ///
    /// Ends this session at once, on all servers, and takes its cookies out of the browser. Without a session nothing
    /// happens.
    #[oai(path = "/auth/logout", method = "post", operation_id = "logOut")]
    async fn log_out(&self, app: Data<&App>, request: &Request) -> Result<WithCookies<Gone>, Problem> {
        let mut tx = app.db.begin().await?;
        let named = session::named(request, &app);
        if let Some(named) = named {
            sessions::end(&mut tx, named.user, named.session, EndReason::Logout).await?;
        } else if let Some(token) = cookies::refresh(request, app.settings.environment) {
            // The access token of a browser that was away is over before its session is.
            sessions::end_of_token(&mut tx, &app.keys, token, EndReason::Logout).await?;
        }
        tx.commit().await?;
        app.ended.catch_up().await;
        if named.is_none() && bearer(request).is_some() && !request.headers().contains_key(header::COOKIE) {
            // Cookies that came with a bad token from elsewhere were not to be used: what they open lives on.
            return Ok(WithCookies::new(Gone::Done, []));
        }
        Ok(WithCookies::new(Gone::Done, cookies::cleared(app.settings.environment)))
    }

    /// Where I am logged in
    ///
    /// My sessions, the one that was used last first; `current` is the one that asks. At most 200.
    #[oai(path = "/auth/sessions", method = "get", operation_id = "listMySessions")]
    async fn list(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<Vec<SessionView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let sessions = sessions::list(&mut conn, viewer.id).await?;
        Ok(Json(sessions.into_iter().map(|session| SessionView::new(session, viewer.session)).collect()))
    }

    /// Log out elsewhere
    ///
    /// Ends one of my sessions at once.
    #[oai(path = "/auth/sessions/:id", method = "delete", operation_id = "endMySession")]
    async fn end(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// As in the list.
        id: Path<Uuid>,
    ) -> Result<Gone, Problem> {
        let mut tx = app.db.begin().await?;
        let ended = sessions::end(&mut tx, viewer.id, id.0, EndReason::Revoked).await?;
        if ended {
            acts::note(&mut tx, &by_id(viewer.id), Act::new("end_session").to(viewer.id).with(id.0)).await?;
        }
        tx.commit().await?;
        app.ended.catch_up().await;
        if ended { Ok(Gone::Done) } else { Err(Problem::not_found(ErrorCode::NotFound, "you have no such session")) }
    }

    /// Log out everywhere else
    ///
    /// Ends all of my sessions but the one that asks, at once.
    #[oai(path = "/auth/sessions/end-others", method = "post", operation_id = "endMyOtherSessions")]
    async fn end_others(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<SessionsEndedView>, Problem> {
        let mut tx = app.db.begin().await?;
        let ended = sessions::end_all_of_user(&mut tx, viewer.id, Some(viewer.session), EndReason::Revoked).await?;
        let act = Act::new("end_other_sessions")
            .to(viewer.id)
            .changing(json!({ "others": ended }), json!({ "others": 0, "ended": ended }));
        acts::note(&mut tx, &by_id(viewer.id), act).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Json(SessionsEndedView { ended }))
    }
}
