//! How people prove to be who they say: by password, and by the code of an app where one is asked for. Guesses are counted
//! before they are looked at.

use domain::{
    attempts::{self, Budget},
    factors,
    mails::Kind,
    passwords::{self, Credentials, Proof},
    sessions,
};
use poem::{Request, http::StatusCode};
use queue::Tx;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    app::AppState,
    problem::{ErrorCode, Problem},
    routes::mails::tell,
};

/// Somebody whose password was right.
pub(crate) struct Proven {
    pub(crate) user: Uuid,
    /// The hash that the password was right for.
    hash: String,
    /// The one that it shall have from now on.
    upgraded: Option<String>,
    /// For the session.
    pub(crate) methods: Vec<&'static str>,
}

impl Proven {
    /// Makes sure that what was proven is still so, until the end of the transaction, and gives the budget for guesses back.
    pub(crate) async fn hold(&self, app: &AppState, tx: &mut Tx, request: &Request) -> Result<(), Problem> {
        passwords::still(tx, self.user, &self.hash, self.upgraded.as_deref()).await?;
        self.is_over(app, tx, request).await
    }

    /// Puts another password's hash in the place of the one that was proven, and ends all other sessions.
    pub(crate) async fn change(
        &self,
        app: &AppState,
        tx: &mut Tx,
        request: &Request,
        hash: &str,
        session: Uuid,
    ) -> Result<(), Problem> {
        passwords::change(tx, self.user, &self.hash, hash, Some(session)).await?;
        self.is_over(app, tx, request).await
    }

    /// What follows in any case. Whoever lost the app knows that a recovery code was used; whoever did not, should.
    async fn is_over(&self, app: &AppState, tx: &mut Tx, request: &Request) -> Result<(), Problem> {
        attempts::clear(tx, &passwords::subject(self.user)).await?;
        if self.methods.contains(&"recovery") {
            tell(app, tx, request, self.user, Kind::RecoveryCodeUsed, None).await?;
        }
        Ok(())
    }
}

/// The person with this login or address, if the password is right, and the code where one is asked for.
pub(crate) async fn of_name(
    app: &AppState,
    name: &str,
    password: String,
    code: Option<&str>,
) -> Result<Proven, Problem> {
    let name = name.trim().to_ascii_lowercase();
    let found = {
        let mut conn = app.db.pool().acquire().await?;
        passwords::find(&mut conn, &name).await?
    };
    // A name that nobody has has a budget, too: it answers as if somebody had it.
    let unknown = || format!("name:{}", hex::encode(Sha256::digest(name.as_bytes())));
    let subject = found.as_ref().map_or_else(unknown, |found| passwords::subject(found.user_id));
    prove(app, found, subject, password, code).await
}

/// The person, if the password is right, and the code where one is asked for. 409 for who has no password.
pub(crate) async fn of_user(
    app: &AppState,
    user: Uuid,
    password: String,
    code: Option<&str>,
) -> Result<Proven, Problem> {
    let found = {
        let mut conn = app.db.pool().acquire().await?;
        passwords::find_of(&mut conn, user).await?
    };
    if found.as_ref().is_none_or(|found| found.password_hash.is_none()) {
        return Err(passwords::PasswordError::NoPassword.into());
    }
    prove(app, found, passwords::subject(user), password, code).await
}

async fn prove(
    app: &AppState,
    found: Option<Credentials>,
    subject: String,
    password: String,
    code: Option<&str>,
) -> Result<Proven, Problem> {
    take(app, &subject, attempts::PASSWORD).await?;
    let stored = found.as_ref().and_then(|found| found.password_hash.clone());
    let (proof, upgraded) = app
        .hasher
        .run(move || {
            let proof = passwords::verify(&password, stored.as_deref());
            (proof, (proof == Proof::RightOnce).then(|| passwords::hash(&password)))
        })
        .await?;
    let wrong =
        || Problem::new(StatusCode::UNAUTHORIZED, ErrorCode::CredentialsInvalid, "the name or the password is wrong");
    if proof == Proof::Wrong {
        return Err(wrong());
    }
    let Some(Credentials { user_id: user, password_hash: Some(hash), .. }) = found else { return Err(wrong()) };
    let mut methods = vec!["password"];
    let asked = {
        let mut conn = app.db.pool().acquire().await?;
        factors::is_asked(&mut conn, user).await?
    };
    if asked {
        let code = code.ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, ErrorCode::CodeRequired, "the account asks for a code, too")
        })?;
        take(app, &factors::subject(user), attempts::CODE).await?;
        let mut tx = app.db.begin().await?;
        methods.push(factors::prove(&mut tx, &app.vault, user, code).await?);
        attempts::clear(&mut tx, &factors::subject(user)).await?;
        tx.commit().await?;
    }
    Ok(Proven { user, hash, upgraded, methods })
}

/// Takes one guess; 429 when there is none left.
pub(crate) async fn take(app: &AppState, subject: &str, budget: Budget) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    match attempts::take(&mut conn, subject, budget).await? {
        None => Ok(()),
        Some(wait) => Err(Problem::too_often(wait, "too many wrong guesses")),
    }
}

/// For dangerous acts: the session's person has proven to be that person in the last ten minutes; else 403.
pub(crate) async fn lately(app: &AppState, session: Uuid) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    match sessions::is_fresh(&mut conn, session).await? {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            ErrorCode::StepUpRequired,
            "prove that it is you: POST /auth/step-up, or log in again",
        )),
        None => Err(Problem::unauthorized("the session is over, log in again")),
    }
}
