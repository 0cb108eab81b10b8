//! Tokens that are good now.
//!
//! A platform may take the old refresh token out of use when it gives a new one, so a renewal is done by one at a time (the
//! account's row is held), and what it gave is committed before anybody uses it. Who waited for the row finds the new token.

use std::time::Duration;

use queue::Database;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Grant, Provider, Token,
    commands::{Sealed, access_place, refresh_place},
    repo::{self, TokenRow},
};
use crate::access::{Place, Vault, VaultError};

/// A token that ends sooner is not handed out: what it is for takes time, too.
const MARGIN: Duration = Duration::from_secs(60);

/// Asks platforms for new tokens.
pub trait Renew: Send + Sync {
    /// What the platform gives for this refresh token.
    fn renew(
        &self,
        provider: Provider,
        refresh: &Token,
        device: Option<&str>,
    ) -> impl Future<Output = Result<Grant, RenewError>> + Send;
}

/// Why there is no new token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// The platform refuses this refresh token for good.
    #[error("the platform refused: {0}")]
    Refused(String),
    /// The platform could not be asked, or did not answer in its own words: the token may be good still.
    #[error("the platform is not available: {0}")]
    Unavailable(String),
}

/// Why there is no good token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("there is no such account")]
    NotFound,
    /// The person must link the account again.
    #[error("to be linked again: {0}")]
    Relink(String),
    /// It may be there at the next try.
    #[error("{0}")]
    Unavailable(String),
    #[error("the tokens: {0}")]
    Vault(#[from] VaultError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// The account's access token, renewed if it is over or is the one that the platform has just `rejected`.
///
/// Must run to its end: a renewal that is dropped halfway may have used up the refresh token.
///
/// # Errors
/// As the variants say.
pub async fn fresh_token(
    db: &Database,
    vault: &Vault,
    account: Uuid,
    rejected: Option<&Token>,
    platforms: &impl Renew,
) -> Result<Token, TokenError> {
    let mut tx = db.begin().await?;
    let row = repo::hold_tokens(&mut tx, account, MARGIN).await?.ok_or(TokenError::NotFound)?;
    if let Some(reason) = row.relink_reason {
        return Err(TokenError::Relink(reason));
    }
    let kept = kept(vault, account, &row)?;
    if let Some(token) = kept.access.filter(|token| row.is_good && Some(token) != rejected) {
        return Ok(token);
    }
    let Some(refresh) = kept.refresh else {
        let reason = "the token is over, and the platform gave none to renew it with";
        repo::forget_tokens(&mut tx, account, reason).await?;
        tx.commit().await?;
        return Err(TokenError::Relink(reason.to_owned()));
    };
    match platforms.renew(row.provider, &refresh, row.device.as_deref()).await {
        Ok(grant) => {
            repo::renew(&mut tx, account, &grant, &Sealed::of(vault, account, &grant)?).await?;
            tx.commit().await?;
            Ok(grant.access)
        }
        Err(RenewError::Refused(reason)) => {
            repo::forget_tokens(&mut tx, account, &reason).await?;
            tx.commit().await?;
            Err(TokenError::Relink(reason))
        }
        Err(RenewError::Unavailable(reason)) => Err(TokenError::Unavailable(reason)),
    }
}

/// The account's tokens, which nobody renews until the end of the transaction; none when there are none, or none that can be
/// read: nobody can use those either.
pub(super) async fn kept_of(
    conn: &mut PgConnection,
    vault: &Vault,
    account: Uuid,
) -> Result<Option<(Provider, Kept)>, sqlx::Error> {
    let Some(row) = repo::hold_tokens(conn, account, Duration::ZERO).await? else { return Ok(None) };
    match kept(vault, account, &row) {
        Ok(kept) if kept.access.is_some() || kept.refresh.is_some() => Ok(Some((row.provider, kept))),
        Ok(_) => Ok(None),
        Err(error) => {
            tracing::warn!(%account, %error, "the tokens of an account cannot be read, so nobody gives them back");
            Ok(None)
        }
    }
}

pub(super) struct Kept {
    pub(super) access: Option<Token>,
    pub(super) refresh: Option<Token>,
}

fn kept(vault: &Vault, account: Uuid, row: &TokenRow) -> Result<Kept, VaultError> {
    Ok(Kept {
        access: opened(vault, access_place(account), row.access.as_deref())?,
        refresh: opened(vault, refresh_place(account), row.refresh.as_deref())?,
    })
}

pub(super) fn opened(vault: &Vault, place: Place, sealed: Option<&[u8]>) -> Result<Option<Token>, VaultError> {
    let Some(sealed) = sealed else { return Ok(None) };
    let text = vault.open(place, sealed)?;
    // What was sealed was a text.
    let text = std::str::from_utf8(&text).map_err(|_| VaultError::Forged)?;
    Ok(Some(Token::new(text)))
}
