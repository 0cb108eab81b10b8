//! Words of password accounts.

use domain::accounts::User;
use poem_openapi::Object;
use uuid::Uuid;

use super::sessions::TokensView;

/// A wish for an account.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Register {
    /// 1 to 50 letters a-z, digits or underscores.
    pub(crate) username: String,
    #[oai(validator(max_length = 255))]
    pub(crate) email: String,
    /// 8 to 128 characters; none of your names, and none of those that everybody tries first.
    pub(crate) password: String,
}

/// A new account with its first session.
#[derive(Object)]
#[oai(example)]
pub(crate) struct RegisteredView {
    user_id: Uuid,
    username: String,
    email: String,
    /// Whether the address was proven to be the person's.
    is_verified: bool,
    /// Goes into `Authorization: Bearer`.
    access_token: String,
    /// Good for one refresh. Keep it as you would keep a password.
    refresh_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds for which the access token is good.
    expires_in: i64,
}

impl RegisteredView {
    pub(crate) fn new(user: User, email: String, tokens: TokensView) -> Self {
        Self {
            user_id: user.id,
            username: user.login,
            email,
            is_verified: false,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            token_type: tokens.token_type,
            expires_in: tokens.expires_in,
        }
    }
}

/// Who wants in.
#[derive(Object)]
#[oai(example)]
pub(crate) struct Login {
    /// The username, or the e-mail address in its place; not beside `email`.
    #[oai(validator(max_length = 255))]
    pub(crate) username: Option<String>,
    /// The e-mail address, instead of the username.
    #[oai(validator(max_length = 255))]
    pub(crate) email: Option<String>,
    #[oai(validator(max_length = 128))]
    pub(crate) password: String,
    /// Of the app, or a recovery code; where the account asks for one.
    #[oai(validator(max_length = 32))]
    pub(crate) code: Option<String>,
}

/// The proof that it is still the same person.
#[derive(Object)]
#[oai(example)]
pub(crate) struct StepUp {
    #[oai(validator(max_length = 128))]
    pub(crate) password: String,
    /// As at the login.
    #[oai(validator(max_length = 32))]
    pub(crate) code: Option<String>,
}

/// A wish for another password.
#[derive(Object)]
#[oai(example)]
pub(crate) struct NewPassword {
    #[oai(validator(max_length = 128))]
    pub(crate) current_password: String,
    /// 8 to 128 characters; none of your names, and none of those that everybody tries first.
    pub(crate) password: String,
    /// As at the login.
    #[oai(validator(max_length = 32))]
    pub(crate) code: Option<String>,
}
