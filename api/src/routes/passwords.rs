//! Accounts with a password.

use domain::{
    accounts,
    acts::{self, Act},
    mails::{self, Kind},
    passwords::{self, NewAccount, PasswordError},
    sessions,
};
use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, OpenApi, payload::Json};

use super::{
    Group,
    acts::by_id,
    mails::{taken, tell},
};
use crate::{
    app::App,
    auth::{
        Viewer,
        cookies::WithCookies,
        proof::{self, Proven},
        session,
    },
    language,
    problem::{ErrorCode, Fault, Problem},
    views::{
        passwords::{Login, NewPassword, Register, RegisteredView, StepUp},
        sessions::TokensView,
    },
};

pub(crate) struct Passwords;

/// The answer to a registration.
#[derive(ApiResponse)]
pub(crate) enum Registered {
    /// The account with its first session, whose tokens are in the cookies, too.
    #[oai(status = 201)]
    Made(Json<RegisteredView>),
}

/// There is nothing more to say.
#[derive(ApiResponse)]
pub(crate) enum Proved {
    /// It is done.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Accounts")]
impl Passwords {
    /// Register
    ///
    /// An account with a username, an e-mail address and a password, and its first session. 409 says which of the two names
    /// is taken. A mail brings a link that verifies the address (`POST /auth/verify-email`).
    #[oai(path = "/auth/register", method = "post", operation_id = "register")]
    async fn register(
        &self,
        app: Data<&App>,
        request: &Request,
        wish: Json<Register>,
    ) -> Result<WithCookies<Registered>, Problem> {
        let Json(wish) = wish;
        let account = account(&wish)?;
        let password = wish.password;
        let hash = app.hasher.run(move || passwords::hash(&password)).await?;
        let mut tx = app.db.begin().await?;
        let user = passwords::register(&mut tx, &account, &hash).await?;
        // Who was sent so many may still ask for one by hand, later (`POST /auth/verify-email/send`).
        if app.settings.sends_mails && taken(&mut tx, request, Kind::VerifyEmail, &account.email).await?.is_none() {
            mails::ask_to_verify(&mut tx, user.id, language::of(request)).await?;
        }
        let granted = session::begin(&app, &mut tx, request, user.id, &["password"]).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        let view = RegisteredView::new(user, account.email, granted.tokens());
        Ok(WithCookies::new(Registered::Made(Json(view)), granted.cookies()))
    }

    /// Log in
    ///
    /// With either `username` or `email`, the password, and `code` where the account asks for one: 401 `CODE_REQUIRED` says
    /// so. Ten wrong passwords from one network (/24, /64) lock the account's login from there for a quarter of an hour, a
    /// hundred from everywhere for an hour where the person has not logged in lately, and five wrong codes for a quarter of
    /// an hour: 429, whose `locked` says which: `network`, `account` or `codes`. The answer sets cookies, too, for browsers: a
    /// program takes the tokens and does not keep the cookies, or says `Origin` with them (403 `CSRF_INVALID`).
    #[oai(path = "/auth/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        app: Data<&App>,
        request: &Request,
        wish: Json<Login>,
    ) -> Result<WithCookies<Json<TokensView>>, Problem> {
        let Json(wish) = wish;
        let name = match (wish.username, wish.email) {
            (Some(name), None) | (None, Some(name)) => name,
            (Some(_), Some(_)) => return Err(invalid("username and email: one of them, not both")),
            (None, None) => return Err(invalid("username or email: one of them")),
        };
        let proven = proof::of_name(&app, request, &name, wish.password, wish.code.as_deref()).await?;
        let mut tx = app.db.begin().await?;
        proven.hold(&app, &mut tx, request).await?;
        let granted = session::begin(&app, &mut tx, request, proven.user, &proven.methods).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(WithCookies::new(Json(granted.tokens()), granted.cookies()))
    }

    /// Prove that it is still me
    ///
    /// Dangerous acts ask for it (403 `STEP_UP_REQUIRED`) when the last proof of this session is older than ten minutes.
    /// Who has no password logs in again the way they did. Wrong guesses are counted apart from those of logins: ten
    /// passwords or five codes, then 429 for a quarter of an hour.
    #[oai(path = "/auth/step-up", method = "post", operation_id = "stepUp")]
    async fn step_up(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        wish: Json<StepUp>,
    ) -> Result<Proved, Problem> {
        let Json(wish) = wish;
        let proven = proof::of_user(&app, viewer.id, wish.password, wish.code.as_deref()).await?;
        let mut tx = app.db.begin().await?;
        proven.hold(&app, &mut tx, request).await?;
        sessions::authenticated(&mut tx, viewer.session, &proven.methods).await?;
        tx.commit().await?;
        Ok(Proved::Done)
    }

    /// Change my password
    ///
    /// Ends all of my sessions but this one, at once.
    #[oai(path = "/auth/password", method = "put", operation_id = "changePassword")]
    async fn change(
        &self,
        app: Data<&App>,
        request: &Request,
        viewer: Viewer,
        wish: Json<NewPassword>,
    ) -> Result<Proved, Problem> {
        let Json(wish) = wish;
        let found = {
            let mut conn = app.db.pool().acquire().await?;
            passwords::find_of(&mut conn, viewer.id).await?
        };
        let found = found.ok_or_else(|| Problem::unauthorized("the session's account is gone"))?;
        passwords::parse_password(&wish.password, &[&found.login, found.email.as_deref().unwrap_or_default()])?;
        let proven: Proven = proof::of_user(&app, viewer.id, wish.current_password, wish.code.as_deref()).await?;
        let password = wish.password;
        let hash = app.hasher.run(move || passwords::hash(&password)).await?;
        let mut tx = app.db.begin().await?;
        proven.change(&app, &mut tx, request, &hash, viewer.session).await?;
        tell(&app, &mut tx, request, viewer.id, Kind::PasswordChanged, None).await?;
        acts::note(&mut tx, &by_id(viewer.id), Act::new("change_password").to(viewer.id)).await?;
        sessions::authenticated(&mut tx, viewer.session, &proven.methods).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Proved::Done)
    }
}

/// The account that is wished for; 400 that names all that is wrong with it.
fn account(wish: &Register) -> Result<NewAccount, Problem> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, detail: String| faults.push(Fault { field: field.to_owned(), detail });
    let login = accounts::parse_login(&wish.username).map_err(|error| fault("username", error.to_string()));
    let mut of_passwords = |error| {
        if let PasswordError::Invalid { field, problem } = error {
            fault(field, problem.to_owned());
        }
    };
    let email = passwords::parse_email(&wish.email).map_err(&mut of_passwords);
    let names = [login.as_deref().unwrap_or(&wish.username), email.as_deref().unwrap_or(&wish.email)];
    let password = passwords::parse_password(&wish.password, &names).map_err(of_passwords);
    match (login, email, password) {
        (Ok(login), Ok(email), Ok(_)) => {
            let display_name = wish.username.trim().trim_start_matches('@').to_owned();
            Ok(NewAccount { display_name, login, email })
        }
        _ => Err(Problem::of_faults(faults)),
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::bad_request(ErrorCode::ValidationError, detail)
}
