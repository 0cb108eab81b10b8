//! What follows when a platform has said who came.

use queue::Tx;
use uuid::Uuid;

use super::{Account, Grant, Identity, IdentityError, repo, revoked};
use crate::{
    access::{Place, Vault, VaultError},
    accounts::{self, User},
};

/// Whom a login let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    pub user: User,
    /// The account on the platform.
    pub account: Uuid,
    /// Nobody here had this identity: the person was made.
    pub is_new: bool,
}

/// What came of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    pub account: Account,
    /// It was not the person's before.
    pub is_new: bool,
}

/// The person with this identity, made if there is none yet; keeps the grant.
///
/// # Errors
/// The tokens cannot be sealed, or the database refused.
pub async fn log_in(tx: &mut Tx, vault: &Vault, identity: &Identity, grant: &Grant) -> Result<LoggedIn, IdentityError> {
    repo::hold(tx, identity).await?;
    if let Some((account, owner)) = repo::find_owner(tx, identity).await? {
        store(tx, vault, account, owner, identity, grant).await?;
        let user = accounts::find(tx, owner).await?.ok_or(sqlx::Error::RowNotFound)?;
        return Ok(LoggedIn { user, account, is_new: false });
    }
    let name = display_name(identity);
    let user = accounts::create(tx, &identity.login, &name, identity.avatar_url.as_deref()).await?;
    let account = Uuid::now_v7();
    store(tx, vault, account, user.id, identity, grant).await?;
    Ok(LoggedIn { user, account, is_new: true })
}

/// Gives the person this identity, too; one that the person has already only gets the new grant.
///
/// # Errors
/// [`IdentityError::AlreadyLinked`] when it is somebody else's; [`IdentityError::Forgotten`].
pub async fn link(
    tx: &mut Tx,
    vault: &Vault,
    user: Uuid,
    identity: &Identity,
    grant: &Grant,
) -> Result<Linked, IdentityError> {
    accounts::lock(tx, user).await?.ok_or(IdentityError::Forgotten)?;
    repo::hold(tx, identity).await?;
    let (account, is_new) = match repo::find_owner(tx, identity).await? {
        Some((account, owner)) if owner == user => (account, false),
        Some(_) => return Err(IdentityError::AlreadyLinked),
        None => (Uuid::now_v7(), true),
    };
    store(tx, vault, account, user, identity, grant).await?;
    let account = repo::find(tx, user, account).await?.ok_or(IdentityError::NotFound)?;
    Ok(Linked { account, is_new })
}

/// Takes the account away from the person; its tokens are given back to the platform ([`super::RevokeGrant`]).
///
/// # Errors
/// [`IdentityError::NotFound`] when it is not the person's; [`IdentityError::LastAccount`] when nothing else would let the person
/// in.
pub async fn unlink(tx: &mut Tx, vault: &Vault, user: Uuid, account: Uuid) -> Result<Account, IdentityError> {
    // One after the other: two at once would each see the other's account stay.
    accounts::lock(tx, user).await?.ok_or(IdentityError::NotFound)?;
    let gone = repo::find(tx, user, account).await?.ok_or(IdentityError::NotFound)?;
    if !repo::has_another_way_in(tx, user, account).await? {
        return Err(IdentityError::LastAccount);
    }
    revoked::put(tx, vault, account).await?;
    repo::delete(tx, account).await?;
    Ok(gone)
}

/// Unlinks all accounts of the person, whose way in is another one.
///
/// # Errors
/// The tokens cannot be sealed, or the database refused.
pub async fn unlink_all(tx: &mut Tx, vault: &Vault, user: Uuid) -> Result<(), IdentityError> {
    for account in repo::list(tx, user).await? {
        revoked::put(tx, vault, account.id).await?;
        repo::delete(tx, account.id).await?;
    }
    Ok(())
}

/// Gives the tokens of all the person's accounts back to the platforms. The accounts stay, to know by them what is theirs.
///
/// # Errors
/// The tokens cannot be sealed, or the database refused.
pub async fn give_back_all(tx: &mut Tx, vault: &Vault, user: Uuid) -> Result<(), IdentityError> {
    for account in repo::list(tx, user).await? {
        revoked::put(tx, vault, account.id).await?;
        repo::forget_tokens(tx, account.id, "erased").await?;
    }
    Ok(())
}

async fn store(
    tx: &mut Tx,
    vault: &Vault,
    account: Uuid,
    user: Uuid,
    identity: &Identity,
    grant: &Grant,
) -> Result<(), IdentityError> {
    // A login asks for little: it must not take away what a bot or the streamer has granted us.
    if repo::has_wider(tx, account, &grant.scopes).await? {
        repo::rename(tx, account, identity, &display_name(identity)).await?;
        return Ok(());
    }
    let sealed = Sealed::of(vault, account, grant)?;
    repo::upsert(tx, account, user, identity, &display_name(identity), grant, &sealed).await?;
    Ok(())
}

/// A grant's tokens as they are kept.
pub(super) struct Sealed {
    pub(super) access: Vec<u8>,
    pub(super) refresh: Option<Vec<u8>>,
}

impl Sealed {
    pub(super) fn of(vault: &Vault, account: Uuid, grant: &Grant) -> Result<Self, VaultError> {
        let access = vault.seal(access_place(account), grant.access.expose().as_bytes())?;
        let refresh = grant.refresh.as_ref();
        let refresh = refresh.map(|token| vault.seal(refresh_place(account), token.expose().as_bytes())).transpose()?;
        Ok(Self { access, refresh })
    }
}

pub(super) const fn access_place(account: Uuid) -> Place {
    Place { table: "external_accounts", column: "access_token", row: account }
}

pub(super) const fn refresh_place(account: Uuid) -> Place {
    Place { table: "external_accounts", column: "refresh_token", row: account }
}

/// What people are shown: the platform's name for the account, without what does not belong into a line of text.
fn display_name(identity: &Identity) -> String {
    let shown = [&identity.display_name, &identity.login, &identity.provider.as_str().to_owned()]
        .into_iter()
        .map(|name| crate::unseen::plain(name, 50))
        .find(|name| !name.is_empty());
    shown.unwrap_or_default()
}
