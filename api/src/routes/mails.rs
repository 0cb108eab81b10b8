//! Addresses, and the links that are mailed to them.

use std::time::Duration;

use domain::{
    acts::{self, Act},
    attempts, channels, credits, factors, identities,
    mails::{self, Kind, MailError},
    passwords,
    requests::Stored,
    sessions, teams, tokens,
};
use poem::{Request, http::StatusCode, web::Data};
use poem_openapi::{ApiResponse, OpenApi, param::Header, payload::Json};
use queue::Tx;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Group, acts::by_id, passwords::Proved};
use crate::{
    app::{App, AppState},
    auth::{
        Viewer,
        proof::{self, network_of},
    },
    idempotency, language,
    problem::{ErrorCode, Problem},
    views::mails::{Address, LinkToken, Reset},
};

pub(crate) struct Mails;

/// A mail is on its way.
#[derive(ApiResponse)]
pub(crate) enum Mailed {
    /// It will be there soon.
    #[oai(status = 202)]
    Soon,
}

#[OpenApi(tag = "Group::Accounts")]
impl Mails {
    /// Verify an address
    ///
    /// With the token of the link in a mail, which is good once and for 24 hours. The address of the mail is proven by it,
    /// and where it was to take the place of another one, it does.
    #[oai(path = "/auth/verify-email", method = "post", operation_id = "verifyEmail")]
    async fn verify(&self, app: Data<&App>, request: &Request, given: Json<LinkToken>) -> Result<Proved, Problem> {
        let mut tx = app.db.begin().await?;
        let (user, kind) = mails::verify(&mut tx, &given.token, language::of(request)).await?;
        // That it was done: what the addresses are is nobody's business but the person's.
        let act = if kind == Kind::ChangeEmail { "change_email" } else { "verify_email" };
        acts::note(&mut tx, &by_id(user), Act::new(act).to(user)).await?;
        tx.commit().await?;
        Ok(Proved::Done)
    }

    /// Send me the link again
    ///
    /// To the account's address, in the language that `Accept-Language` likes best of English and Russian. Ends the links
    /// that were sent before. Three times an hour from one network (/24, /64), ten from everywhere where the person has not
    /// logged in lately: then 429. Repeating the request with the same `Idempotency-Key` sends
    /// nothing twice. 503 `MAIL_NOT_CONFIGURED` names in `setting` what the operator has not set.
    #[oai(path = "/auth/verify-email/send", method = "post", operation_id = "sendVerification")]
    async fn send(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        /// 1 to 128 visible characters of your choice that name this mail.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Mailed, Problem> {
        let named = idempotency::request(key.0, viewer.id, "verify-email", &Value::Null);
        sends(&app)?;
        let address = {
            let mut conn = app.db.pool().acquire().await?;
            passwords::find_of(&mut conn, viewer.id).await?.and_then(|found| found.email)
        };
        let address = address.ok_or(MailError::NoAddress)?;
        let mut tx = app.db.begin().await?;
        // A refusal is not kept under the key: nothing was sent, and the next try may.
        if idempotency::claim(&mut tx, named.as_ref()).await?.is_some() {
            return Ok(Mailed::Soon);
        }
        if let Some(wait) = taken(&mut tx, request, Kind::VerifyEmail, &address).await? {
            return Err(Problem::too_often(wait, "too many mails"));
        }
        mails::ask_to_verify(&mut tx, viewer.id, language::of(request)).await?;
        idempotency::keep(&mut tx, named.as_ref(), &sent()).await?;
        tx.commit().await?;
        Ok(Mailed::Soon)
    }

    /// Change my address
    ///
    /// Sends a link to the new one, which counts once somebody comes with that (`POST /auth/verify-email`); the former one
    /// is told then. Needs a fresh proof. Ten mails an hour. Repeating the request with the same `Idempotency-Key` sends nothing twice.
    #[oai(path = "/auth/email", method = "put", operation_id = "changeEmail")]
    async fn change(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        /// 1 to 128 visible characters of your choice that name this change.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        wish: Json<Address>,
    ) -> Result<Mailed, Problem> {
        let email = passwords::parse_email(&wish.email)?;
        let named = idempotency::request(key.0, viewer.id, "change-email", &json!({ "email": email }));
        proof::lately(&app, viewer.session).await?;
        sends(&app)?;
        let mut tx = app.db.begin().await?;
        if idempotency::claim(&mut tx, named.as_ref()).await?.is_some() {
            return Ok(Mailed::Soon);
        }
        // To how many addresses one person has mails sent, whoever they are of.
        let own = mails::subject_of(viewer.id, Kind::ChangeEmail);
        let wait = match attempts::take(&mut tx, &own, mails::MOST_ANYWHERE).await?.refused() {
            None => taken(&mut tx, request, Kind::ChangeEmail, &email).await?,
            wait => wait,
        };
        if let Some(wait) = wait {
            return Err(Problem::too_often(wait, "too many mails"));
        }
        mails::ask_to_change(&mut tx, viewer.id, &email, language::of(request)).await?;
        acts::note(&mut tx, &by_id(viewer.id), Act::new("ask_to_change_email").to(viewer.id)).await?;
        idempotency::keep(&mut tx, named.as_ref(), &sent()).await?;
        tx.commit().await?;
        Ok(Mailed::Soon)
    }

    /// I have forgotten my password
    ///
    /// Sends a link to whoever has the address. The answer is the same where nobody has it, and where too many such mails
    /// were sent to it within the hour: three from one network (/24, /64), ten from everywhere where the person has not
    /// logged in lately.
    #[oai(path = "/auth/password/forgot", method = "post", operation_id = "forgetPassword")]
    async fn forget(&self, app: Data<&App>, request: &Request, wish: Json<Address>) -> Result<Mailed, Problem> {
        let email = passwords::parse_email(&wish.email)?;
        sends(&app)?;
        let mut tx = app.db.begin().await?;
        if taken(&mut tx, request, Kind::ResetPassword, &email).await?.is_none() {
            mails::ask_to_reset(&mut tx, &email, language::of(request)).await?;
            tx.commit().await?;
        }
        Ok(Mailed::Soon)
    }

    /// Set another password
    ///
    /// With the token of the link in a mail, which is good once and for 30 minutes. Ends all sessions; who asks for codes
    /// asks for them as before. An address that was never proven before is proven by this: what somebody else may have
    /// prepared on the account (linked accounts, codes, tokens, links, a team) is gone then.
    #[oai(path = "/auth/password/reset", method = "post", operation_id = "resetPassword")]
    async fn reset(&self, app: Data<&App>, request: &Request, wish: Json<Reset>) -> Result<Proved, Problem> {
        let Json(Reset { token, password }) = wish;
        let owner = {
            let mut conn = app.db.pool().acquire().await?;
            mails::look(&mut conn, Kind::ResetPassword, &token).await?
        };
        passwords::parse_password(&password, &[&owner.login, &owner.email])?;
        let hash = app.hasher.run(move || passwords::hash(&password)).await?;
        let mut tx = app.db.begin().await?;
        let user = mails::redeem(&mut tx, Kind::ResetPassword, &token).await?;
        if !owner.is_verified {
            // Whoever registered has never shown to have the address. What they prepared lets nobody in any more.
            identities::unlink_all(&mut tx, &app.vault, user).await?;
            factors::forget(&mut tx, user).await?;
            if let Some(channel) = channels::find_of_owner(&mut tx, user).await? {
                tokens::revoke_all(&mut tx, channel.id).await?;
                tokens::rotate_own(&mut tx, channel.id).await?;
                credits::rotate_token(&mut tx, channel.id).await?;
                teams::disband(&mut tx, channel.id).await?;
            }
        }
        passwords::reset(&mut tx, user, &hash).await?;
        tell(&app, &mut tx, request, user, Kind::PasswordChanged, None).await?;
        acts::note(&mut tx, &by_id(user), Act::new("reset_password").to(user)).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Proved::Done)
    }
}

/// Writes the person news about the account, where mails can be sent at all and the address is proven.
pub(crate) async fn tell(
    app: &AppState,
    tx: &mut Tx,
    request: &Request,
    user: Uuid,
    kind: Kind,
    details: Option<&str>,
) -> Result<(), Problem> {
    if app.settings.sends_mails {
        mails::tell(tx, user, kind, details, Some(language::of(request))).await?;
    }
    Ok(())
}

/// The same of what somebody else has done, whose language is not the person's.
pub(crate) async fn inform(
    app: &AppState,
    tx: &mut Tx,
    user: Uuid,
    kind: Kind,
    details: Option<&str>,
) -> Result<(), Problem> {
    if app.settings.sends_mails {
        mails::tell(tx, user, kind, details, None).await?;
    }
    Ok(())
}

/// What is kept under a key.
fn sent() -> Stored {
    Stored { status: 202, body: String::new() }
}

/// 503 where there is no mail server.
fn sends(app: &AppState) -> Result<(), Problem> {
    if app.settings.sends_mails {
        return Ok(());
    }
    let detail = "no mails are sent from here: SMTP_URL is not set";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::MailNotConfigured, detail);
    Err(problem.with("setting", "SMTP_URL"))
}

/// One mail of this kind to the address; how long until there may be another, when there were enough. Counts when the
/// transaction is committed, as the mail does. Where the person has logged in lately, nobody elsewhere uses it up.
pub(super) async fn taken(
    tx: &mut Tx,
    request: &Request,
    kind: Kind,
    email: &str,
) -> Result<Option<Duration>, Problem> {
    let network = network_of(request);
    let found = passwords::find(&mut *tx, email).await?;
    let person = found.map_or(Uuid::nil(), |found| found.user_id);
    let known = sessions::is_known_from(&mut *tx, person, &network).await?;
    if let Some(wait) = attempts::take(tx, &mails::subject_from(&network, kind, email), mails::MOST).await?.refused() {
        return Ok(Some(wait));
    }
    if known {
        return Ok(None);
    }
    Ok(attempts::take(tx, &mails::subject(kind, email), mails::MOST_ANYWHERE).await?.refused())
}
