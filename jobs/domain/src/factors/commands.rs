//! What becomes of second factors.

use queue::Tx;
use sqlx::PgConnection;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{FactorError, codes, repo};
use crate::{
    access::{Place, Vault, VaultError},
    acts::{self, Act, By},
    mails,
    sessions::{self, EndReason},
};

/// Bytes of a seed: as many as SHA-1 has.
const SEED: usize = 20;
const RECOVERY_CODES: usize = 10;

/// What guesses at the person's codes are counted under.
#[must_use]
pub fn subject(user: Uuid) -> String {
    format!("code:{user}")
}

/// What those in the person's own sessions are counted under.
#[must_use]
pub fn own_subject(user: Uuid) -> String {
    format!("own-code:{user}")
}

const fn place(user: Uuid) -> Place {
    Place { table: "second_factors", column: "secret", row: user }
}

/// A seed to be put into an app. It is shown once.
pub struct Begun {
    /// Base 32.
    pub secret: String,
}

/// Makes a seed, in the place of one that was never confirmed.
///
/// # Errors
/// [`FactorError::There`].
pub async fn begin(conn: &mut PgConnection, vault: &Vault, user: Uuid) -> Result<Begun, FactorError> {
    let seed: [u8; SEED] = rand::random();
    let sealed = vault.seal(place(user), &seed).map_err(FactorError::Seal)?;
    if repo::insert(conn, user, &sealed).await? {
        Ok(Begun { secret: codes::letters(&seed) })
    } else {
        Err(FactorError::There)
    }
}

/// From now on codes are asked for: the person has shown one. Ends the person's other sessions, which were opened without.
/// Gives the recovery codes, once.
///
/// # Errors
/// [`FactorError::Wrong`]; [`FactorError::NotBegun`], also when what was begun cannot be read any more;
/// [`FactorError::There`].
pub async fn confirm(
    tx: &mut Tx,
    vault: &Vault,
    user: Uuid,
    session: Uuid,
    code: &str,
) -> Result<Vec<String>, FactorError> {
    let held = repo::lock(&mut *tx, user).await?.ok_or(FactorError::NotBegun)?;
    if held.confirmed {
        return Err(FactorError::There);
    }
    let fitting = fitting_step(vault, user, &held, code).map_err(|_| FactorError::NotBegun)?;
    let step = fitting.ok_or(FactorError::Wrong)?;
    repo::set_confirmed(&mut *tx, user, step).await?;
    let codes = new_recovery_codes(&mut *tx, user).await?;
    sessions::end_all_of_user(tx, user, Some(session), EndReason::Password).await?;
    Ok(codes)
}

/// Other recovery codes in the place of all that there were, used or not; none where no codes are asked for.
///
/// # Errors
/// The database refused.
pub async fn replace_recovery_codes(conn: &mut PgConnection, user: Uuid) -> Result<Option<Vec<String>>, sqlx::Error> {
    if !repo::lock(&mut *conn, user).await?.is_some_and(|held| held.confirmed) {
        return Ok(None);
    }
    repo::delete_recovery_codes(&mut *conn, user).await?;
    Ok(Some(new_recovery_codes(conn, user).await?))
}

async fn new_recovery_codes(conn: &mut PgConnection, user: Uuid) -> Result<Vec<String>, sqlx::Error> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| codes::new_recovery_code()).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| codes::recovery_hash(code).to_vec()).collect();
    repo::insert_recovery_codes(conn, user, &hashes).await?;
    Ok(codes)
}

/// Uses the code up: one of the app, or a recovery code. Says which. Recovery codes are good whether or not the seed can be
/// read: they are all that is left when its key is lost.
///
/// # Errors
/// [`FactorError::Wrong`], also when no codes are asked for; [`FactorError::Unreadable`] when it may be the app's, which
/// nobody can tell.
pub async fn prove(
    conn: &mut PgConnection,
    vault: &Vault,
    user: Uuid,
    code: &str,
) -> Result<&'static str, FactorError> {
    let held = repo::lock(&mut *conn, user).await?.filter(|held| held.confirmed).ok_or(FactorError::Wrong)?;
    let fitting = fitting_step(vault, user, &held, code);
    if let Ok(Some(step)) = fitting {
        repo::set_last_step(conn, user, step).await?;
        return Ok("totp");
    }
    if repo::use_recovery_code(conn, user, &codes::recovery_hash(code)).await? {
        return Ok("recovery");
    }
    Err(fitting.err().map_or(FactorError::Wrong, FactorError::Unreadable))
}

/// Codes are not asked for any more. Nobody hears of it.
///
/// # Errors
/// The database refused.
pub async fn forget(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    repo::delete(conn, user).await.map(drop)
}

/// The person has switched codes off. False when they were not asked for.
///
/// # Errors
/// The database refused.
pub async fn switch_off(conn: &mut PgConnection, by: &By, user: Uuid) -> Result<bool, sqlx::Error> {
    let removed = repo::delete(&mut *conn, user).await?;
    if removed {
        acts::note(conn, by, Act::new("switch_totp_off").to(user)).await?;
    }
    Ok(removed)
}

/// The same by an admin, or by an operator at a command line: of who has lost the app and the recovery codes, or whose seed
/// nobody can read. The person hears of it by mail, where any are sent.
///
/// # Errors
/// [`FactorError::NotAsked`].
pub async fn switch_off_of(tx: &mut Tx, by: &By, user: Uuid, sends_mails: bool) -> Result<(), FactorError> {
    if !switch_off(&mut *tx, by, user).await? {
        return Err(FactorError::NotAsked);
    }
    if sends_mails {
        mails::tell(tx, user, mails::Kind::CodesOff, None, None).await?;
    }
    Ok(())
}

/// The time step to which the code belongs, if it is near and not used up. All that are near are compared, always.
fn fitting_step(vault: &Vault, user: Uuid, held: &repo::Held, code: &str) -> Result<Option<i64>, VaultError> {
    let seed = vault.open(place(user), &held.secret)?;
    let (now, code) = (codes::step_at(held.now), codes::digits(code));
    let mut fitting = None;
    for step in now - 1..=now + 1 {
        let same = bool::from(codes::code_of(&seed, step).as_bytes().ct_eq(code.as_bytes()));
        if same && step > held.last_step {
            fitting = Some(step);
        }
    }
    Ok(fitting)
}
