//! How people prove to be who they say: by password, and by the code of an app where one is asked for. Guesses are counted
//! before they are looked at.

use domain::{
    attempts::{self, Budget, Try},
    factors::{self, FactorError},
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
    budgets::ClientAddress,
    problem::{ErrorCode, Problem},
    routes::mails::{inform, tell},
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
    /// What the guess was taken from.
    counted: Vec<String>,
}

/// A count of guesses: under what, how many, and what is said when they are used up, in words and in one for programs.
struct Count {
    subject: String,
    budget: Budget,
    words: &'static str,
    locked: &'static str,
}

impl Count {
    const fn of_own_sessions(subject: String, budget: Budget) -> Self {
        Self { subject, budget, words: "too many wrong guesses in sessions of yours", locked: "own_sessions" }
    }

    /// Takes one guess, and says how many are left; 429 when there was none.
    async fn take(&self, app: &AppState) -> Result<i32, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        match attempts::take(&mut conn, &self.subject, self.budget).await? {
            Try::Taken { left } => Ok(left),
            Try::None { wait } => Err(Problem::too_often(wait, self.words).with("locked", self.locked)),
        }
    }
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
        for subject in &self.counted {
            attempts::clear(tx, subject).await?;
        }
        if self.methods.contains(&"recovery") {
            tell(app, tx, request, self.user, Kind::RecoveryCodeUsed, None).await?;
        }
        Ok(())
    }
}

/// Where the request comes from. Somebody without an address is in a network of all such.
pub(crate) fn network_of(request: &Request) -> String {
    request.data::<ClientAddress>().map_or_else(|| "::/128".to_owned(), |address| address.network())
}

/// The person with this login or address, if the password is right, and the code where one is asked for.
///
/// Guesses are counted by network, so that nobody shuts out whoever is elsewhere, and once more from wherever they come,
/// more generously, so that many networks do not guess for ever. The latter stops nobody where the person has logged in
/// lately.
pub(crate) async fn of_name(
    app: &AppState,
    request: &Request,
    name: &str,
    password: String,
    code: Option<&str>,
) -> Result<Proven, Problem> {
    let name = name.trim().to_ascii_lowercase();
    let network = network_of(request);
    let (found, known) = {
        let mut conn = app.db.pool().acquire().await?;
        let found = passwords::find(&mut conn, &name).await?;
        // Asked for nobody, too: an answer takes as long whoever has the name.
        let user = found.as_ref().map_or(Uuid::nil(), |found| found.user_id);
        (found, sessions::is_known_from(&mut conn, user, &network).await?)
    };
    // A name that nobody has has budgets, too: it answers as if somebody had it.
    let hash = hex::encode(Sha256::digest(name.as_bytes()));
    let (here, anywhere) = match &found {
        Some(found) => (passwords::subject_from(&network, found.user_id), passwords::subject(found.user_id)),
        None => (format!("name:{network}:{hash}"), format!("name:{hash}")),
    };
    let here = Count {
        subject: here,
        budget: attempts::PASSWORD,
        words: "too many wrong passwords for this account from your network",
        locked: "network",
    };
    let anywhere = Count {
        subject: anywhere,
        budget: attempts::PASSWORD_ANYWHERE,
        words: "too many wrong passwords for this account from everywhere: only a network that it was logged in from lately is \
                let in",
        locked: "account",
    };
    here.take(app).await?;
    let is_last = !known && anywhere.take(app).await? == 0;
    let counted = vec![here.subject, anywhere.subject];
    let codes = |user| Count {
        subject: factors::subject(user),
        budget: attempts::CODE,
        words: "too many wrong codes for this account",
        locked: "codes",
    };
    let user = found.as_ref().map(|found| found.user_id);
    let proven = prove(app, found, counted, codes, password, code).await;
    if let (true, Some(user), Err(problem)) = (is_last, user, &proven)
        && problem.is(ErrorCode::CredentialsInvalid)
    {
        let mut tx = app.db.begin().await?;
        inform(app, &mut tx, user, Kind::PasswordGuessed, None).await?;
        tx.commit().await?;
    }
    proven
}

/// The person of a session, if the password is right, and the code where one is asked for. 409 for who has no password. What
/// strangers guess at a login does not count here.
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
    let own = Count::of_own_sessions(passwords::own_subject(user), attempts::PASSWORD);
    own.take(app).await?;
    let codes = |user| Count::of_own_sessions(factors::own_subject(user), attempts::CODE);
    prove(app, found, vec![own.subject], codes, password, code).await
}

async fn prove(
    app: &AppState,
    found: Option<Credentials>,
    counted: Vec<String>,
    codes: impl FnOnce(Uuid) -> Count,
    password: String,
    code: Option<&str>,
) -> Result<Proven, Problem> {
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
        let codes = codes(user);
        let left = codes.take(app).await?;
        let mut tx = app.db.begin().await?;
        let method = match factors::prove(&mut tx, &app.vault, user, code).await {
            Err(FactorError::Wrong) if left == 0 => {
                // Somebody has the password. Whoever asks may be the thief, whose language is not the person's.
                inform(app, &mut tx, user, Kind::CodesGuessed, None).await?;
                tx.commit().await?;
                return Err(FactorError::Wrong.into());
            }
            method => method?,
        };
        methods.push(method);
        attempts::clear(&mut tx, &codes.subject).await?;
        tx.commit().await?;
    }
    Ok(Proven { user, hash, upgraded, methods, counted })
}

/// Takes one guess at a code in a session of the person's; 429 when there is none left.
pub(crate) async fn take_own_code(app: &AppState, user: Uuid) -> Result<(), Problem> {
    Count::of_own_sessions(factors::own_subject(user), attempts::CODE).take(app).await.map(drop)
}

/// For dangerous acts: the session's person has proven to be that person in the last ten minutes; else 403.
pub(crate) async fn lately(app: &AppState, session: Uuid) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let fresh = sessions::is_fresh(&mut conn, session).await?;
    only_if(fresh, "prove that it is you: POST /auth/step-up, or log in again")
}

/// The same for acts on the codes themselves: a code was part of the proof, whichever way the person came in.
pub(crate) async fn lately_by_code(app: &AppState, session: Uuid) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    let fresh = sessions::is_fresh_by_code(&mut conn, session).await?;
    only_if(fresh, "prove that it is you by a code: POST /auth/step-up with your password and the code")
}

fn only_if(fresh: Option<bool>, else_do: &str) -> Result<(), Problem> {
    match fresh {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::new(StatusCode::FORBIDDEN, ErrorCode::StepUpRequired, else_do)),
        None => Err(Problem::unauthorized("the session is over, log in again")),
    }
}
