//! Second factors.

use domain::{
    acts::{self, Act},
    attempts, factors,
    mails::Kind,
    passwords,
};
use poem::{Request, web::Data};
use poem_openapi::{OpenApi, payload::Json};
use serde_json::json;

use super::{Group, acts::by_id, mails::tell, passwords::Proved};
use crate::{
    app::App,
    auth::{Viewer, proof},
    problem::Problem,
    views::factors::{Code, FactorView, RecoveryCodesView, SeedView},
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
        let uri = factors::uri(app.settings.environment.issuer(), &begun.secret, &login);
        Ok(Json(SeedView { secret: begun.secret, uri }))
    }

    /// Confirm a code
    ///
    /// From now on each login by password asks for one, and so does each proof in a session (`POST /auth/step-up`). A login
    /// by another platform does not: that one's second factor stands there. Ends all of my other sessions, and gives ten
    /// recovery codes, each good once in the place of the app's; they are shown once.
    #[oai(path = "/auth/totp/confirm", method = "post", operation_id = "confirmTotp")]
    async fn confirm(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        given: Json<Code>,
    ) -> Result<Json<RecoveryCodesView>, Problem> {
        proof::take_own_code(&app, viewer.id).await?;
        let mut tx = app.db.begin().await?;
        let recovery_codes = factors::confirm(&mut tx, &app.vault, viewer.id, viewer.session, &given.code).await?;
        attempts::clear(&mut tx, &factors::own_subject(viewer.id)).await?;
        tell(&app, &mut tx, request, viewer.id, Kind::CodesOn, None).await?;
        let act =
            Act::new("switch_totp_on").to(viewer.id).changing(json!({ "codes": false }), json!({ "codes": true }));
        acts::note(&mut tx, &by_id(viewer.id), act).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Json(RecoveryCodesView { recovery_codes }))
    }

    /// Do without codes
    ///
    /// Logins ask for the password alone again. Needs a fresh proof in which a code was shown, or a recovery code,
    /// whichever way the session began.
    #[oai(path = "/auth/totp", method = "delete", operation_id = "removeTotp")]
    async fn remove(&self, app: Data<&App>, request: &Request, viewer: Viewer) -> Result<Proved, Problem> {
        still_asked(&app, &viewer).await?;
        proof::lately_by_code(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let removed = factors::switch_off(&mut tx, &by_id(viewer.id), viewer.id).await?;
        if removed {
            tell(&app, &mut tx, request, viewer.id, Kind::CodesOff, None).await?;
        }
        tx.commit().await?;
        if removed { Ok(Proved::Done) } else { Err(not_asked()) }
    }

    /// Whether codes are asked for
    ///
    /// Since when, and how many recovery codes are left.
    #[oai(path = "/auth/totp", method = "get", operation_id = "getTotp")]
    async fn get(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<FactorView>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        Ok(Json(factors::asked(&mut conn, viewer.id).await?.into()))
    }

    /// Make new recovery codes
    ///
    /// Ten in the place of all that there were; they are shown once. Needs a fresh proof in which a code was shown, or a
    /// recovery code.
    #[oai(path = "/auth/totp/recovery-codes", method = "post", operation_id = "replaceRecoveryCodes")]
    async fn replace(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
    ) -> Result<Json<RecoveryCodesView>, Problem> {
        still_asked(&app, &viewer).await?;
        proof::lately_by_code(&app, viewer.session).await?;
        let mut tx = app.db.begin().await?;
        let recovery_codes = factors::replace_recovery_codes(&mut tx, viewer.id).await?.ok_or_else(not_asked)?;
        tell(&app, &mut tx, request, viewer.id, Kind::RecoveryCodesReplaced, None).await?;
        acts::note(&mut tx, &by_id(viewer.id), Act::new("replace_recovery_codes").to(viewer.id)).await?;
        tx.commit().await?;
        Ok(Json(RecoveryCodesView { recovery_codes }))
    }
}

/// Whoever is asked for no codes has none to prove anything by, and hears so first.
async fn still_asked(app: &App, viewer: &Viewer) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    if factors::is_asked(&mut conn, viewer.id).await? { Ok(()) } else { Err(not_asked()) }
}

fn not_asked() -> Problem {
    factors::FactorError::NotAsked.into()
}
