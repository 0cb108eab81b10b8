//! What becomes of sessions.

use queue::{Topic, Tx};
use uuid::Uuid;

use super::{EndReason, MATTER, Opened, Origin, RefreshToken, Refreshed, SessionError, repo, token};
use crate::{access::Keys, acts};

/// Opens a session for a person who was proven by `methods`.
///
/// # Errors
/// [`SessionError::Banned`], [`SessionError::Erased`], [`SessionError::NoSuchUser`].
pub async fn open(
    tx: &mut Tx,
    keys: &Keys,
    user: Uuid,
    methods: &[&str],
    origin: &Origin,
) -> Result<Opened, SessionError> {
    let standing = repo::lock_user(&mut *tx, user).await?.ok_or(SessionError::NoSuchUser)?;
    if standing.erased {
        return Err(SessionError::Erased);
    }
    if standing.banned {
        return Err(SessionError::Banned(acts::last_reason(&mut *tx, user, "ban").await?));
    }
    let id = Uuid::now_v7();
    let fresh = RefreshToken::new(keys, id);
    let methods: Vec<String> = methods.iter().map(|&method| method.to_owned()).collect();
    repo::insert(&mut *tx, id, user, &methods, origin, &token::hash(fresh.expose())).await?;
    Ok(Opened { id, user_id: user, token: fresh })
}

/// Uses the refresh token up, for another one.
///
/// # Errors
/// The database refused.
pub async fn refresh(tx: &mut Tx, keys: &Keys, given: &str, origin: &Origin) -> Result<Refreshed, sqlx::Error> {
    let Some(id) = RefreshToken::session_of(keys, given) else { return Ok(Refreshed::Over) };
    let Some(held) = repo::lock(&mut *tx, id).await? else { return Ok(Refreshed::Over) };
    if held.over {
        return Ok(Refreshed::Over);
    }
    let hash = token::hash(given);
    if held.token_hash == hash {
        let fresh = RefreshToken::new(keys, id);
        repo::rotate(&mut *tx, id, &token::hash(fresh.expose()), &hash, origin).await?;
        return Ok(Refreshed::Again(Opened { id, user_id: held.user_id, token: fresh }));
    }
    if held.just_rotated && held.spent_hash.is_some_and(|spent| spent == hash) {
        return Ok(Refreshed::Overtaken);
    }
    tracing::warn!(session = %id, user = %held.user_id, "a refresh token was used twice: its session ends");
    end(tx, held.user_id, id, EndReason::Reuse).await?;
    Ok(Refreshed::Replayed { user: held.user_id })
}

/// Ends the person's session; false when there is no such one, or not any more.
///
/// # Errors
/// The database refused.
pub async fn end(tx: &mut Tx, user: Uuid, session: Uuid, reason: EndReason) -> Result<bool, sqlx::Error> {
    let ended = repo::end(&mut *tx, user, session, reason).await?;
    if ended {
        tx.wake(Topic::Matter(MATTER.into()));
    }
    Ok(ended)
}

/// Ends the session whose refresh token this is; one that was used up does, too. False when there is none.
///
/// # Errors
/// The database refused.
pub async fn end_of_token(tx: &mut Tx, keys: &Keys, given: &str, reason: EndReason) -> Result<bool, sqlx::Error> {
    let Some(id) = RefreshToken::session_of(keys, given) else { return Ok(false) };
    let Some(held) = repo::lock(&mut *tx, id).await? else { return Ok(false) };
    end(tx, held.user_id, id, reason).await
}

/// Ends all sessions of the person but `except`; how many.
///
/// # Errors
/// The database refused.
pub async fn end_all_of_user(
    tx: &mut Tx,
    user: Uuid,
    except: Option<Uuid>,
    reason: EndReason,
) -> Result<u64, sqlx::Error> {
    // Behind whoever opens one right now, so that theirs is ended, too.
    repo::lock_user_alone(&mut *tx, user).await?;
    let ended = repo::end_all(&mut *tx, user, except, reason).await?;
    if ended > 0 {
        tx.wake(Topic::Matter(MATTER.into()));
    }
    Ok(ended)
}

/// The person has proved anew to be that person, by `methods`, which the session keeps beside those that it had.
///
/// # Errors
/// The database refused.
pub async fn authenticated(tx: &mut Tx, session: Uuid, methods: &[&str]) -> Result<(), sqlx::Error> {
    let methods: Vec<String> = methods.iter().map(|&method| method.to_owned()).collect();
    repo::set_authenticated(&mut *tx, session, &methods).await
}
