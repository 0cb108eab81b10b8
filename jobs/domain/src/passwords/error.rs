//! What can be wrong with a wish about a password account.

/// Facts only; none of them holds a password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: &'static str },
    #[error("the username is taken")]
    LoginTaken,
    #[error("the e-mail address is taken")]
    EmailTaken,
    #[error(
        "the account has no password: to prove that it is you, log in again by the platform; to have a password, confirm an e-mail \
         address (PUT /auth/email) and ask for another password (POST /auth/password/forgot)"
    )]
    NoPassword,
    #[error("the password was changed meanwhile")]
    Changed,
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
