//! Second factors.

use domain::{
    acts::{self, Act},
    attempts, factors,
    mails::Kind,
    passwords,
};
use poem::{Request, web::Data};
use poem_openapi::{OpenApi, payload::Json};

use super::{Group, acts::by_id, mails::tell, passwords::Proved};
use crate::{
    app::App,
    auth::{Viewer, proof},
    problem::{ErrorCode, Problem},
    views::factors::{Code, RecoveryCodesView, SeedView},
};

pub(crate) struct Factors;

#[OpenApi(tag = "Group::Accounts")]
impl Factors {
    /// Begin with codes
    ///
    /// A seed for an app that makes codes of six digits; shown once. Nothing is asked for until a code is confirmed. Only
    /// for accounts with a password; who comes by another platform has that one's second factor.
    #[oai(path = "/auth/totp", method = "post", operation_id = "beginTotp")]
    async fn begin(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<SeedView>, Problem> {
        proof::lately(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let found = passwords::find_of(&mut tx, viewer.id).await?;
        let Some((login, true)) = found.map(|found| (found.login, found.password_hash.is_some())) else {
            return Err(passwords::PasswordError::NoPassword.into());
        };
        let begun = factors::begin(&mut tx, &app.vault, viewer.id).await?;
        tx.commit().await?;
        let uri = factors::uri(&begun.secret, &login);
        Ok(Json(SeedView { secret: begun.secret, uri }))
    }

    /// Confirm a code
    ///
    /// From now on each login asks for one. Ends all of my other sessions, and gives ten recovery codes, each good once in
    /// the place of the app's; they are shown once.
    #[oai(path = "/auth/totp/confirm", method = "post", operation_id = "confirmTotp")]
    async fn confirm(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        given: Json<Code>,
    ) -> Result<Json<RecoveryCodesView>, Problem> {
        proof::take(&app, &factors::subject(viewer.id), attempts::CODE).await?;
        let mut tx = app.db.begin().await?;
        let recovery_codes = factors::confirm(&mut tx, &app.vault, viewer.id, viewer.session, &given.code).await?;
        attempts::clear(&mut tx, &factors::subject(viewer.id)).await?;
        tell(&app, &mut tx, request, viewer.id, Kind::CodesOn, None).await?;
        acts::note(&mut tx, &by_id(viewer.id), Act::new("switch_totp_on").to(viewer.id)).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Json(RecoveryCodesView { recovery_codes }))
    }

    /// Do without codes
    ///
    /// Logins ask for the password alone again.
    #[oai(path = "/auth/totp", method = "delete", operation_id = "removeTotp")]
    async fn remove(&self, app: Data<&App>, request: &Request, viewer: Viewer) -> Result<Proved, Problem> {
        proof::lately(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let removed = factors::remove(&mut tx, viewer.id).await?;
        if removed {
            tell(&app, &mut tx, request, viewer.id, Kind::CodesOff, None).await?;
            acts::note(&mut tx, &by_id(viewer.id), Act::new("switch_totp_off").to(viewer.id)).await?;
        }
        tx.commit().await?;
        if removed { Ok(Proved::Done) } else { Err(Problem::not_found(ErrorCode::NotFound, "no codes are asked for")) }
    }
}
