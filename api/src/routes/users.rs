//! People, for admins of the house.

use domain::{
    accounts::{self, BanNews, Role},
    acts, factors,
    mails::Kind,
    playback::{self, Unwanted},
    submissions,
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Group, acts::by, mails::inform};
use crate::{
    app::{App, AppState},
    auth::{Admin, proof},
    problem::{ErrorCode, Problem},
    views::accounts::{Ban, NewRole, UserPageView, UserView},
};

pub(crate) struct Users;

const DEFAULT: u16 = 50;
const MOST: u16 = 200;

#[OpenApi(tag = "Group::Owner")]
impl Users {
    /// All people
    ///
    /// By login.
    #[oai(path = "/owner/users", method = "get", operation_id = "listUsers")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// How their logins begin.
        login: Query<Option<String>>,
        /// `next` of the page before.
        after: Query<Option<String>>,
        /// 1 to 200; 50 when absent.
        limit: Query<Option<u16>>,
    ) -> Result<Json<UserPageView>, Problem> {
        let limit = limit.0.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::bad_request(ErrorCode::ValidationError, format!("limit: 1 to {MOST}")));
        }
        let prefix = login.0.unwrap_or_default().to_ascii_lowercase();
        let mut conn = app.db.pool().acquire().await?;
        let found =
            accounts::list(&mut conn, &prefix, after.0.as_deref().unwrap_or_default(), i64::from(limit) + 1).await?;
        let banned: Vec<Uuid> = found.iter().filter(|user| user.banned_at.is_some()).map(|user| user.id).collect();
        let reasons = acts::last_reasons(&mut conn, &banned, "ban").await?;
        Ok(Json(UserPageView::new(found, reasons, usize::from(limit))))
    }

    /// Change somebody's role
    ///
    /// Ends all sessions of the person at once, unless the person has this role already. The channel of a streamer who is
    /// none any more is closed as by a ban. Nobody changes their own, and the last admin stays one.
    #[oai(path = "/owner/users/:id/role", method = "put", operation_id = "changeUserRole")]
    async fn change_role(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        id: Path<Uuid>,
        wish: Json<NewRole>,
    ) -> Result<Json<UserView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let role = Role::from(wish.role);
        let (user, is_news) = accounts::change_role(&mut tx, &by(&admin.user), admin.user.id, id.0, role).await?;
        if is_news {
            playback::follow_role(&mut tx, &user, app.settings.sends_mails).await?;
        }
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Json(user.into()))
    }

    /// Ban somebody
    ///
    /// Ends all sessions of the person at once, and refuses new ones. The person's channel is closed: nobody sees it or
    /// acts on it, what reads it ends, and what waits or plays there is given back. What the person has placed on other
    /// channels leaves their queues, and what the person has sent in and nobody has decided about is rejected. Nobody bans themselves.
    /// Of somebody who is banned already, a reason takes the place of the one before.
    #[oai(path = "/owner/users/:id/ban", method = "post", operation_id = "banUser")]
    async fn ban(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        id: Path<Uuid>,
        wish: Json<Ban>,
    ) -> Result<Json<UserView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let reason = acts::reason(wish.reason.as_deref());
        let reason = reason.as_deref();
        let (user, news) = accounts::ban(&mut tx, &by(&admin.user), admin.user.id, id.0, reason).await?;
        if news == BanNews::Banned {
            playback::close_with(&mut tx, user.id).await?;
            submissions::order_rejection(&mut tx, user.id, None).await?;
            playback::order_take_down(&mut tx, &Unwanted::Person(user.id)).await?;
        }
        if news != BanNews::None {
            inform(&app, &mut tx, user.id, Kind::Banned, reason).await?;
        }
        let reason = acts::last_reason(&mut tx, user.id, "ban").await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Json(UserView::from(user).banned_because(reason)))
    }

    /// End somebody's ban
    ///
    /// The person may log in again, and the person's channel opens again as it was. Within seven days of the ban, what it has
    /// rejected of the person's submissions is what it was before; coins of what left the queues stay given back.
    #[oai(path = "/owner/users/:id/unban", method = "post", operation_id = "unbanUser")]
    async fn unban(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        id: Path<Uuid>,
    ) -> Result<Json<UserView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let (user, is_news) = accounts::unban(&mut tx, &by(&admin.user), admin.user.id, id.0).await?;
        if is_news {
            submissions::order_return(&mut tx, user.id).await?;
            inform(&app, &mut tx, user.id, Kind::Unbanned, None).await?;
        }
        tx.commit().await?;
        Ok(Json(user.into()))
    }

    /// Switch somebody's codes off
    ///
    /// For who has lost the app and the recovery codes, or whose codes cannot be checked any more (`CODES_UNREADABLE`): logins ask
    /// for the password alone again, and the person is told so by mail. Make sure that it is that person who asks for it.
    /// Nobody switches off their own here: that is `DELETE /auth/totp`.
    #[oai(path = "/owner/users/:id/totp", method = "delete", operation_id = "switchUserTotpOff")]
    async fn switch_totp_off(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        id: Path<Uuid>,
    ) -> Result<Json<UserView>, Problem> {
        proof::lately(&app, admin.session).await?;
        let mut tx = app.db.begin().await?;
        let user = accounts::hold_other(&mut tx, admin.user.id, id.0).await?;
        factors::switch_off_of(&mut tx, &by(&admin.user), user.id, app.settings.sends_mails).await?;
        tx.commit().await?;
        Ok(Json(user.into()))
    }

    /// Let somebody look
    ///
    /// At queues, jobs and the log of acts, and at nothing else that is for admins.
    #[oai(path = "/owner/users/:id/observer", method = "put", operation_id = "letUserObserve")]
    async fn observe(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        id: Path<Uuid>,
    ) -> Result<Json<UserView>, Problem> {
        set_observer(&app, &admin, id.0, true).await
    }

    /// Let somebody look no more
    ///
    /// From the next request on.
    #[oai(path = "/owner/users/:id/observer", method = "delete", operation_id = "letUserObserveNoMore")]
    async fn observe_no_more(
        &self,
        app: Data<&App>,
        admin: Admin,
        /// The person's id.
        id: Path<Uuid>,
    ) -> Result<Json<UserView>, Problem> {
        set_observer(&app, &admin, id.0, false).await
    }
}

async fn set_observer(app: &AppState, admin: &Admin, id: Uuid, observer: bool) -> Result<Json<UserView>, Problem> {
    proof::lately(app, admin.session).await?;
    let mut tx = app.db.begin().await?;
    let user = accounts::set_observer(&mut tx, &by(&admin.user), admin.user.id, id, observer).await?;
    tx.commit().await?;
    Ok(Json(user.into()))
}
