//! Tokens of accounts that are gone here, on their way back to the platforms.

use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{IdentityError, Provider, RevokeGrant, Token, repo, tokens};
use crate::access::{Place, Vault, VaultError};

/// What the platform is to take back.
#[derive(Debug)]
pub struct Revoked {
    pub provider: Provider,
    pub access: Option<Token>,
    pub refresh: Option<Token>,
}

const fn access_place(grant: Uuid) -> Place {
    Place { table: "revoked_grants", column: "access_token", row: grant }
}

const fn refresh_place(grant: Uuid) -> Place {
    Place { table: "revoked_grants", column: "refresh_token", row: grant }
}

/// Puts the account's tokens aside and orders that the platform hears of it. Before the account goes. Waits for a renewal,
/// so that the newest tokens are meant.
pub(super) async fn put(tx: &mut Tx, vault: &Vault, account: Uuid) -> Result<(), IdentityError> {
    let Some((provider, kept)) = tokens::kept_of(tx, vault, account).await? else { return Ok(()) };
    let seal = |place, token: &Option<Token>| -> Result<Option<Vec<u8>>, VaultError> {
        token.as_ref().map(|token| vault.seal(place, token.expose().as_bytes())).transpose()
    };
    let access = seal(access_place(account), &kept.access)?;
    let refresh = seal(refresh_place(account), &kept.refresh)?;
    repo::insert_revoked(tx, account, provider, access.as_deref(), refresh.as_deref()).await?;
    queue::enqueue(tx, &RevokeGrant { grant_id: account }).await?;
    Ok(())
}

/// What is to be taken back; none when the platform has heard of it.
///
/// # Errors
/// The tokens do not open, or the database refused.
pub async fn find_revoked(
    conn: &mut PgConnection,
    vault: &Vault,
    grant: Uuid,
) -> Result<Option<Revoked>, IdentityError> {
    let Some(row) = repo::find_revoked(conn, grant).await? else { return Ok(None) };
    let Ok(provider) = row.provider.parse() else { return Ok(None) };
    Ok(Some(Revoked {
        provider,
        access: tokens::opened(vault, access_place(grant), row.access.as_deref())?,
        refresh: tokens::opened(vault, refresh_place(grant), row.refresh.as_deref())?,
    }))
}
