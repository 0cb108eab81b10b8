//! Links in mails: what proves that somebody reads what is sent to an address.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use queue::Tx;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Kind, Language, MailError, commands, repo};
use crate::accounts;

/// The secret of a link: 256 random bits in 43 letters. Shown by no formatter.
pub struct Link(Zeroizing<String>);

impl Link {
    pub(super) fn random() -> Self {
        let bits: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
        Self(Zeroizing::new(BASE64.encode(*bits)))
    }

    /// For the mail, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[link]")
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Whose link it is, and the address that it proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub user_id: Uuid,
    pub login: String,
    /// Lower case.
    pub email: String,
    /// The account's address was proven before.
    pub is_verified: bool,
}

/// Whose link of this kind it is; it stays good.
///
/// # Errors
/// [`MailError::LinkInvalid`].
pub async fn look(conn: &mut PgConnection, kind: Kind, token: &str) -> Result<Owner, MailError> {
    repo::look_link(conn, kind, &hash(token)).await?.ok_or(MailError::LinkInvalid)
}

/// Uses the link up. The address of its mail is proven by it.
///
/// # Errors
/// [`MailError::LinkInvalid`].
pub async fn redeem(tx: &mut Tx, kind: Kind, token: &str) -> Result<Uuid, MailError> {
    let taken = repo::take_link(tx, &[kind.as_str()], &hash(token)).await?.ok_or(MailError::LinkInvalid)?;
    if !repo::set_verified(tx, taken.user_id, &taken.email).await? {
        return Err(MailError::LinkInvalid);
    }
    Ok(taken.user_id)
}

/// Uses up a link that verifies an address: the account's own, or one that takes its place from now on, which its former
/// one is told. Says whose link of which of the two kinds it was.
///
/// # Errors
/// [`MailError::LinkInvalid`]; [`MailError::EmailTaken`] when somebody else has it by now.
pub async fn verify(tx: &mut Tx, token: &str, language: Language) -> Result<(Uuid, Kind), MailError> {
    let kinds = [Kind::VerifyEmail.as_str(), Kind::ChangeEmail.as_str()];
    let taken = repo::take_link(tx, &kinds, &hash(token)).await?.ok_or(MailError::LinkInvalid)?;
    if taken.kind == Kind::VerifyEmail.as_str() {
        let verified = repo::set_verified(tx, taken.user_id, &taken.email).await?;
        return if verified { Ok((taken.user_id, Kind::VerifyEmail)) } else { Err(MailError::LinkInvalid) };
    }
    accounts::lock(tx, taken.user_id).await?.ok_or(MailError::LinkInvalid)?;
    commands::tell(tx, taken.user_id, Kind::EmailChanged, None, Some(language)).await?;
    if !repo::set_email(tx, taken.user_id, &taken.email).await? {
        return Err(MailError::EmailTaken);
    }
    // What was sent to the former address opens nothing any more.
    repo::end_links(tx, taken.user_id, None).await?;
    Ok((taken.user_id, Kind::ChangeEmail))
}

/// Ends what would give the account to whoever asked for it before its password was another: links to another password or
/// address, also those that are still to be mailed.
///
/// # Errors
/// The database refused.
pub async fn end_links(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    // One that is being written right now is waited for, so its link is seen.
    repo::supersede(conn, Kind::ChangeEmail, Some(user), "").await?;
    repo::end_links(conn, user, Some(Kind::ChangeEmail)).await?;
    repo::end_links(conn, user, Some(Kind::ResetPassword)).await
}
