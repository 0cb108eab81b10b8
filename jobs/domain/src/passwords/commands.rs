//! What becomes of password accounts.

use queue::Tx;
use uuid::Uuid;

use super::{NewAccount, PasswordError, repo};
use crate::{
    accounts::{self, User},
    attempts, mails,
    sessions::{self, EndReason},
};

/// Of a login: of which account, from wherever.
const LOGIN: &str = "password:";

/// What guesses at the account's password are counted under, from wherever a login is tried.
#[must_use]
pub fn subject(user: Uuid) -> String {
    format!("{LOGIN}{user}")
}

/// What those from one network are counted under.
#[must_use]
pub fn subject_from(network: &str, user: Uuid) -> String {
    format!("{LOGIN}{network}:{user}")
}

/// What guesses in the person's own sessions are counted under: nobody else can use them up.
#[must_use]
pub fn own_subject(user: Uuid) -> String {
    format!("own-password:{user}")
}

/// Makes the account. Its address is not verified yet.
///
/// # Errors
/// [`PasswordError::LoginTaken`], [`PasswordError::EmailTaken`].
pub async fn register(tx: &mut Tx, account: &NewAccount, hash: &str) -> Result<User, PasswordError> {
    let id = Uuid::now_v7();
    if !repo::insert(&mut *tx, id, account, hash).await? {
        let login = accounts::find_by_login(&mut *tx, &account.login).await?;
        return Err(if login.is_some() { PasswordError::LoginTaken } else { PasswordError::EmailTaken });
    }
    accounts::find(&mut *tx, id).await?.ok_or(PasswordError::Database(sqlx::Error::RowNotFound))
}

/// Nobody changes the password until the end of the transaction; `upgraded` takes its hash's place.
///
/// # Errors
/// [`PasswordError::Changed`] when `proven` is not the account's hash any more.
pub async fn still(tx: &mut Tx, user: Uuid, proven: &str, upgraded: Option<&str>) -> Result<(), PasswordError> {
    let present = match upgraded {
        Some(hash) => repo::replace(&mut *tx, user, proven, hash).await?,
        None => repo::lock_if_same(&mut *tx, user, proven).await?,
    };
    if present { Ok(()) } else { Err(PasswordError::Changed) }
}

/// Puts another hash into the place of `proven`, and ends all sessions of the person but `except`.
///
/// # Errors
/// [`PasswordError::Changed`] when `proven` is not the account's hash any more.
pub async fn change(
    tx: &mut Tx,
    user: Uuid,
    proven: &str,
    hash: &str,
    except: Option<Uuid>,
) -> Result<(), PasswordError> {
    if !repo::replace(&mut *tx, user, proven, hash).await? {
        return Err(PasswordError::Changed);
    }
    mails::end_links(&mut *tx, user).await?;
    sessions::end_all_of_user(tx, user, except, EndReason::Password).await?;
    Ok(())
}

/// Gives the person this hash, whatever there was: who comes with a link from a mail knows no other. Ends all sessions, and
/// the links of other mails; guesses count anew.
///
/// # Errors
/// The database refused.
pub async fn reset(tx: &mut Tx, user: Uuid, hash: &str) -> Result<(), PasswordError> {
    repo::set(&mut *tx, user, hash).await?;
    mails::end_links(&mut *tx, user).await?;
    attempts::clear_all(&mut *tx, LOGIN, &format!(":{user}")).await?;
    sessions::end_all_of_user(tx, user, None, EndReason::Password).await?;
    Ok(())
}
